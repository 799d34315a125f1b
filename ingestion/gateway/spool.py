"""The folder in which uploads wait, and the sweep behind those that ended otherwise: no file and no part is left."""

import fcntl
import os
import secrets
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

import structlog

from core.errors import ConfigError, ObjectsUnavailable
from core.storage.parts import S3Parts

SWEEP_S = 60.0
ALL_GATEWAYS = "videos/gateway-"
_NAME = "gateway"

_log = structlog.get_logger()


class Spool:
    """A folder of this process alone, emptied of what a killed one left.

    Its gateway has a name, kept in the folder: the keys of all its uploads begin with it, so that whatever is pending
    under that name after a kill is this one's to abort.

    Raises:
        ConfigError: another process has the folder, or it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.files = folder / "uploads"
        try:
            self.files.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = _locked(folder / _NAME)
        except OSError as error:
            raise ConfigError(
                f"{folder}: {error.strerror}; give each gateway a CLIPWARDEN_GATEWAY__WORK_DIR of its own"
            ) from error
        name = self._name()
        self.owner = f"gateway:{name}"
        self.prefix = f"{ALL_GATEWAYS}{name}/"
        for left in self.files.iterdir():
            left.unlink()

    def close(self) -> None:
        """Let another process have it."""
        self._file.close()

    def _name(self) -> str:
        self._file.seek(0)
        name = self._file.read().strip()
        if not name:
            name = secrets.token_hex(6)
            self._file.write(name)
            self._file.flush()
            os.fsync(self._file.fileno())
        return name


def _locked(path: Path) -> TextIO:
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise
    return file


class Sweeper:
    """Aborts uploads that nobody will complete: at the start, and then every minute what an outage left behind.

    Args:
        prefix: of this gateway's uploads, none of which is older than this process unless it was given up.
        max_age_s: longer than any upload takes; what is older is aborted, whichever gateway began it.
    """

    def __init__(self, parts: S3Parts, spool: Spool, *, max_age_s: float) -> None:
        self._parts = parts
        self._spool = spool
        self._max_age = timedelta(seconds=max_age_s)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweep", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(2.0)

    def sweep(self) -> int:
        """Abort what is left; returns how many uploads that were.

        Raises:
            ObjectsUnavailable: the store does not answer.
        """
        oldest = datetime.now(UTC) - self._max_age
        left = [
            upload
            for upload in self._parts.pending(ALL_GATEWAYS)
            if upload.begun_at < oldest
            or (upload.key.startswith(self._spool.prefix) and not self._is_alive(upload.key))
        ]
        for upload in left:
            self._parts.abort(upload)
        return len(left)

    def _is_alive(self, key: str) -> bool:
        # An upload has its spool file from before its first part until after its end.
        return (self._spool.files / key.rpartition("/")[2]).exists()

    def _run(self) -> None:
        while True:
            try:
                swept = self.sweep()
            except ObjectsUnavailable as error:
                _log.warning("sweep.waits", error=str(error))
            else:
                if swept:
                    _log.info("sweep.aborted", uploads=swept)
            if self._stop.wait(SWEEP_S):
                return
