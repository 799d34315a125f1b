"""First and last bytes → is this a video container, whole, and nothing else besides. Pure reading, no decoder."""

import os
import re

from core.errors_ingest import IngestTruncated, IngestTypeRefused

HEAD_BYTES = 1_024
_ISO_FIRST = frozenset({b"ftyp", b"styp", b"moov", b"moof", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_BOX_NAME = re.compile(rb"[\xa9 -~]{4}")
_MAX_BOXES = 100_000
_BOX_HEADER_BYTES = 8
_BEGINNINGS = (b"\x1aE\xdf\xa3", b"FLV\x01", b"OggS", b"GIF8", b"\x00\x00\x01\xba", b"0&\xb2u\x8ef\xcf\x11")
"""Matroska and WebM, Flash, Ogg, GIF, MPEG program stream, ASF."""

_TS_SYNC, _TS_PACKETS = 0x47, ((0, 188), (4, 192), (0, 204))
"""Where the first packet's sync byte lies in a transport stream, and how far on the next one."""

_STRANGERS = (
    (b"PK", "a zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"#EXT", "a playlist"),
    (b"[playlist]", "a playlist"),
    (b"ffconcat", "a playlist"),
    (b"<", "a page or drawing"),
    (b"%PDF-", "a PDF document"),
    (b"%!PS", "a PostScript program"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"#!", "a program"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"ID3", "a sound file"),
    (b"fLaC", "a sound file"),
    (b"RIFF", "a sound or picture file"),
)
_ZIP_END, _ZIP_END_BYTES, _ZIP_COMMENT_BYTES = b"PK\x05\x06", 22, 0xFFFF


def check_container(descriptor: int, size_bytes: int) -> None:
    """Read an open file's ends and the headers of its boxes.

    Raises:
        IngestTypeRefused: it is no video container, or something else as well, which another program would take it for.
        IngestTruncated: an MP4 or MOV that ends within one of its boxes.
    """
    head = os.pread(descriptor, HEAD_BYTES, 0)
    is_iso = head[4:8] in _ISO_FIRST
    if not (is_iso or _is_container(head)):
        raise IngestTypeRefused(f"its content is {_name(head)}, not a video")
    if b"%PDF-" in head:
        raise IngestTypeRefused("it is a video and a PDF document at once")
    if _ends_as_zip(descriptor, size_bytes):
        raise IngestTypeRefused("it is a video and a zip archive at once")
    if is_iso:
        _check_boxes(descriptor, size_bytes)


def _is_container(head: bytes) -> bool:
    is_avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    return is_avi or head.startswith(_BEGINNINGS) or _is_transport_stream(head)


def _is_transport_stream(head: bytes) -> bool:
    # Two packets that both end in their successor's sync byte: one such byte proves nothing.
    return any(
        len(head) > first + 2 * step and {head[first + n * step] for n in range(3)} == {_TS_SYNC}
        for first, step in _TS_PACKETS
    )


def _name(head: bytes) -> str:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return next((name for beginning, name in _STRANGERS if text.startswith(beginning)), "of a kind that is not taken")


def _ends_as_zip(descriptor: int, size_bytes: int) -> bool:
    # A zip is read from its end: behind any video, a whole archive may lie. Its last record counts the bytes after it.
    start = max(0, size_bytes - _ZIP_END_BYTES - _ZIP_COMMENT_BYTES)
    tail = os.pread(descriptor, size_bytes - start, start)
    place = tail.rfind(_ZIP_END)
    if place < 0 or len(tail) - place < _ZIP_END_BYTES:
        return False
    comment_bytes = int.from_bytes(tail[place + 20 : place + _ZIP_END_BYTES], "little")
    return place + _ZIP_END_BYTES + comment_bytes == len(tail)


def _check_boxes(descriptor: int, size_bytes: int) -> None:
    """The outermost boxes must end where the file does; what only the decoder can judge is left to it."""
    place = 0
    for _ in range(_MAX_BOXES):
        header = os.pread(descriptor, 16, place)
        length = _box_length(header)
        if length is None:
            return
        place += length
        if place > size_bytes:
            raise IngestTruncated(f"{size_bytes} bytes are there, its boxes need {place}; fetch it again")
    raise IngestTypeRefused(f"it holds more than {_MAX_BOXES} boxes")


def _box_length(header: bytes) -> int | None:
    """How long the box is; None where the boxes end: at the file's end, before padding, or at a box without length."""
    if not _BOX_NAME.fullmatch(header[4:8]):
        return None
    length = int.from_bytes(header[:4], "big")
    if length == 1:
        length = int.from_bytes(header[8:16], "big")
    return length if length >= _BOX_HEADER_BYTES else None
