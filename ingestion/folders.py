"""Folders → the files in them that are complete: what has stopped growing, each state of a file once."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.clock import Clock

SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".webm", ".mkv", ".avi", ".3gp", ".ts", ".flv", ".mpg", ".mpeg"})
SETTLE_S = 2.0
"""A file that stood still for so long is taken to be complete."""


def find_videos(paths: Iterable[Path]) -> list[Path]:
    """Files as named; folders searched for video files, sorted. Hidden ones are somebody's work in progress."""
    return [file for path in paths for file in (sorted(_inside(path)) if path.is_dir() else [path])]


def fingerprint(path: Path) -> str | None:
    """What changes whenever a file's content may have; None where there is no file."""
    try:
        status = path.lstat()
    except (OSError, ValueError):
        return None
    return f"{status.st_dev:x}-{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"


@dataclass
class _Seen:
    fingerprint: str
    since_s: float
    is_told: bool = False


class FolderWatch:
    """Looks into folders again and again; a file is told when it has not changed for `settle_s`.

    Looking costs one stat per file and works on every file system, also where nobody tells of changes (network,
    overlay). Whether a file was taken in an earlier life is the ledger's to know.
    """

    def __init__(self, folders: Sequence[Path], clock: Clock, *, settle_s: float = SETTLE_S) -> None:
        self._folders = folders
        self._clock = clock
        self._settle_s = settle_s
        self._seen: dict[Path, _Seen] = {}

    def look(self) -> list[Path]:
        """The files that became complete since the last look; one that is written to again is told again."""
        now_s = self._clock.monotonic_s()
        there = {path: mark for path in find_videos(self._folders) if (mark := fingerprint(path))}
        self._seen = {path: self._known(path, mark, now_s) for path, mark in there.items()}
        settled = [
            path for path, seen in self._seen.items() if not seen.is_told and now_s - seen.since_s >= self._settle_s
        ]
        for path in settled:
            self._seen[path].is_told = True
        return settled

    def _known(self, path: Path, mark: str, now_s: float) -> _Seen:
        seen = self._seen.get(path)
        return seen if seen and seen.fingerprint == mark else _Seen(mark, now_s)


def _inside(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (
            Path(where, name) for name in files if Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
        )
