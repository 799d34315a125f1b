"""An upload that ends otherwise leaves no object, no part and no file, however it ends."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest

from core.storage.ledger_pg import PostgresLedger
from core.storage.parts import MIN_PART_BYTES
from tests.fixtures.gateway import GatewayProcess, Start, read_all, stored
from tests.fixtures.stores import Line, eventually

pytestmark = pytest.mark.integration

Clip = Callable[..., bytes]
HALF = bytes(2 * MIN_PART_BYTES)
LENGTH = 10 * MIN_PART_BYTES


def is_clean(gateway: GatewayProcess) -> bool:
    return not gateway.parts() and not gateway.spooled()


def test_a_caller_that_hangs_up_leaves_nothing(gateway: GatewayProcess) -> None:
    before = gateway.objects()

    with closing(gateway.half_upload(HALF, length=LENGTH)):
        eventually(gateway.parts)

    eventually(lambda: is_clean(gateway))
    assert gateway.objects() == before


def test_a_body_that_stalls_is_refused_and_leaves_nothing(gateway: GatewayProcess) -> None:
    with closing(gateway.half_upload(HALF, length=LENGTH)) as connection:
        answer = read_all(connection)

    assert b" 408 " in answer.split(b"\r\n")[0]
    assert b"request.slow" in answer
    eventually(lambda: is_clean(gateway))


def test_a_head_that_drips_in_does_not_hold_its_connection(gateway: GatewayProcess) -> None:
    with closing(gateway.raw("POST /v1/videos HTTP/1.1\nHost: loc")) as connection:
        assert connection.recv(4_096) == b""


def test_a_file_that_is_no_video_is_aborted_after_its_last_part(gateway: GatewayProcess, make_clip: Clip) -> None:
    before = gateway.objects()
    broken = make_clip()[:40] + b"moov" + bytes(3 * MIN_PART_BYTES)

    answer = gateway.post(broken)

    assert answer.status_code in (415, 422), answer.text
    assert is_clean(gateway)
    assert gateway.objects() == before


def test_what_a_killed_gateway_left_is_swept_when_it_starts_again(start_gateway: Start, make_clip: Clip) -> None:
    gateway = start_gateway()
    with closing(gateway.half_upload(HALF, length=LENGTH)):
        eventually(gateway.parts)
        gateway.kill()
    assert gateway.parts()

    gateway.start()

    eventually(lambda: is_clean(gateway))
    assert gateway.post(make_clip()).status_code == 202


def test_a_gateway_leaves_the_uploads_of_others_alone(start_gateway: Start) -> None:
    one = start_gateway()
    with closing(one.half_upload(HALF, length=LENGTH)):
        mine = eventually(one.parts)

        start_gateway()

        assert one.parts() == mine
    eventually(lambda: is_clean(one))


def test_nothing_is_lost_or_doubled_by_kills_while_callers_ask_again(
    start_gateway: Start, make_clip: Clip, gateway_ledger: PostgresLedger
) -> None:
    gateway = start_gateway()
    clips = {f"kill-{number}": make_clip(number * 2_000_000) for number in range(4)}
    told: list[str] = []
    callers = [threading.Thread(target=_until_taken, args=(gateway, *clip, told)) for clip in clips.items()]
    for caller in callers:
        caller.start()

    for _ in range(2):
        eventually(gateway.spooled, within_s=30)
        gateway.kill()
        gateway.start()
    for caller in callers:
        caller.join(90)

    items = [item for item in gateway_ledger.items(1_000, source="gateway") if item.item_key.split(":")[-1] in clips]
    assert sorted(item.state for item in items) == ["posted"] * len(clips), Counter(told)
    for item in items:
        assert stored(gateway.platform.settings, item.media_uri or "") == clips[item.item_key.split(":")[-1]]
    eventually(lambda: is_clean(gateway))


def _until_taken(gateway: GatewayProcess, key: str, clip: bytes, told: list[str]) -> None:
    until_s, status = time.monotonic() + 80, 0
    while status != httpx.codes.ACCEPTED and time.monotonic() < until_s:
        try:
            answer = gateway.post(clip, idempotency_key=key)
        except httpx.TransportError as error:
            told.append(type(error).__name__)
        else:
            status = answer.status_code
            told.append(answer.text)
        time.sleep(0.5)


def test_a_stop_lets_an_upload_finish(start_gateway: Start, make_clip: Clip) -> None:
    gateway, answers = start_gateway(), []
    clip = make_clip(2 * MIN_PART_BYTES)
    caller = threading.Thread(target=lambda: answers.append(_slowly(gateway, clip)))
    caller.start()
    eventually(gateway.spooled)

    code = gateway.end(signal.SIGTERM)
    caller.join(30)

    assert code == 0
    assert answers[0].status_code == 202, answers[0].text


def _slowly(gateway: GatewayProcess, clip: bytes) -> httpx.Response:
    """Post a clip, the second half once the gateway was told to stop."""
    request = httpx.Request("POST", gateway.url(), files={"file": ("a.mp4", clip, "video/mp4")})
    body = request.read()

    def halves() -> Iterator[bytes]:
        yield body[: len(body) // 2]
        eventually(lambda: not _listens(gateway), within_s=30)
        yield body[len(body) // 2 :]

    headers = {**gateway.headers(), "Content-Type": request.headers["content-type"], "Content-Length": str(len(body))}
    return httpx.post(gateway.url(), content=halves(), headers=headers, timeout=30, trust_env=False)


def _listens(gateway: GatewayProcess) -> bool:
    try:
        gateway.raw("").close()
    except OSError:
        return False
    return True


def test_an_object_store_that_goes_away_is_said_and_its_parts_are_swept_later(
    start_gateway: Start, make_clip: Clip, to_s3: Line
) -> None:
    gateway = start_gateway(MEDIA__ENDPOINT=f"127.0.0.1:{to_s3.port}")
    with closing(gateway.half_upload(HALF, length=LENGTH)) as connection:
        eventually(gateway.parts)
        to_s3.cut()
        connection.sendall(HALF)
        answer = read_all(connection)
    to_s3.restore()

    assert b" 503 " in answer.split(b"\r\n")[0]
    assert b"retry-after" in answer
    assert not gateway.spooled()
    gateway.kill()
    gateway.start()
    eventually(lambda: is_clean(gateway))
    assert gateway.post(make_clip()).status_code == 202
