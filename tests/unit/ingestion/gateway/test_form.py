"""A form's pieces are the same however its bytes are cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.gateway.form import FormParser, PartEnd, PartStart
from ingestion.gateway.refusals import ContentTypeRefused, RequestMalformed

BOUNDARY = "b0undary"
KIND = f"multipart/form-data; boundary={BOUNDARY}"


def form(file: bytes) -> bytes:
    caption = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="caption"\r\n\r\nxin ch\u00e0o\r\n'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="../a.mp4"\r\n\r\n'
    return caption.encode() + head.encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()


def read(parser: FormParser, chunks: list[bytes]) -> list[object]:
    """The pieces, neighbouring data joined."""
    found: list[object] = []
    for chunk in chunks:
        for piece in parser.feed(chunk):
            if isinstance(piece, memoryview) and found and isinstance(found[-1], bytes):
                found[-1] += bytes(piece)
            elif not isinstance(piece, memoryview) or len(piece):
                found.append(bytes(piece) if isinstance(piece, memoryview) else piece)
    return found


@given(
    file=st.one_of(st.binary(max_size=200), st.sampled_from([f"\r\n--{BOUNDARY}x".encode(), b"\r\n--", b"\r\r\n"])),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_pieces_are_the_same_however_the_body_is_cut(file: bytes, cuts: list[int]) -> None:
    body, parser = form(file), FormParser(KIND)
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]

    pieces = read(parser, [body[start:end] for start, end in itertools.pairwise(places)])
    parser.finish()

    data = [file] if file else []
    assert pieces == [PartStart("caption", is_file=False), "xin chào".encode(), PartEnd(), PartStart("file", is_file=True), *data, PartEnd()]  # fmt: skip  # noqa: E501


def test_a_form_that_ends_early_is_none() -> None:
    parser = FormParser(KIND)
    parser.feed(form(b"x")[:-6])

    with pytest.raises(RequestMalformed):
        parser.finish()


@pytest.mark.parametrize("kind", ["", "multipart/form-data", "text/plain; boundary=a", f"{KIND}{'x' * 1_000}"])
def test_without_a_usable_boundary_it_is_no_form(kind: str) -> None:
    with pytest.raises(ContentTypeRefused):
        FormParser(kind)
