"""Budgets and what no file may hold."""

import re
from pathlib import Path

import pytest

from tests.architecture.checkout import ROOT, sources, texts, tracked

SOURCE_LINES = 300
TEST_LINES = 400
BANNED_NAMES = {"utils", "helpers", "common", "misc", "base", "manager", "types"}
# In two parts, or this file would hold what it forbids.
REGISTRIES = [left + right for left, right in (("pypi.", "org"), ("python", "hosted"), ("npmjs.", "org"), ("npmjs.", "com"), ("download.", "pytorch"), ("crates.", "io"))]  # fmt: skip  # noqa: E501
HOME = re.compile(r"(?<![\w.:-])/(?:home|Users|root|work)/[A-Za-z0-9_.-]+")
PYTHON_TESTS = [path for path in tracked() if path.parts[0] == "tests" and path.suffix == ".py"]


def _lines(path: Path) -> int:
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(("files", "most"), [(sources(), SOURCE_LINES), (PYTHON_TESTS, TEST_LINES)])
def test_a_file_is_short_enough_to_read(files: list[Path], most: int) -> None:
    assert not {path.as_posix(): _lines(path) for path in files if _lines(path) > most}


def test_no_file_is_named_for_nothing() -> None:
    assert not [path.as_posix() for path in sources() if path.stem in BANNED_NAMES]


def test_no_file_names_a_package_registry() -> None:
    found = {path.as_posix(): host for path, text in texts() for host in REGISTRIES if host in text}

    assert not found


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    found = {path.as_posix(): match[0] for path, text in texts() if (match := HOME.search(text))}

    assert not found


def test_no_environment_file_is_tracked() -> None:
    assert not [path.as_posix() for path in tracked() if path.name.startswith(".env") and path.name != ".env.example"]
