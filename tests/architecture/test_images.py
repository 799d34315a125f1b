"""Each image holds what its process imports, and no more than its extras."""

import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.architecture.checkout import PACKAGES, ROOT, tracked

DOCKERFILES = [path for path in tracked() if path.name == "Dockerfile"]


@dataclass(frozen=True)
class Process:
    """What an image runs: the modules it imports, and the extras it is built with."""

    dockerfile: str
    modules: str
    extras: tuple[str, ...]


PROCESSES = [
    Process("dataflows/Dockerfile", "bytewax.run, dataflows.moderation, core.media.child", ("dataflows",)),
    Process("models/serving/Dockerfile", "models.serving.__main__", ("serving",)),
    Process("dashboard/Dockerfile", "streamlit.web.cli, dashboard.frame, dashboard.views.live", ("dashboard",)),
    Process(
        "operations/Dockerfile",
        "operations.prepare, operations.cli, operations.commands.dead_letters, operations.commands.produce, "
        "operations.commands.watch, operations.commands.api_keys, operations.executor, operations.router, "
        "ingestion.gateway.__main__, ingestion.work, ingestion.download.child, core.media.child",
        ("operations", "ingestion"),
    ),
]


def _text(path: str | Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _closure(extras: tuple[str, ...]) -> set[str]:
    """Every distribution that `.[extras]` installs."""
    wanted = [("clipwarden", extra) for extra in ("", *extras)]
    seen: set[tuple[str, str]] = set()
    while wanted:
        name, extra = item = wanted.pop()
        if item in seen:
            continue
        seen.add(item)
        for line in requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                wanted += [(_canonical(needed.name), inner) for inner in ("", *needed.extras)]
    return {name for name, _ in seen}


IMAGE = """
import sys
from importlib.machinery import PathFinder

class Image(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {absent!r} else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Image
import {modules}
print(*{{name.partition(".")[0] for name in sys.modules}})
"""
"""Imports as in the image: what its extras do not install is not there."""


@cache
def _loaded(process: Process) -> frozenset[str]:
    """The top-level modules that an interpreter holds after importing the process with its extras alone."""
    there = _closure(process.extras)
    owners = packages_distributions().items()
    absent = {module for module, names in owners if not {_canonical(name) for name in names} & there}
    code = IMAGE.format(absent=absent, modules=process.modules)
    result = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return frozenset(result.stdout.split())


def test_every_process_has_its_dockerfile() -> None:
    assert {process.dockerfile for process in PROCESSES} == {path.as_posix() for path in DOCKERFILES}


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.dockerfile)
def test_the_extras_suffice_for_what_the_process_imports(process: Process) -> None:
    extras = ",".join(process.extras)

    assert f'--editable ".[{extras}]"' in _text(process.dockerfile)
    assert _loaded(process)


@pytest.mark.parametrize("process", PROCESSES, ids=lambda process: process.dockerfile)
def test_the_packages_the_process_imports_are_copied(process: Process) -> None:
    copied = set(re.findall(r"^COPY ([a-z]+)", _text(process.dockerfile), re.MULTILINE))

    assert _loaded(process) & set(PACKAGES) <= copied


@pytest.mark.parametrize("path", DOCKERFILES, ids=str)
def test_what_a_dockerfile_copies_is_there_and_sent_to_the_builder(path: Path) -> None:
    sent = {line[1:] for line in _text(".dockerignore").splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (.+)$", _text(path), re.MULTILINE):
        for source in line.split()[:-1]:
            assert list(ROOT.glob(source)), source
            assert source.partition("/")[0] in sent, source


@pytest.mark.parametrize("path", DOCKERFILES, ids=str)
def test_a_dockerfile_pins_its_base_and_drops_root(path: Path) -> None:
    stages = re.split(r"^FROM ", _text(path), flags=re.MULTILINE)[1:]

    assert stages
    for stage in stages:
        assert re.match(r"python:3\.1[12]\.\d+-slim-bookworm\s", stage)
        assert "\nUSER 10001:10001\nCMD [" in stage
