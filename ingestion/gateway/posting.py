"""`POST /v1/videos`: a file in a form, a link or a text, and what is answered."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

from python_multipart.multipart import parse_options_header
from starlette.requests import Request
from starlette.responses import Response

from core.errors import InputError, MediaEmpty
from core.storage.api_keys import ApiKey, Scope
from core.telemetry import GATEWAY_BYTES
from ingestion.gateway.answers import answer
from ingestion.gateway.body import BodyLimits, chunks, whole
from ingestion.gateway.door import Door
from ingestion.gateway.fields import FILE, MAX_FIELDS_BYTES, PostFields
from ingestion.gateway.form import FormParser, PartEnd, PartStart, Piece
from ingestion.gateway.limits import Limits
from ingestion.gateway.reception import Arrival, Media, Reception, Taken
from ingestion.gateway.refusals import BodyTooLarge, FieldRefused, RequestMalformed
from ingestion.gateway.upload import Received, Shelf, Upload
from ingestion.links import link_key, normalised

FORM_OVERHEAD_BYTES = 2 * MAX_FIELDS_BYTES
MAX_IDEMPOTENCY_KEY_CHARS = 128

Judge = Callable[[Path, int], str]
"""A spooled file and its size → its content type; raises MediaError or IngestError."""

T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """What posting needs.

    Attributes:
        max_bytes: of one file.
        on_taken: is told that there may be an event to send.
    """

    door: Door
    limits: Limits
    reception: Reception
    judge: Judge
    shelf: Shelf
    pool: Executor
    body: BodyLimits
    max_bytes: int
    on_taken: Callable[[], None]


class Posting:
    """Serves the endpoint."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def post(self, request: Request) -> Response:
        """Serve one request; what is refused raises."""
        key = await self._desk.door.admit(request, Scope.POST)
        await self._in_pool(self._desk.reception.check_open)
        idempotency_key = _idempotency_key(request)
        content_type = request.headers.get("content-type", "")
        kind, _ = parse_options_header(content_type)
        if kind == b"application/json":
            return self._taken(await self._json(request, key, idempotency_key))
        parser = FormParser(content_type)
        with self._desk.limits.upload(key.key_id):
            return self._taken(await self._form(request, parser, key, idempotency_key))

    def _taken(self, taken: Taken) -> Response:
        self._desk.on_taken()
        return _answer(taken)

    async def _json(self, request: Request, key: ApiKey, idempotency_key: str | None) -> Taken:
        body = await whole(request, self._limits(MAX_FIELDS_BYTES))
        fields = PostFields.parse_json(body)
        arrival = _arrival(key, idempotency_key, fields, None)
        if fields.link is not None:
            return await self._in_pool(partial(self._desk.reception.link, arrival))
        if not fields.caption:
            raise FieldRefused("send a link or a caption, or a file in a form")
        return await self._in_pool(partial(self._desk.reception.take, arrival, None))

    async def _form(self, request: Request, parser: FormParser, key: ApiKey, idempotency_key: str | None) -> Taken:
        async with self._upload() as upload:
            reading = _FormReading(upload, self._desk.max_bytes)
            async for chunk in chunks(request, self._limits(self._desk.max_bytes + FORM_OVERHEAD_BYTES)):
                for piece in parser.feed(chunk):
                    await reading.take(piece)
            parser.finish()
            fields = reading.fields()
            received = await upload.finish()
            GATEWAY_BYTES.inc(received.size_bytes)
            arrival = _arrival(key, idempotency_key, fields, received.sha256)
            return await self._in_pool(partial(self._post, arrival, upload, received))

    def _post(self, arrival: Arrival, upload: Upload, received: Received) -> Taken:
        try:
            content_type = self._desk.judge(received.spool, received.size_bytes)
        except InputError as error:
            self._desk.reception.refuse(arrival, error)
            raise
        media = Media(upload.uri, received.sha256, received.size_bytes, content_type, upload.store)
        return self._desk.reception.take(arrival, media)

    @asynccontextmanager
    async def _upload(self) -> AsyncIterator[Upload]:
        upload = Upload(self._desk.shelf, uuid.uuid4().hex, self._desk.pool)
        try:
            yield upload
        finally:
            await upload.close()

    def _limits(self, max_bytes: int) -> BodyLimits:
        return BodyLimits(self._desk.body.idle_s, self._desk.body.total_s, max_bytes)

    def _in_pool(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        return asyncio.get_running_loop().run_in_executor(self._desk.pool, work)


class _FormReading:
    """Sorts a form's pieces: the file's into the upload, the fields' into memory, which is bounded."""

    def __init__(self, upload: Upload, max_bytes: int) -> None:
        self._upload = upload
        self._max_bytes = max_bytes
        self._values: list[tuple[str, bytearray]] = []
        self._fields_bytes = 0
        self._has_file = False
        self._is_in_file = False

    async def take(self, piece: Piece) -> None:
        """The next piece."""
        if isinstance(piece, PartStart):
            self._start(piece)
        elif isinstance(piece, PartEnd):
            self._is_in_file = False
        elif self._is_in_file:
            await self._write(piece)
        else:
            self._keep(piece)

    def fields(self) -> PostFields:
        """The fields, once the form is whole and has a file."""
        if not self._has_file:
            raise RequestMalformed(f"the form holds no file: name the field {FILE!r}")
        if self._upload.size_bytes == 0:
            raise MediaEmpty("the file has no bytes")
        return PostFields.parse_form((name, bytes(value)) for name, value in self._values)

    def _start(self, start: PartStart) -> None:
        self._is_in_file = start.name == FILE
        if self._is_in_file and self._has_file:
            raise RequestMalformed("the form holds two files: send one at a time")
        if start.is_file and not self._is_in_file:
            raise RequestMalformed(f"the form's file must be the field {FILE!r}")
        self._has_file |= self._is_in_file
        if not self._is_in_file:
            self._count(len(start.name.encode()) + 1)
            self._values.append((start.name, bytearray()))

    def _keep(self, data: memoryview) -> None:
        self._count(len(data))
        self._values[-1][1].extend(data)

    def _count(self, nbytes: int) -> None:
        self._fields_bytes += nbytes
        if self._fields_bytes > MAX_FIELDS_BYTES:
            raise BodyTooLarge(f"the form's fields are over {MAX_FIELDS_BYTES} bytes")

    async def _write(self, data: memoryview) -> None:
        if self._upload.size_bytes + len(data) > self._max_bytes:
            raise BodyTooLarge(f"the file is over {self._max_bytes} bytes")
        await self._upload.write(data)


def _idempotency_key(request: Request) -> str | None:
    text = request.headers.get("idempotency-key")
    if text is None:
        return None
    if not (0 < len(text) <= MAX_IDEMPOTENCY_KEY_CHARS and text.isascii() and text.isprintable()):
        raise RequestMalformed(f"Idempotency-Key: 1 to {MAX_IDEMPOTENCY_KEY_CHARS} printable ASCII characters")
    return text


def _arrival(key: ApiKey, idempotency_key: str | None, fields: PostFields, sha256: str | None) -> Arrival:
    digest = fields.digest(sha256)
    own = f"upload:{key.key_id}:{idempotency_key or digest}"
    is_bound = idempotency_key is not None
    if fields.link is None:
        return Arrival(own, digest, fields, key.key_id, is_bound=is_bound)
    link = normalised(fields.link)
    item_key = own if is_bound else link_key(link)
    return Arrival(item_key, digest, fields, key.key_id, link=link, is_bound=is_bound)


def _answer(taken: Taken) -> Response:
    item = taken.item
    body = {
        "id": f"item:{item.item_id}",
        "video_id": item.video_id,
        "state": item.state.value,
        "sha256": item.sha256,
        "self": f"/v1/videos/{item.video_id or f'item:{item.item_id}'}",
    }
    headers = {"Location": body["self"] or "", **({"Idempotent-Replayed": "true"} if taken.is_replay else {})}
    return answer(body, HTTPStatus.ACCEPTED, headers)
