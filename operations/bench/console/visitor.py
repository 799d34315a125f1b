"""A client of the console without a browser: it speaks Streamlit's protocol, and leaves out what it would draw."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from core.errors import DependencyError
from dashboard.seats import COOKIE
from operations.bench.console.looks import Look

TIMEOUT_S = 60.0
_ENDED = ForwardMsg.FINISHED_SUCCESSFULLY


class Visitor:
    """One open tab of a person who is signed in; opened and closed with the block.

    Args:
        address: host:port of the console.
        token: of the person's session.
    """

    def __init__(self, address: str, token: str) -> None:
        self._url = f"http://{address}"
        self._token = token
        self._open = ExitStack()
        self._due: dict[str, tuple[float, float]] = {}

    def __enter__(self) -> Self:
        with self._heard():
            calling = connect(
                f"{self._url.replace('http', 'ws', 1)}/_stcore/stream",
                additional_headers={"Cookie": f"{COOKIE}={self._token}"},
                subprotocols=[Subprotocol("streamlit")],
                open_timeout=TIMEOUT_S,
                max_size=None,
                proxy=None,
            )
            self._socket = self._open.enter_context(calling)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def open(self, look: Look, query: str) -> float:
        """Ask for a page and wait for the end of its script; the seconds between the two.

        Raises:
            DependencyError: another page came, or none in time.
        """
        self._due.clear()
        started_s = time.perf_counter()
        self._ask(page=look.path, query=query)
        seen = self._until_finished(started_s + TIMEOUT_S)
        took_s = time.perf_counter() - started_s
        if look.title not in seen:
            raise DependencyError(f"{look.name} was not drawn, but: {', '.join(sorted(seen)) or 'nothing'}")
        return took_s

    def stay(self, seconds: float) -> int:
        """Look at the page as a browser does, which asks for its living parts again and again; how often it asked."""
        until_s, asked = time.monotonic() + seconds, 0
        while (now_s := time.monotonic()) < until_s:
            for fragment, (at_s, every_s) in list(self._due.items()):
                if at_s <= now_s:
                    self._due[fragment] = (at_s + every_s, every_s)
                    self._ask(fragment=fragment)
                    asked += 1
            next_s = min([until_s, *(at_s for at_s, _ in self._due.values())])
            self._receive(next_s - time.monotonic())
        return asked

    def _ask(self, *, page: str = "", query: str = "", fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.page_name, state.query_string = page, query
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        state.context_info.timezone, state.context_info.locale = "Etc/UTC", "en-US"
        state.context_info.url, state.context_info.color_scheme = self._url, "light"
        with self._heard():
            self._socket.send(message.SerializeToString())

    def _until_finished(self, until_s: float) -> set[str]:
        """The titles that came until then."""
        titles: set[str] = set()
        has_begun = False
        while time.perf_counter() < until_s:
            message = self._receive(until_s - time.perf_counter())
            if message is None:
                continue
            # What a living part of the page before still says, belongs to no page that was asked for.
            has_begun |= message.HasField("new_session") and not message.metadata.run.fragment_ids
            if has_begun and message.HasField("delta") and message.delta.new_element.HasField("heading"):
                titles.add(message.delta.new_element.heading.body)
            if has_begun and message.HasField("script_finished") and message.script_finished == _ENDED:
                return titles
        raise DependencyError(f"{self._url} did not finish a page within {TIMEOUT_S:.0f} s")

    def _receive(self, timeout_s: float) -> ForwardMsg | None:
        """The next message; None when none came. What it says of the page's living parts is kept."""
        try:
            with self._heard():
                body = self._socket.recv(timeout=max(0.0, timeout_s), decode=False)
        except TimeoutError:
            return None
        message = ForwardMsg()
        message.ParseFromString(body)
        if message.HasField("auto_rerun"):
            every_s = message.auto_rerun.interval
            self._due.setdefault(message.auto_rerun.fragment_id, (time.monotonic() + every_s, every_s))
        return message

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except WebSocketException as error:
            raise DependencyError(f"{self._url} hung up: {error}") from error
