"""Hostile requests: each refused with a status, our code and one line, and nothing of it stays."""

import json
from collections.abc import Callable
from contextlib import closing

import httpx
import pytest

from core.storage.api_keys import Scope
from tests.fixtures.gateway import BOUNDARY, GatewayProcess, make_key, read_all
from tests.fixtures.stores import eventually

pytestmark = pytest.mark.integration

Clip = Callable[..., bytes]
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def part(name: str, content: bytes, *, filename: str | None = None, more: str = "") -> bytes:
    file = f'; filename="{filename}"' if filename is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n{more}\r\n'
    return head.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
FILE = part("file", b"<html>", filename="a.mp4")


def send(gateway: GatewayProcess, body: bytes, content_type: str = FORM) -> httpx.Response:
    headers = gateway.headers(Content_Type=content_type)
    return httpx.post(gateway.url(), content=body, headers=headers, timeout=30, trust_env=False)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "request.malformed"),
        (END, 400, "request.malformed"),
        (b"--another\r\n\r\n\r\n--another--", 400, "request.malformed"),
        (b"\x00" * 100_000, 400, "request.malformed"),
        (FILE, 400, "request.malformed"),
        (FILE + FILE + END, 400, "request.malformed"),
        (FILE + part("other", b"x", filename="b.mp4") + END, 400, "request.malformed"),
        (part("caption", b"no file") + END, 400, "request.malformed"),
        (part("caption", b"a") + part("caption", b"b") + FILE + END, 400, "request.malformed"),
        (part("file", b"x", filename="a.mp4", more="X-A: " + "a" * 100_000 + "\r\n") + END, 400, "request.malformed"),
        (part("file", b"x", filename="a.mp4", more="X-A: a\r\n" * 1_000) + END, 400, "request.malformed"),
        (part("file", b"eA==", more="Content-Transfer-Encoding: base64\r\n") + END, 400, "request.malformed"),
        (part("", b"x", filename="a.mp4") + END, 400, "request.malformed"),
        (part("file", b"", filename="a.mp4") + END, 422, "media.empty"),
        (FILE + END, 415, "ingest.type"),
        (part("file", b"\x00" * 4_096, filename="a.mp4") + END, 415, "ingest.type"),
        (part("caption", b"a\x00b") + FILE + END, 422, "request.field"),
        (part("caption", b"\xff\xfe") + FILE + END, 422, "request.field"),
        (part("caption", b"x" * 5_000_000) + FILE + END, 413, "request.too_large"),
        (part("caption", "ă".encode() * 20_001) + FILE + END, 422, "request.field"),
        (part("video_id", b"../../etc/passwd") + FILE + END, 422, "request.field"),
        (part("colour", b"red") + FILE + END, 422, "request.field"),
        (part("posted_at", b"yesterday") + FILE + END, 422, "request.field"),
        (b"".join(part(f"f{number}", b"x" * 1_000) for number in range(200)) + FILE + END, 413, "request.too_large"),
    ],
)
def test_a_form_that_cannot_be_used_is_refused(gateway: GatewayProcess, body: bytes, status: int, code: str) -> None:
    before = gateway.objects()

    answer = send(gateway, body)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert "\n" not in answer.json()["reason"]
    assert gateway.objects() == before
    assert not gateway.parts()
    assert not gateway.spooled()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "request.malformed"),
        (b"{", 400, "request.malformed"),
        (b"[" * 100_000, 400, "request.malformed"),
        (b"[]", 422, "request.field"),
        (b"{}", 422, "request.field"),
        (json.dumps({"caption": "a\x00b"}).encode(), 422, "request.field"),
        (json.dumps({"caption": "\ud800"}).encode(), 422, "request.field"),
        (json.dumps({"caption": "x" * 5_000_000}).encode(), 413, "request.too_large"),
        (json.dumps({"caption": 5}).encode(), 422, "request.field"),
        (json.dumps({"link": "file:///etc/passwd"}).encode(), 422, "ingest.scheme"),
        (json.dumps({"link": "http://user:pass@example.com/"}).encode(), 422, "ingest.link"),
        (json.dumps({"link": "https://example.com/" + "a" * 3_000}).encode(), 422, "request.field"),
    ],
)
def test_json_that_cannot_be_used_is_refused(gateway: GatewayProcess, body: bytes, status: int, code: str) -> None:
    answer = send(gateway, body, "application/json")

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "multipart/mixed; boundary=a", "", "video/mp4"])
def test_other_content_types_are_refused(gateway: GatewayProcess, kind: str) -> None:
    answer = send(gateway, FILE + END, kind)

    assert (answer.status_code, answer.json()["code"]) == (415, "request.content_type")


