"""Heads of requests and answers as the gate reads them: strict, for what it does not understand it cannot judge."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from core.errors_ingest import IngestLinkInvalid, IngestSchemeRefused, IngestServerFailed

HTTP_PORT = 80
MAX_BYTES = 64 * 1024
END = b"\r\n\r\n"
# Between two neighbours only; the gate closes a connection after one exchange, so none is ever sent to a wrong host.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "upgrade"}
)
_FIELD = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*")
_REQUEST = re.compile(r"([A-Z]{3,16}) ([\x21-\x7e]+) HTTP/1\.[01]")
_STATUS = re.compile(r"HTTP/1\.[01] ([1-5]\d\d)(?: [^\x00\r\n]*)?")
# Clients on Python 3.11 leave out the brackets of an IPv6 address.
_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-f]*:[0-9a-f:.]+|[a-z0-9._-]+):(\d{1,5})", re.IGNORECASE)

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Request:
    """One request to the gate; `path` is None when it asks for a tunnel (CONNECT)."""

    method: str
    host: str
    port: int
    path: str | None
    fields: Fields

    @property
    def is_chunked(self) -> bool:
        """Whether its body says its length only by its end."""
        return field(self.fields, "transfer-encoding") is not None

    @property
    def body_bytes(self) -> int:
        """The length of its body."""
        return int(field(self.fields, "content-length") or 0)

    def to_bytes(self) -> bytes:
        """The head that goes to the server: the host is the one that was judged, whatever the client's field says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        authority = host if self.port == HTTP_PORT else f"{host}:{self.port}"
        kept = [pair for pair in self.fields if pair[0].lower() not in _HOP_BY_HOP | {"host"}]
        return _to_bytes(f"{self.method} {self.path} HTTP/1.1", [("Host", authority), *kept, ("Connection", "close")])


@dataclass(frozen=True)
class Answer:
    """The head of a server's answer."""

    status: int
    line: str
    fields: Fields

    @property
    def is_redirect(self) -> bool:
        """Whether it sends the client elsewhere."""
        return self.status in (301, 302, 303, 307, 308) and field(self.fields, "location") is not None

    def to_bytes(self) -> bytes:
        """The head that goes to the client."""
        kept = [pair for pair in self.fields if pair[0].lower() not in _HOP_BY_HOP]
        return _to_bytes(self.line, [*kept, ("Connection", "close")])


def split_head(head: bytes) -> tuple[str, Fields]:
    """The first line of a head, and its fields.

    Raises:
        IngestLinkInvalid: two readers could read it differently.
    """
    first, *rest = head.removesuffix(END).decode("latin-1").split("\r\n")
    fields = [match.groups() for match in map(_FIELD.fullmatch, rest) if match is not None]
    if len(fields) != len(rest):
        raise IngestLinkInvalid("a field of the head makes no sense")
    return first, tuple((name, value) for name, value in fields)


def parse_request(line: str, fields: Fields) -> Request:
    """Read a request.

    Raises:
        IngestSchemeRefused: it asks for something else than http, or a tunnel.
        IngestLinkInvalid: it makes no sense.
    """
    match = _REQUEST.fullmatch(line)
    if match is None or not (field(fields, "content-length") or "0").isdecimal():
        raise IngestLinkInvalid("the request is no HTTP; ask the gate as a proxy")
    method, target = match.groups()
    host, port, path = _tunnel(target) if method == "CONNECT" else _absolute(target)
    return Request(method, host, port, path, fields)


def parse_answer(head: bytes) -> Answer:
    """Read an answer's head.

    Raises:
        IngestServerFailed: it is no HTTP.
    """
    try:
        line, fields = split_head(head)
    except IngestLinkInvalid as error:
        raise IngestServerFailed("the server's answer is no HTTP") from error
    match = _STATUS.fullmatch(line)
    if match is None:
        raise IngestServerFailed("the server's answer is no HTTP")
    return Answer(int(match[1]), line, fields)


def field(fields: Fields, name: str) -> str | None:
    """The first value of a field, by its name in lower case."""
    return next((value for key, value in fields if key.lower() == name), None)


def to_answer(status: HTTPStatus, text: str, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    """An answer of the gate's own."""
    body = text.encode()
    head = [*fields, ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    return _to_bytes(f"HTTP/1.1 {status.value} {status.phrase}", [*head, ("Connection", "close")]) + body


def to_credentials(token: str) -> str:
    """What a client with this token sends as Proxy-Authorization."""
    return "Basic " + base64.b64encode(f"clipwarden:{token}".encode()).decode()


def _to_bytes(line: str, fields: Iterable[tuple[str, str]]) -> bytes:
    return "\r\n".join([line, *(f"{name}: {value}" for name, value in fields)]).encode("latin-1") + END


def _tunnel(target: str) -> tuple[str, int, None]:
    match = _AUTHORITY.fullmatch(target)
    if match is None:
        raise IngestLinkInvalid("a tunnel leads to host:port")
    return match[1].strip("[]").lower(), int(match[2]), None


def _absolute(target: str) -> tuple[str, int, str]:
    try:
        parts = urlsplit(target)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise IngestLinkInvalid("the address makes no sense") from error
    if parts.scheme != "http":
        raise IngestSchemeRefused(f"{parts.scheme or 'nothing'} is not fetched; http and https are")
    if not host or parts.username is not None:
        raise IngestLinkInvalid("the address names no host, or carries credentials")
    path = parts.path or "/"
    return host, HTTP_PORT if port is None else port, f"{path}?{parts.query}" if parts.query else path
