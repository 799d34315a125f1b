"""The `Fetcher` that downloads: a pass for the gate and a process per link, both with an end."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from core.clock import SystemClock
from core.errors import DependencyError, IngestError
from core.errors_ingest import IngestRateLimited, IngestServerFailed, IngestTimeout, from_code
from core.settings_ingestion import IngestionSettings
from ingestion.cookies import check_cookies_file
from ingestion.download.order import FILE_NAME, Found, Order, Refusal, parse_answer
from ingestion.download.pace import Pace
from ingestion.egress.gate import Gate
from ingestion.egress.passes import Budget, Pass
from ingestion.fetch import Fetched
from ingestion.links import normalised

# No secrets, no proxy of the machine's and none to go around (NO_PROXY), no programs to find, no plugins.
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "MALLOC_ARENA_MAX": "1",
    "PATH": "",
    "PYTHONDONTWRITEBYTECODE": "1",
    "YTDLP_NO_PLUGINS": "1",
}
_GRACE_S = 5.0
_PAGES_BYTES = 32 * 1024 * 1024
"""What may be read beside the file: the pages that lead to it."""


class Downloader:
    """Fetches links, each in a process of its own; safe to use from any thread.

    Raises:
        ConfigError: the cookies file may not be used.
    """

    def __init__(self, gate: Gate, settings: IngestionSettings) -> None:
        self._gate = gate
        self._settings = settings
        self._cookies = None if settings.cookies_file is None else check_cookies_file(settings.cookies_file)
        self._budget = Budget(
            max_bytes=settings.download_max_bytes + _PAGES_BYTES,
            max_s=settings.download_max_s,
            max_redirects=settings.max_redirects,
        )
        self._lock = threading.Lock()
        self._at_work: set[subprocess.Popen[bytes]] = set()
        self._closed = threading.Event()
        self._pace = Pace(settings.download_pause_s, self._closed, clock=SystemClock())

    def fetch(self, link: str, into: Path) -> Fetched:
        """Fetch one video into an existing, empty folder, as `Fetcher` promises.

        Raises:
            IngestError: it was not fetched; the file, if there is one, is not whole.
            DependencyError: this was closed meanwhile.
        """
        link = normalised(link)
        self._pace.wait(link)
        with self._gate.admit(self._budget) as leave:
            answer = self._ask(self._order(link, into, leave), leave)
        if isinstance(answer, Refusal):
            # What the gate refused first is the cause; all that the client saw of it is a broken connection.
            raise leave.refusals[0] if leave.refusals else _to_error(answer)
        return _to_fetched(answer, into)

    def close(self) -> None:
        """Stop what is under way; those who wait for it get a DependencyError."""
        with self._lock:
            self._closed.set()
            for process in self._at_work:
                process.kill()

    def _order(self, link: str, into: Path, leave: Pass) -> Order:
        return Order(
            parent_pid=os.getpid(),
            link=link,
            into=str(into.resolve()),
            proxy_url=leave.proxy_url,
            proxy_port=leave.port,
            cookies_file=None if self._cookies is None else str(self._cookies),
            extractors=self._settings.extractors,
            max_bytes=self._settings.download_max_bytes,
            max_s=self._settings.download_max_s,
            max_redirects=self._settings.max_redirects,
            memory_bytes=self._settings.download_memory_bytes,
            bytes_per_s=self._settings.download_bytes_per_s,
            idle_s=self._settings.idle_timeout_s,
        )

    def _ask(self, order: Order, leave: Pass) -> Found | Refusal:
        with self._process() as process:
            try:
                said, _ = process.communicate(order.to_bytes(), timeout=order.max_s + _GRACE_S)
            except subprocess.TimeoutExpired as error:
                raise IngestTimeout(f"it took more than {order.max_s:g} s") from error
        try:
            return parse_answer(said)
        except ValueError as error:
            raise self._death(process.returncode, leave) from error

    @contextlib.contextmanager
    def _process(self) -> Iterator[subprocess.Popen[bytes]]:
        with self._lock:
            if self._closed.is_set():
                raise DependencyError("the downloader was closed; start it again to go on")
            process = subprocess.Popen(
                (sys.executable, "-m", "ingestion.download.child"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                # Ctrl-C in a terminal goes to its whole group; whoever started this ends it in its own time.
                start_new_session=True,
            )
            self._at_work.add(process)
        with process:
            try:
                yield process
            finally:
                process.kill()
                with self._lock:
                    self._at_work.discard(process)

    def _death(self, exit_code: int, leave: Pass) -> IngestError | DependencyError:
        if self._closed.is_set():
            return DependencyError("the downloader was closed in the middle of it")
        if leave.refusals:
            return leave.refusals[0]
        if exit_code == -signal.SIGXCPU:
            return IngestTimeout("reading its page took all the CPU time it may have")
        return IngestServerFailed(f"its page ended the process that read it (exit {exit_code})")


def _to_error(refusal: Refusal) -> IngestError:
    if refusal.code == IngestRateLimited.code:
        return IngestRateLimited(refusal.message, refusal.retry_after_s)
    return from_code(refusal.code, refusal.message)


def _to_fetched(found: Found, into: Path) -> Fetched:
    return Fetched(
        path=into / FILE_NAME,
        tool=found.tool,
        platform=found.platform,
        platform_id=found.platform_id,
        caption=found.caption,
        hashtags=found.hashtags,
        author_id=found.author_id,
        posted_at=_instant(found.posted_at_s),
    )


def _instant(posted_at_s: float | None) -> datetime | None:
    try:
        return None if posted_at_s is None else datetime.fromtimestamp(posted_at_s, UTC)
    except (ValueError, OverflowError, OSError):
        # A page may claim any year.
        return None