def test_a_file_over_the_limit_is_refused_before_it_is_read_and_while_it_is(
    gateway: GatewayProcess, make_clip: Clip
) -> None:
    max_bytes = gateway.platform.settings.decode.max_bytes

    with closing(gateway.half_upload(b"", length=10 * max_bytes)) as connection:
        stated = connection.recv(4_096)
    endless = _endless(gateway, max_bytes)

    assert b" 413 " in stated.split(b"\r\n")[0]
    assert b" 413 " in endless.split(b"\r\n")[0]
    eventually(lambda: not gateway.parts() and not gateway.spooled())


def _endless(gateway: GatewayProcess, max_bytes: int) -> bytes:
    """The answer to a body that never says how long it is, and never ends."""
    head = (
        f"POST /v1/videos HTTP/1.1\nHost: localhost\nAuthorization: Bearer {gateway.key}\n"
        f"Content-Type: {FORM}\nTransfer-Encoding: chunked\n\n"
    )
    start = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'.encode()
    block = bytes(1 << 20)
    with closing(gateway.raw(head, _chunk(start))) as connection:
        try:
            for _ in range(max_bytes // len(block) + 100):
                connection.sendall(_chunk(block))
        except OSError:
            pass
        return connection.recv(4_096)


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.mark.parametrize(
    "head",
    [
        "GET / HTTP/1.1\nHost: localhost\nX-Long: " + "a" * 200_000 + "\n\n",
        "GET / HTTP/1.1\nHost: localhost\n" + "".join(f"X-{number}: a\n" for number in range(20_000)) + "\n",
        "POST /v1/videos HTTP/1.1\nHost: localhost\nContent-Length: -5\n\n",
        "POST /v1/videos HTTP/1.1\nHost: localhost\nContent-Length: 5\nContent-Length: 6\n\n",
        "POST /v1/videos HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nContent-Length: 5\n\n",
        "\x00\x01\x02\n\n",
    ],
    ids=["long header", "many headers", "negative", "two lengths", "smuggled", "noise"],
)
def test_a_head_that_is_none_is_refused_and_the_connection_ends(gateway: GatewayProcess, head: str) -> None:
    with closing(gateway.raw(head)) as connection:
        answer = read_all(connection)

    assert b" 400 " in answer.split(b"\r\n")[0] or b" 401 " in answer.split(b"\r\n")[0] or not answer
    assert gateway.get("/openapi.json").status_code == 200


def test_who_has_no_key_or_not_this_scope_is_refused(gateway: GatewayProcess, make_clip: Clip) -> None:
    reader, clip = make_key(gateway.platform, Scope.READ), make_clip()

    wrong = [gateway.post(clip, key=key) for key in ("x", "cw_000000000000_" + "a" * 43, gateway.key[:-1] + "_")]
    none = httpx.post(gateway.url(), content=b"", trust_env=False)

    assert {answer.status_code for answer in (*wrong, none)} == {401}
    assert none.headers["www-authenticate"] == "Bearer"
    refused = gateway.post(clip, key=reader)
    assert (refused.status_code, refused.json()["code"]) == (403, "request.scope")


def test_a_path_or_method_that_is_none_says_so(gateway: GatewayProcess) -> None:
    assert gateway.get("/v2/videos").json()["code"] == "request.path"
    assert httpx.delete(gateway.url(), trust_env=False).json()["code"] == "request.method"
