"""`python -m operations.docs`: writes the documents that repeat what code says; `--check` names the stale ones."""

import argparse
import ast
import json
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from core.events import DeadLetter, Verdict, VideoPosted
from core.routing_event import SCHEMA, AlertRouted
from core.settings import PREFIX, Settings, settings_table
from core.topics import TOPICS, Topic

ROOT = Path(__file__).parents[1]
SETTINGS_SAY = (
    "Read from the environment, once per process. A variable that starts with `CLIPWARDEN_` and names no setting is "
    "refused at the start, with the nearest name that exists; so is a value out of bounds. Lists are separated by "
    "commas; secrets are never shown."
)
TOPICS_SAY = (
    "`python -m operations.prepare` creates what is missing, with these partitions and limits. "
    "The values are JSON; their schemas lie in `docs/schemas/`."
)
WRITTEN_BY = "<!-- Written by `make docs` from the code; edit the code instead. -->"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
OF_THE_MACHINE = {
    f"{PREFIX}DECODE__CHILDREN": "the cores the process may use less one, at least 1",
    f"{PREFIX}SERVING__THREADS": "the cores the process may use, at most 8",
}
"""Defaults that differ between machines, in words."""

Mode = Literal["validation", "serialization"]
# Producers must know what is accepted; consumers of what we write, what is always there.
SCHEMAS: tuple[tuple[type[BaseModel], str, Mode], ...] = (
    (VideoPosted, "video.posted.v1", "validation"),
    (Verdict, "video.verdicts.v1", "serialization"),
    (DeadLetter, "video.dead.v1", "serialization"),
    (AlertRouted, SCHEMA, "serialization"),
)


def documents() -> dict[str, str]:
    """Every generated document: path under the project → content."""
    schemas = {f"docs/schemas/{name}.schema.json": _schema(event, name, mode) for event, name, mode in SCHEMAS}
    return {**schemas, "docs/settings.md": _settings(), "docs/topics.md": _topics()}


def write(root: Path) -> list[str]:
    """Write what is stale; returns its paths."""
    changed = stale(root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(documents()[path], encoding="utf-8")
    return changed


def stale(root: Path) -> list[str]:
    """The documents that are missing or say something else than the code."""
    return [path for path, content in documents().items() if _read(root / path) != content]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _schema(event: type[BaseModel], name: str, mode: Mode) -> str:
    body = event.model_json_schema(by_alias=True, mode=mode)
    head = {"$schema": DIALECT, "$id": f"urn:clipwarden:{name}", "title": name}
    return json.dumps({**body, **head}, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _settings() -> str:
    parts = ["# Settings", WRITTEN_BY, SETTINGS_SAY]
    for section, rows in groupby(settings_table(), key=lambda row: _section_of(row[0])):
        parts += [f"## {section}", _purpose(section), _table(("variable", "type", "default"), map(_setting, rows))]
    return "\n\n".join(parts) + "\n"


def _section_of(variable: str) -> str:
    return variable.removeprefix(PREFIX).partition("__")[0].lower()


def _purpose(section: str) -> str:
    return (Settings.model_fields[section].annotation.__doc__ or "").strip()


def _setting(row: tuple[str, str, str]) -> tuple[str, ...]:
    variable, kind, default = row
    value = ",".join(ast.literal_eval(default)) if kind.startswith("tuple") else default
    shown = OF_THE_MACHINE.get(variable) or (f"`{value}`" if value else "empty")
    return f"`{variable}`", f"`{kind.replace('pathlib.', '')}`", shown


def _topics() -> str:
    head = ("topic", "key", "written by", "read by", "partitions", "kept", "largest record")
    return "\n\n".join(("# Topics", WRITTEN_BY, TOPICS_SAY, _table(head, map(_topic, TOPICS)))) + "\n"


def _topic(topic: Topic) -> tuple[str, ...]:
    days, largest_mib = topic.retention_h // 24, topic.max_message_bytes // 2**20
    readers = ", ".join(topic.readers)
    return f"`{topic.name}`", topic.key, topic.writer, readers, str(topic.partitions), f"{days} d", f"{largest_mib} MiB"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells)


def main(argv: Sequence[str]) -> int:
    """Write, or with `--check` only look; the exit code is 1 when a document is stale."""
    parser = argparse.ArgumentParser(prog="python -m operations.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a document is stale")
    if not parser.parse_args(argv).check:
        for path in write(ROOT):
            sys.stderr.write(f"{path} written\n")
        return 0
    found = stale(ROOT)
    for path in found:
        sys.stderr.write(f"{path} is stale; run: make docs\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
