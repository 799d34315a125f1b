# Every command of the project; `make help` lists them. The environment is built in .venv/ from constraints.txt.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin
RUN_EXTRAS := ingestion,dataflows,serving,dashboard,operations,embedded
PACKAGES := core ingestion dataflows models dashboard operations
ARGS ?=
comma := ,
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false

## help: list the targets
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

## demo: everything from nothing: servers, worker, flow, real clips, console; Ctrl-C stops all (ARGS="--clips 40 --exit --json")
demo: .venv/.run
	@$(BIN)/clipwarden demo $(ARGS)

## test: the whole suite, with what it needs (ARGS="tests/unit" for a part)
test: .venv/.dev
	@$(BIN)/pytest $(ARGS)

## check: format, lint, types, import rules, tests; what CI runs
check: fmt-check lint types imports test

## setup: build the environment for running and developing
setup: .venv/.dev

## fmt: format the code
fmt: .venv/.dev
	@$(BIN)/ruff format .

fmt-check: .venv/.dev
	@$(BIN)/ruff format --check .

## lint: ruff, all rules
lint: .venv/.dev
	@$(BIN)/ruff check .

## types: mypy, strict
types: .venv/.dev
	@$(BIN)/mypy $(addprefix -p ,$(PACKAGES))

## imports: who may import whom
imports: .venv/.dev
	@$(BIN)/lint-imports

## docs: write what is generated from code (schemas, settings, topics)
docs: .venv/.run
	@$(BIN)/python -m operations.docs

## up: start the platform in the background
up: .venv/.run
	@$(BIN)/clipwarden up

## down: stop it
down: .venv/.run
	@$(BIN)/clipwarden down

## starter-models: train the shipped models again (CLIPWARDEN_DEMO_DATA names the data)
starter-models: .venv/.dev
	@$(BIN)/clipwarden train starter $(ARGS)

## clean: remove the environment, run data and caches
clean:
	rm -rf .venv .clipwarden .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; v in ((3, 11), (3, 12)) or sys.exit("Clipwarden needs Python 3.11 or 3.12 (Bytewax has no wheels for others); this is %d.%d. Set PYTHON=/path/to/python3.11" % v)'
	@echo "▸ environment: .venv ($$($(PYTHON) --version))"
	@$(PYTHON) -m venv .venv

# pip with a line of progress instead of hundreds; the whole log when it fails.
define install
	@echo "▸ $(1)"; start=$$SECONDS; \
	$(BIN)/pip install --progress-bar off -c constraints.txt -e '.[$(2)]' 2>&1 | tee .venv/install.log \
	  | awk '/^(Collecting|Downloading|Building|Installing)/ { printf "\r  %-76.76s", $$0; fflush() }' \
	  || { echo; tail -n 20 .venv/install.log; echo "installation failed; the whole log: .venv/install.log"; exit 1; }; \
	touch $@; printf '\r  %-76s\n' "installed in $$((SECONDS - start)) s"
endef

# Runtime first: the demo needs no linters, and no training stack.
.venv/.run: pyproject.toml constraints.txt | .venv/bin/python
	$(call install,installing the platform (once; two minutes where PyTorch's CPU wheel is at hand),$(RUN_EXTRAS))

.venv/.dev: .venv/.run
	$(call install,installing what tests and training need (once),$(RUN_EXTRAS)$(comma)training$(comma)dev)

.PHONY: help demo test check setup fmt fmt-check lint types imports docs up down starter-models clean
