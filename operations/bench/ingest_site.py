"""A site for the ingestion bench: small videos by number, and the failures that the world's sites have."""

import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TYPES = 20
GONE, NO_VIDEO, REPEAT, FAILS_ONCE, BREAKS_OFF_ONCE = 0, 1, 2, 4, 5
"""What the numbers modulo TYPES are; all others are videos."""


@contextmanager
def bench_videos(clip: Path) -> Iterator[str]:
    """Serve `/{number}`, each number another video; yields the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(clip.read_bytes()))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def of_video(number: int) -> int | None:
    """Which video a link leads to in the end: two numbers may have the same one, some have none."""
    kind = number % TYPES
    return None if kind in {GONE, NO_VIDEO} else number + (kind == REPEAT)


def _video(clip: bytes, number: int) -> bytes:
    """The clip with its number in a box that players skip: other bytes, the same video."""
    return clip + struct.pack(">I4sI", 12, b"free", number)


def _handler(clip: bytes) -> type[BaseHTTPRequestHandler]:
    asked: Counter[int] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = int(self.path.rpartition("/")[2])
            asked[number] += 1
            kind, is_first = number % TYPES, asked[number] == 1
            if kind == GONE:
                self.send_error(HTTPStatus.NOT_FOUND)
            elif kind == FAILS_ONCE and is_first:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            elif kind == NO_VIDEO:
                self._send(b"<html>no video</html>")
            else:
                body = _video(clip, of_video(number) or number)
                self._send(body, missing_bytes=100 if kind == BREAKS_OFF_ONCE and is_first else 0)

        def _send(self, body: bytes, *, missing_bytes: int = 0) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) - missing_bytes])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """A thousand downloads are no news."""

    return Handler
