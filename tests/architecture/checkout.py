"""The files of this checkout, as the rules about them see them."""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("core", "ingestion", "dataflows", "models", "dashboard", "operations")


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is, or is about to be, in git; relative to ROOT."""
    command = ("git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")
    return tuple(sorted(Path(name) for name in set(names) if name and (ROOT / name).is_file()))


def sources() -> list[Path]:
    """The product's Python files."""
    return [path for path in tracked() if path.suffix == ".py" and path.parts[0] in PACKAGES]


def texts() -> Iterator[tuple[Path, str]]:
    """Every tracked file that is text, with its content."""
    for path in tracked():
        try:
            yield path, (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def imported(path: Path) -> set[str]:
    """The top-level modules that a file imports, anywhere in it."""
    tree = ast.parse((ROOT / path).read_bytes())
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def module_exists(name: str) -> bool:
    """Whether `python -m name` finds a module of ours."""
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def variables(text: str) -> set[str]:
    """The settings a text names."""
    return set(re.findall(r"CLIPWARDEN_[A-Z0-9_]*[A-Z0-9]", text))
