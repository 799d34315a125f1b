"""Chunks of a multipart/form-data body → its parts, as they come; at most one chunk is held."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ingestion.gateway.refusals import ContentTypeRefused, RequestMalformed

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_HEADERS = 8
MAX_HEADER_BYTES = 4_096


@dataclass(frozen=True)
class PartStart:
    """A field begins; a file's name is not kept, nothing may depend on it."""

    name: str
    is_file: bool


@dataclass(frozen=True)
class PartEnd:
    """It is whole."""


Piece: TypeAlias = PartStart | memoryview | PartEnd


class FormParser:
    """Reads one body.

    Args:
        content_type: the request's header, with the boundary.

    Raises:
        ContentTypeRefused: it names no form, or no boundary.
    """

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise ContentTypeRefused("send multipart/form-data with its boundary, or application/json")
        self._pieces: list[Piece] = []
        self._name, self._value = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._is_whole = False
        self._parser = self._of(options[b"boundary"])

    def feed(self, chunk: bytes) -> list[Piece]:
        """What the chunk holds; the views are into it.

        Raises:
            RequestMalformed: it is no such form.
        """
        self._pieces = []
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise RequestMalformed(f"the form cannot be read: {error}") from error
        return self._pieces

    def finish(self) -> None:
        """Raise RequestMalformed when the last boundary is missing."""
        if not self._is_whole:
            raise RequestMalformed("the form ends before its last boundary")

    def _of(self, boundary: bytes) -> MultipartParser:
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._headers_begin,
            "on_header_field": self._on_name,
            "on_header_value": self._on_value,
            "on_header_end": self._on_header,
            "on_headers_finished": self._on_start,
            "on_part_data": self._on_data,
            "on_part_end": lambda: self._pieces.append(PartEnd()),
            "on_end": self._on_end,
        }
        try:
            return MultipartParser(boundary, callbacks, max_header_count=MAX_HEADERS, max_header_size=MAX_HEADER_BYTES)
        except FormParserError as error:
            raise ContentTypeRefused(f"the form's boundary cannot be used: {error}") from error

    def _headers_begin(self) -> None:
        self._headers = {}
        self._name, self._value = b"", b""

    def _on_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _on_start(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition"))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if kind != b"form-data" or not name:
            raise RequestMalformed("a part of the form has no name")
        if b"content-transfer-encoding" in self._headers:
            raise RequestMalformed("send the form's parts as they are, without Content-Transfer-Encoding")
        self._pieces.append(PartStart(name, is_file=b"filename" in options))

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(memoryview(data)[start:end])

    def _on_end(self) -> None:
        self._is_whole = True
