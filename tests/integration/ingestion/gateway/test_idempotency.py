"""The same request twice is one post with one answer; another request under the same key is refused."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.storage.items import Failure, Lease
from core.storage.ledger_pg import PostgresLedger
from tests.fixtures.gateway import GatewayProcess, Start, make_key
from tests.fixtures.stores import Line

pytestmark = pytest.mark.integration

Clip = Callable[..., bytes]


def test_the_same_request_again_gets_the_same_answer_and_leaves_no_second_object(
    gateway: GatewayProcess, make_clip: Clip
) -> None:
    clip = make_clip()
    first = gateway.post(clip, idempotency_key="order-1", caption="one")
    objects = gateway.objects()

    again = gateway.post(clip, idempotency_key="order-1", caption="one")

    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert gateway.objects() == objects


@pytest.mark.parametrize("changed", ["bytes", "caption"])
def test_another_request_under_the_same_key_is_refused(gateway: GatewayProcess, make_clip: Clip, changed: str) -> None:
    clip = make_clip()
    gateway.post(clip, idempotency_key=f"taken-{changed}", caption="one")

    other = make_clip() if changed == "bytes" else clip
    answer = gateway.post(other, idempotency_key=f"taken-{changed}", caption="one" if other != clip else "two")

    assert (answer.status_code, answer.json()["code"]) == (409, "request.idempotency")


def test_a_stolen_idempotency_key_is_another_callers_own(gateway: GatewayProcess, make_clip: Clip) -> None:
    mine, theirs = make_clip(), make_clip()
    first = gateway.post(mine, idempotency_key="shared")

    stolen = gateway.post(theirs, idempotency_key="shared", key=make_key(gateway.platform))

    assert stolen.status_code == 202
    assert stolen.json()["video_id"] != first.json()["video_id"]


def test_without_an_idempotency_key_the_same_request_is_still_one_post(
    gateway: GatewayProcess, make_clip: Clip
) -> None:
    clip = make_clip()

    answers = [gateway.post(clip, caption="same").json() for _ in range(2)]

    assert answers[0] == answers[1]


def test_the_same_request_twice_at_once_is_one_post(gateway: GatewayProcess, make_clip: Clip) -> None:
    clip = make_clip()

    with ThreadPoolExecutor(4) as callers:
        answers = list(callers.map(lambda _: gateway.post(clip, idempotency_key="race"), range(4)))

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 202}) == 1
    assert gateway.post(clip, idempotency_key="race").status_code == 202


@pytest.mark.parametrize("key", ["", "a" * 129, "tab\there"])
def test_an_idempotency_key_that_is_none_is_refused(gateway: GatewayProcess, make_clip: Clip, key: str) -> None:
    answer = gateway.post(make_clip(), idempotency_key=key)

    assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed")


def test_what_was_refused_is_refused_again_and_counted_once(
    gateway: GatewayProcess, gateway_ledger: PostgresLedger
) -> None:
    answers = [gateway.post(b"<html>", idempotency_key="page") for _ in range(2)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(415, "ingest.type")] * 2
    items = gateway_ledger.items(100, source="gateway", code="ingest.type")
    assert len([item for item in items if item.item_key.endswith(":page")]) == 1


def test_an_upload_that_a_worker_gave_up_is_taken_when_it_comes_again(
    start_gateway: Start, make_clip: Clip, gateway_ledger: PostgresLedger, to_s3: Line
) -> None:
    gateway, clip = start_gateway(MEDIA__ENDPOINT=f"127.0.0.1:{to_s3.port}"), make_clip()
    to_s3.cut()
    assert gateway.post(clip, idempotency_key="late").json()["code"] == "objects.unavailable"
    to_s3.restore()
    (item,) = (item for item in gateway_ledger.items(100) if item.item_key.endswith(":late"))
    gateway_ledger.release(item.lease_owner or "", [item.item_id])
    gateway_ledger.claim(Lease("a worker", 60), limit=100)
    gateway_ledger.refused("a worker", item.item_id, Failure("ingest.truncated", "its bytes never came"))

    answer = gateway.post(clip, idempotency_key="late")

    assert (answer.status_code, answer.json()["state"]) == (202, "posted"), answer.text
