"""Whether a process is alive, ready, and for what it waits; answered from a thread of its own on every stage."""

import json
import threading
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from core.errors import ConfigError


@dataclass(frozen=True)
class Check:
    """What one dependency or stage last said of itself."""

    ok: bool
    detail: str = ""


class Health:
    """The checks of one process; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checks: dict[str, Check] = {}

    def set(self, name: str, *, ok: bool, detail: str = "") -> None:
        """Note what a check says now."""
        with self._lock:
            self._checks[name] = Check(ok, detail)

    def checks(self) -> dict[str, Check]:
        """Every check by name."""
        with self._lock:
            return dict(self._checks)

    def is_ready(self) -> bool:
        """Whether every check is well; a process that has noted none is still starting."""
        checks = self.checks()
        return bool(checks) and all(check.ok for check in checks.values())

    def waiting_for(self) -> str:
        """The checks that are not well, in words; empty when ready."""
        bad = (
            f"{name}: {check.detail}" if check.detail else name for name, check in self.checks().items() if not check.ok
        )
        return "; ".join(bad)


class HealthServer:
    """Answers `/livez`, `/readyz` and `/metrics` (Prometheus) over HTTP, whatever the main thread does.

    Raises:
        ConfigError: the port is taken.
    """

    def __init__(self, port: int, health: Health, *, host: str = "127.0.0.1") -> None:
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(health))
        except OSError as error:
            raise ConfigError(f"HTTP port {port} on {host}: {error.strerror}; choose another port, or 0") from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on, also when 0 was asked for."""
        return int(self._server.server_address[1])

    def start(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            answer = {"/livez": self._live, "/readyz": self._ready, "/metrics": self._metrics}.get(self.path)
            if answer is None:
                self.send_error(HTTPStatus.NOT_FOUND)
            else:
                answer()

        def _live(self) -> None:
            self._send(HTTPStatus.OK, "application/json", b'{"live": true}')

        def _ready(self) -> None:
            ready = health.is_ready()
            checks = {name: asdict(check) for name, check in health.checks().items()}
            body = json.dumps({"ready": ready, "checks": checks}).encode()
            self._send(HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE, "application/json", body)

        def _metrics(self) -> None:
            self._send(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest())

        def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Probes every few seconds are no news."""

    return Handler
