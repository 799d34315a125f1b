"""One connection of a client to the gate: one request and its answer, or one tunnel, and then its end."""

import asyncio
import contextlib
import hmac
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus

from core.errors import IngestError
from core.errors_ingest import IngestServerFailed, IngestTimeout, IngestUnreachable
from ingestion.egress.head import (
    END,
    Fields,
    Request,
    field,
    parse_answer,
    parse_request,
    split_head,
    to_answer,
    to_credentials,
)
from ingestion.egress.passes import Pass
from ingestion.egress.peer import is_own
from ingestion.egress.route import Router, Streams

_CHUNK_BYTES = 64 * 1024
_NO_LINGER = struct.pack("ii", 1, 0)
_INTERIM = range(100, 200)
_LOST = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


@dataclass(frozen=True)
class Terms:
    """How long a head may take to come, and how long a connection may lie still."""

    head_s: float
    idle_s: float


class Exchange:
    """Serves one client connection and closes it."""

    def __init__(self, leave: Pass, router: Router, terms: Terms) -> None:
        self._leave = leave
        self._router = router
        self._terms = terms
        self._moved_at_s = 0.0
        self._is_answered = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Let one request pass, or say why not."""
        try:
            async with _closing(writer):
                await self._serve(reader, writer)
        except (IngestError, TimeoutError, *_LOST):
            # Noted, or the client's own doing: its connection was dropped, which is all that can be said now.
            return

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(self._terms.head_s):
            line, fields = split_head(await reader.readuntil(END))
        if not self._admits(fields, writer):
            return
        try:
            await self._pass_on(parse_request(line, fields), (reader, writer))
        except IngestError as error:
            self._leave.note(error)
            if self._is_answered:
                raise
            _refuse(writer, error)

    def _admits(self, fields: Fields, writer: asyncio.StreamWriter) -> bool:
        """Whether the client is the pass's holder; if not, it is told so."""
        if self._leave.token is None:
            if is_own(writer.get_extra_info("peername"), writer.get_extra_info("sockname")):
                return True
            writer.write(to_answer(HTTPStatus.FORBIDDEN, "not yours"))
        elif _has_token(fields, self._leave.token):
            return True
        else:
            challenge = [("Proxy-Authenticate", 'Basic realm="clipwarden"')]
            writer.write(to_answer(HTTPStatus.PROXY_AUTHENTICATION_REQUIRED, "a pass is needed", challenge))
        return False

    async def _pass_on(self, request: Request, client: Streams) -> None:
        server = await self._router.connect(request.host, request.port)
        self._touch()
        async with _closing(server[1]):
            if request.path is None:
                self._is_answered = True
                client[1].write(b"HTTP/1.1 200 Connection established" + END)
                await self._both_ways(client, server)
            else:
                await self._ask(request, client, server)

    async def _ask(self, request: Request, client: Streams, server: Streams) -> None:
        """One request in plain HTTP: its body by its length, the answer until the server closes."""
        if request.is_chunked:
            client[1].write(to_answer(HTTPStatus.LENGTH_REQUIRED, "say the body's length"))
            return
        await self._move(request.to_bytes(), server[1])
        try:
            await self._body(request.body_bytes, client[0], server[1])
            await self._answer(client[1], server[0])
        except TimeoutError as error:
            raise IngestTimeout(f"{request.host} let {self._terms.idle_s:g} s pass without a byte") from error

    async def _body(self, left_bytes: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left_bytes:
            data = await self._read(reader, min(left_bytes, _CHUNK_BYTES))
            if not data:
                raise ConnectionResetError("the client left in the middle of its request")
            left_bytes -= len(data)
            await self._move(data, writer)

    async def _answer(self, client: asyncio.StreamWriter, server: asyncio.StreamReader) -> None:
        answer = parse_answer(await self._head(server))
        while answer.status in _INTERIM:
            answer = parse_answer(await self._head(server))
        self._leave.follow(is_redirect=answer.is_redirect)
        self._is_answered = True
        await self._move(answer.to_bytes(), client)
        while data := await self._read(server, _CHUNK_BYTES):
            await self._move(data, client)

    async def _head(self, server: asyncio.StreamReader) -> bytes:
        try:
            async with asyncio.timeout(self._terms.idle_s):
                return await server.readuntil(END)
        except asyncio.IncompleteReadError as error:
            raise IngestUnreachable("the server closed the connection without an answer") from error
        except asyncio.LimitOverrunError as error:
            raise IngestServerFailed("the head of the server's answer has no end") from error

    async def _both_ways(self, client: Streams, server: Streams) -> None:
        """A tunnel, until both sides are done, or it lies still."""
        try:
            async with asyncio.TaskGroup() as group:
                ways = [
                    group.create_task(self._one_way(client[0], server[1])),
                    group.create_task(self._one_way(server[0], client[1])),
                ]
                group.create_task(self._watch(ways))
        except ExceptionGroup as group:
            raise group.exceptions[0] from group

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK_BYTES):
            await self._move(data, writer)
        if writer.can_write_eof():
            writer.write_eof()

    async def _watch(self, ways: list[asyncio.Task[None]]) -> None:
        while not all(way.done() for way in ways):
            still_s = asyncio.get_running_loop().time() - self._moved_at_s
            if still_s >= self._terms.idle_s:
                raise TimeoutError
            await asyncio.wait(ways, timeout=self._terms.idle_s - still_s, return_when=asyncio.ALL_COMPLETED)

    async def _read(self, reader: asyncio.StreamReader, most_bytes: int) -> bytes:
        async with asyncio.timeout(self._terms.idle_s):
            return await reader.read(most_bytes)

    async def _move(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        self._leave.spend(len(data))
        writer.write(data)
        async with asyncio.timeout(self._terms.idle_s):
            await writer.drain()
        self._touch()

    def _touch(self) -> None:
        self._moved_at_s = asyncio.get_running_loop().time()


def _has_token(fields: Fields, token: str) -> bool:
    given = field(fields, "proxy-authorization") or ""
    return hmac.compare_digest(given.encode("latin-1"), to_credentials(token).encode())


def _refuse(writer: asyncio.StreamWriter, error: IngestError) -> None:
    status = HTTPStatus.GATEWAY_TIMEOUT if error.is_passing else HTTPStatus.FORBIDDEN
    writer.write(to_answer(status, str(error), [("X-Clipwarden-Code", error.code)]))


@contextlib.asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close whatever happens; one that was cut short is dropped, so that its peer cannot take it for whole."""
    try:
        yield
    except BaseException:
        _drop(writer)
        raise
    writer.close()
    try:
        await asyncio.wait_for(writer.wait_closed(), 5)
    except (TimeoutError, OSError):
        _drop(writer)


def _drop(writer: asyncio.StreamWriter) -> None:
    """End it with a reset: after an ordinary end, a body without a stated length would look whole."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()
