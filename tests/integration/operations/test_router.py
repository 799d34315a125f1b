"""The router against a receiver on loopback: signed, tried again, never led astray, and killed without a loss."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.routing_event import is_genuine
from core.storage.routes import DeliveryRow
from tests.fixtures.platform import Platform
from tests.fixtures.receiver import Receiver, answers, never_answers, never_ends, receiver, redirects, takes_its_time
from tests.fixtures.router import Desk, desk
from tests.fixtures.routes import LEAD
from tests.fixtures.stores import eventually

__all__ = ["desk", "receiver"]
pytestmark = pytest.mark.integration

CHECKOUT = Path(__file__).parents[3]


def test_an_alert_arrives_signed_with_what_it_is_about_and_no_caption(desk: Desk, receiver: Receiver) -> None:
    secret = desk.route(receiver.url)
    desk.flag(1)

    desk.turns(until=lambda: desk.routes.all(LEAD)[0].delivered)

    ((headers, body),) = receiver.came
    told = json.loads(body)
    assert is_genuine(secret, body, fields=headers, now=datetime.now(UTC))
    assert (told["alert"]["video_id"], told["alert"]["score"], told["caption"]) == ("v:1", 0.9, None)
    assert told["delivery_id"] == headers["Idempotency-Key"] == headers["X-Clipwarden-Delivery"]
    assert told["link"].endswith("/?video=v%3A1")
    assert "Proxy-Authorization" not in headers


def test_a_receiver_that_fails_gets_the_same_delivery_again(desk: Desk, receiver: Receiver) -> None:
    receiver.behave = answers(500, 503)
    desk.route(receiver.url)
    desk.flag(1)

    desk.turns(until=lambda: desk.routes.all(LEAD)[0].delivered)

    assert len(receiver.came) == 3
    assert len(set(receiver.ids())) == 1


def test_a_receiver_that_never_takes_it_leaves_a_dead_delivery_with_its_reason(desk: Desk, receiver: Receiver) -> None:
    receiver.behave = answers(*[500] * 9)
    desk.route(receiver.url)
    desk.flag(1)

    desk.turns(until=desk.is_dead)

    assert len(receiver.came) == 3
    assert desk.trouble().reason == "answered 500: so it is"


def test_a_redirect_is_not_followed_and_not_tried_again(desk: Desk, receiver: Receiver) -> None:
    receiver.behave = redirects(receiver.url)
    desk.route(receiver.url)
    desk.flag(1)

    desk.turns(until=desk.is_dead)

    assert len(receiver.came) == 1
    assert "redirects are not followed" in desk.trouble().reason


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{other}/hook",
        "http://localhost:{port}/hook",
        "http://[::1]:{port}/hook",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/hook",
        "http://0x7f.1/hook",
        "https://127.0.0.1/hook",
    ],
)
def test_an_address_that_is_not_public_or_allowed_is_never_asked(
    desk: Desk, receiver: Receiver, free_port: int, url: str
) -> None:
    desk.route(url.format(other=free_port, port=receiver.address.rpartition(":")[2]))
    desk.flag(1)

    desk.turns(until=desk.is_dead)

    assert receiver.came == []
    assert desk.trouble().reason.startswith("ingest.")


def test_an_answer_without_an_end_is_cut_and_its_beginning_is_text(desk: Desk, receiver: Receiver) -> None:
    receiver.behave = never_ends
    desk.route(receiver.url)
    desk.routes.send_test(LEAD, desk.route_id)

    def told() -> DeliveryRow | None:
        return next((one for one in desk.routes.told(LEAD, 1) if one.ended_at), None)

    desk.turns(until=told)

    found = told()
    assert found is not None
    assert found.state == "delivered"
    assert found.reason.startswith("<script>")
    assert len(found.reason) <= 300


def test_a_receiver_that_says_nothing_is_given_up_in_time(desk: Desk, receiver: Receiver) -> None:
    receiver.behave = never_answers
    desk.route(receiver.url)
    desk.flag(1)

    desk.turns(until=lambda: desk.routes.all(LEAD)[0].waiting == 0)

    assert desk.is_dead()
    assert len(receiver.came) == 3


def _start(platform: Platform, desk: Desk) -> subprocess.Popen[bytes]:
    own = {
        "CLIPWARDEN_STORE__DSN": desk.dsn,
        "CLIPWARDEN_ROUTING__ALLOW": ",".join(desk.settings.allow),
        "CLIPWARDEN_ROUTING__TIMEOUT_S": "0.5",
        "CLIPWARDEN_ROUTING__RETRY_S": "0.05",
        "CLIPWARDEN_ROUTING__MAX_ATTEMPTS": "30",
    }
    command = [sys.executable, "-m", "operations.router"]
    return subprocess.Popen(command, cwd=CHECKOUT, env={**os.environ, **platform.env, **own})


def test_kills_of_the_router_lose_nothing_and_each_alert_has_one_id(
    desk: Desk, platform: Platform, receiver: Receiver
) -> None:
    receiver.behave = takes_its_time
    desk.route(receiver.url)
    for first in range(0, 120, 30):
        desk.flag(*range(first, first + 30))
        seen = len(receiver.came)
        router = _start(platform, desk)
        eventually(lambda seen=seen: len(receiver.came) > seen + 3, within_s=30)
        router.send_signal(signal.SIGKILL)
        router.wait()
    assert desk.routes.all(LEAD)[0].delivered < 120

    # One more: a router that delivers it has begun, and hears when it is told to stop.
    desk.flag(120)
    count = 121
    router = _start(platform, desk)
    try:
        eventually(lambda: desk.routes.all(LEAD)[0].delivered == count, within_s=60)
    finally:
        router.terminate()
        assert router.wait(20) == 0

    told = {headers["X-Clipwarden-Delivery"]: json.loads(body)["alert"]["video_id"] for headers, body in receiver.came}
    assert sorted(told.values()) == sorted(f"v:{number}" for number in range(count))


def test_what_was_flagged_while_the_database_was_away_and_the_router_down_is_sent(
    desk: Desk, platform: Platform, receiver: Receiver
) -> None:
    desk.route(receiver.url)
    router = _start(platform, desk)
    try:
        pid = platform.kill("postgres")
        platform.wait_ready("postgres", after_pid=pid)
        with suppress(Exception):
            desk.history.ping()
        eventually(lambda: _flags(desk), within_s=30)

        eventually(lambda: receiver.came, within_s=30)
        assert router.poll() is None
    finally:
        router.terminate()
        router.wait(20)


def _flags(desk: Desk) -> bool:
    try:
        desk.flag(1)
    except Exception:  # noqa: BLE001 - it comes back when it does
        return False
    return True
