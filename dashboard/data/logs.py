"""The processes' logs on this machine: the end of one file, filtered; secrets are blacked out first."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.access import Capability, Person

TAIL_BYTES = 256 * 1024
MOST_LINES = 300
LINE_CHARS = 2_000
BLACKED = "\u2588\u2588\u2588"
LEVELS = ("debug", "info", "warning", "error", "critical")

_LEVEL = re.compile(r'\[(debug|info|warning|error|critical)\s*\]|"level": ?"(debug|info|warning|error|critical)"')
_SHAPES = (
    re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?i)(?<=password=)[^\s&'\"]+"),
    re.compile(r"(?i)(?<=X-Amz-Signature=)[0-9a-f]+"),
)
_SHORTEST_SECRET = 6


@dataclass(frozen=True)
class LogLine:
    """One line; what follows a line without a level of its own, as a traceback does, has that line's."""

    level: str
    text: str


class Logs:
    """Reads `*.log` of one folder for who may see the platform.

    Args:
        folder: where the supervisor writes them; None where there is none.
        secrets: values that must never be shown, whatever stands around them.
    """

    def __init__(self, folder: Path | None, secrets: Iterable[str] = ()) -> None:
        self._folder = folder
        self._secrets = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]

    def names(self, person: Person) -> list[str]:
        """The processes that have a log here; empty where logs are not on this machine."""
        person.require(Capability.SEE_PLATFORM)
        if self._folder is None or not self._folder.is_dir():
            return []
        return sorted(path.stem for path in self._folder.glob("*.log"))

    def tail(self, person: Person, name: str, *, least: str, words: str) -> Sequence[LogLine]:
        """The last lines of a process, oldest first: of this level or worse, that hold these words.

        At most TAIL_BYTES are read, whatever the file's size, and MOST_LINES returned.
        """
        if name not in self.names(person) or self._folder is None:
            return []
        found = [line for line in _lines(self._end_of(self._folder / f"{name}.log")) if _passes(line, least, words)]
        return [LogLine(line.level, self._black(line.text)) for line in found[-MOST_LINES:]]

    def _end_of(self, path: Path) -> str:
        try:
            with path.open("rb") as file:
                whole = file.seek(0, 2)
                file.seek(max(0, whole - TAIL_BYTES))
                body = file.read(TAIL_BYTES)
        except FileNotFoundError:
            return ""
        text = body.decode("utf-8", "replace")
        return text.partition("\n")[2] if whole > TAIL_BYTES else text

    def _black(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, BLACKED)
        for shape in _SHAPES:
            text = shape.sub(BLACKED, text)
        return text[:LINE_CHARS]


def _lines(text: str) -> Iterable[LogLine]:
    level = "info"
    for line in text.split("\n"):
        if line.strip():
            found = _LEVEL.search(line)
            level = (found[1] or found[2]) if found else level
            yield LogLine(level, line)


def _passes(line: LogLine, least: str, words: str) -> bool:
    return LEVELS.index(line.level) >= LEVELS.index(least) and words.casefold() in line.text.casefold()
