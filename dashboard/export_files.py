"""Files that were exported, until their person has fetched them: the newest of each, for a quarter of an hour."""

import secrets
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.clock import Clock

KEPT_S = 900.0


@dataclass(frozen=True)
class ExportedFile:
    """One file.

    Attributes:
        token: names it in its address; nobody can guess it.
        name: what the browser saves it as.
    """

    token: str
    user_id: str
    body: BinaryIO
    name: str
    made_s: float


class ExportFiles:
    """Files without a name in any folder: however this process ends, nothing is left of them. Safe to share."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._files: dict[str, ExportedFile] = {}
        self._lock = threading.Lock()

    def room(self) -> BinaryIO:
        """A new, empty file, to be kept or closed; who writes it opens it at its `path_of`."""
        self._expire()
        return tempfile.TemporaryFile()

    def keep(self, user_id: str, body: BinaryIO, name: str) -> str:
        """Keep a written file for its person, in place of the one before; its token."""
        kept = ExportedFile(secrets.token_urlsafe(32), user_id, body, name, self._clock.monotonic_s())
        with self._lock:
            for old in [file for file in self._files.values() if file.user_id == user_id]:
                self._drop(old)
            self._files[kept.token] = kept
        return kept.token

    def open(self, token: str, user_id: str) -> tuple[BinaryIO, str] | None:
        """The person's own file, opened once more, and its name; None for another's, or one that is gone.

        Whoever fetches it goes on when another takes its place meanwhile.
        """
        self._expire()
        with self._lock:
            found = self._files.get(token)
            if found is None or found.user_id != user_id:
                return None
            return path_of(found.body).open("rb"), found.name

    def close(self) -> None:
        """Delete all of them."""
        with self._lock:
            for file in list(self._files.values()):
                self._drop(file)

    def _expire(self) -> None:
        oldest_s = self._clock.monotonic_s() - KEPT_S
        with self._lock:
            for file in [file for file in self._files.values() if file.made_s < oldest_s]:
                self._drop(file)

    def _drop(self, file: ExportedFile) -> None:
        file.body.close()
        del self._files[file.token]


def path_of(file: BinaryIO) -> Path:
    """Where this process, and no other, opens a file without a name once more; while it is open."""
    return Path(f"/proc/self/fd/{file.fileno()}")
