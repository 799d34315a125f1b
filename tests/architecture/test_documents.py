"""Documents that cannot rot: what they name exists, and what is written from code is fresh."""

import re
from pathlib import Path

import pytest
from prometheus_client import Counter, Gauge, Histogram

from core import telemetry
from core.settings import OUTSIDE_SETTINGS, settings_table
from operations.cli import COMMANDS
from operations.docs import main, stale
from tests.architecture.checkout import ROOT, module_exists, sources, texts, tracked, variables

KNOWN = {variable for variable, _, _ in settings_table()} | OUTSIDE_SETTINGS
DOCUMENTS = [path for path in tracked() if path.suffix == ".md"]
MAKE_TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
CODE = re.compile(r"```[a-z]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)


def _code(path: Path) -> str:
    """What a document sets as code: only there is a word a command."""
    return "\n".join(block or span for block, span in CODE.findall((ROOT / path).read_text(encoding="utf-8")))


def test_generated_documents_say_what_the_code_says() -> None:
    assert main(["--check"]) == 0


def test_a_stale_document_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "docs/settings.md" in stale(tmp_path)
    assert main(["--check"]) == 0
    assert not capsys.readouterr().err


def test_every_decision_that_code_points_to_is_written() -> None:
    named = {match for path, text in texts() for match in re.findall(r"docs/adr/\d{4}-[a-z0-9-]+\.md", text)}

    assert named
    assert not [name for name in sorted(named) if not (ROOT / name).is_file()]


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "adr").glob("*.md")), ids=lambda path: path.name)
def test_a_decision_is_one_page_with_its_four_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequence", "Rejected"]
    assert text.startswith(f"# {path.name[:4]} ")
    assert len(text.split()) <= 1_000


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_the_commands_a_document_names_exist(path: Path) -> None:
    named = set(re.findall(r"(?:^|&& |--rm )clipwarden ([a-z][a-z-]+)", _code(path), re.MULTILINE))

    assert not named - set(COMMANDS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_the_make_targets_a_document_names_exist(path: Path) -> None:
    named = set(re.findall(r"(?:^|&& |\d )make ([a-z][a-z-]+)", _code(path), re.MULTILINE))

    assert not named - MAKE_TARGETS


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_the_modules_a_document_runs_exist(path: Path) -> None:
    named = set(re.findall(r"python -m ([a-z_.]+)", _code(path)))

    assert not [name for name in named if name.partition(".")[0] not in ("pip", "bytewax") and not module_exists(name)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_the_files_a_document_links_to_exist(path: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", (ROOT / path).read_text(encoding="utf-8"))

    assert not [link for link in links if not (ROOT / path.parent / link).exists()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=str)
def test_the_source_files_a_document_names_exist(path: Path) -> None:
    named = re.findall(r"^(?:[a-z_]+/)+[a-z_]+\.py$", _code(path), re.MULTILINE)

    assert not [name for name in named if not (ROOT / name).is_file()]


@pytest.mark.parametrize("path", [Path("docs/architecture.md"), Path("docs/operations.md")], ids=str)
def test_the_metrics_a_document_names_are_measured(path: Path) -> None:
    kinds = {"counter": "_total", "histogram": "", "gauge": ""}
    ours = [metric for metric in vars(telemetry).values() if isinstance(metric, Counter | Gauge | Histogram)]
    measured = {described.name + kinds[described.type] for metric in ours for described in metric.describe()}
    named = re.findall(r"^[a-z]+(?:_[a-z]+)*_(?:total|seconds|videos|size|up)$", _code(path), re.MULTILINE)

    assert named
    assert not set(named) - measured


def test_every_variable_that_is_named_anywhere_is_a_setting() -> None:
    ours = {path for path in tracked() if path.suffix == ".md" or path.name == ".env.example"} | set(sources())
    strangers = {
        path.as_posix(): sorted(unknown) for path, text in texts() if path in ours and (unknown := _unknown(text))
    }

    assert not strangers


def _unknown(text: str) -> set[str]:
    # A name that ends before its field, as in `CLIPWARDEN_SECTION__FIELD`, explains the rule.
    named = {name for name in variables(text) if "__" in name or name in OUTSIDE_SETTINGS}
    return {name for name in named - KNOWN if name != "CLIPWARDEN_SECTION__FIELD"}
