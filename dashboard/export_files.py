"""Files that were exported, until their person has fetched them: the newest of each, for a quarter of an hour."""

import secrets
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

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
    path: Path
    name: str
    made_s: float


class ExportFiles:
    """A folder that only this process reads; it goes with the process. Safe to share between threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._folder = tempfile.TemporaryDirectory(prefix="clipwarden-export-")
        self._files: dict[str, ExportedFile] = {}
        self._lock = threading.Lock()

    def room(self) -> Path:
        """Where a new file may be written."""
        self._expire()
        return Path(self._folder.name, secrets.token_hex(8))

    def keep(self, user_id: str, path: Path, name: str) -> ExportedFile:
        """Keep a written file for its person, in place of the one before."""
        kept = ExportedFile(secrets.token_urlsafe(32), user_id, path, name, self._clock.monotonic_s())
        with self._lock:
            for old in [file for file in self._files.values() if file.user_id == user_id]:
                self._drop(old)
            self._files[kept.token] = kept
        return kept

    def find(self, token: str, user_id: str) -> ExportedFile | None:
        """The person's own file; None for another's, or one that is gone."""
        self._expire()
        with self._lock:
            found = self._files.get(token)
        return found if found is not None and found.user_id == user_id else None

    def close(self) -> None:
        """Delete all of them."""
        self._folder.cleanup()

    def _expire(self) -> None:
        oldest_s = self._clock.monotonic_s() - KEPT_S
        with self._lock:
            for file in [file for file in self._files.values() if file.made_s < oldest_s]:
                self._drop(file)

    def _drop(self, file: ExportedFile) -> None:
        # A download that runs goes on: its file is open.
        file.path.unlink(missing_ok=True)
        del self._files[file.token]
