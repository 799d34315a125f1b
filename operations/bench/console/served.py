"""A console of the bench's own: a process over given servers, and somebody who is signed in there."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from core.access import Person, Role
from core.errors import DependencyError
from core.errors_console import PersonRefused
from core.passwords import Passwords
from core.settings import PREFIX, Settings, process_environment
from core.storage.database import Database
from core.storage.people import People
from core.storage.sessions import Sessions
from operations.processes import CODE_DIR, check_http
from operations.state import LOOPBACK

NAME = "bench"
START_S = 60.0
_OPERATOR = Person("operator", "operator", Role.ADMIN)


class Console:
    """Starts with the block, ends with it, and can be started anew in between.

    Args:
        env: of the stores, as CLIPWARDEN_* variables.
        settings: the same as a value.
        log: where the console's lines go.
    """

    def __init__(self, env: Mapping[str, str], settings: Settings, *, log: Path) -> None:
        port = _free_port()
        self.address = f"{LOOPBACK}:{port}"
        self._command = (
            *(sys.executable, "-m", "streamlit", "run", str(CODE_DIR / "dashboard" / "app.py")),
            *("--server.address", LOOPBACK, "--server.port", str(port)),
        )
        self._env = {**process_environment(), **env, f"{PREFIX}SIGN_IN__ADDRESS": f"http://{self.address}"}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._database = Database(settings.store, NAME)
        passwords = Passwords()
        self._people, self._sessions = (
            People(self._database, passwords),
            Sessions(self._database, passwords, settings.sign_in),
        )

    def __enter__(self) -> Self:
        self.start_anew()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()
        self._database.close()

    def start_anew(self) -> None:
        """End the process and start another, which remembers nothing.

        Raises:
            DependencyError: it does not start.
        """
        self._stop()
        with self._log.open("ab") as log:
            self._process = _start(self._command, self._env, log)
        _wait(self._process, self.address, self._log)

    def link(self) -> str:
        """Where a browser enters, once."""
        return f"http://{self.address}/enter?link={self._people.link(_OPERATOR, self._person().user_id)}"

    def token(self) -> str:
        """A session's, for who comes without a browser."""
        return self._sessions.enter(self._people.link(_OPERATOR, self._person().user_id), address=LOOPBACK)

    def _person(self) -> Person:
        try:
            return self._people.find(_OPERATOR, NAME).person
        except PersonRefused:
            return self._people.add(_OPERATOR, NAME, Role.ADMIN)

    def _stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def _start(command: tuple[str, ...], env: Mapping[str, str], log: IO[bytes]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, env=env, cwd=CODE_DIR, stdout=log, stderr=log)  # noqa: S603 - our own module


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    until_s = time.monotonic() + START_S
    while process.poll() is None:
        try:
            check_http(f"http://{address}/_stcore/health")
        except DependencyError:
            if time.monotonic() > until_s:
                break
            time.sleep(0.1)
        else:
            return
    raise DependencyError(f"the console does not start; see {log}")


def _free_port() -> int:
    with socket.create_server((LOOPBACK, 0)) as found:
        return int(found.getsockname()[1])
