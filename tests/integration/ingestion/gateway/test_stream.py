"""The stream of a video's events: its states, its verdict, and an end whoever leaves first."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from core.storage.history import TimescaleHistory
from tests.fixtures.gateway import GatewayProcess, Start, read_events
from tests.fixtures.stores import eventually, make_verdict

pytestmark = pytest.mark.integration

Clip = Callable[..., bytes]


@contextmanager
def following(gateway: GatewayProcess, video_id: str) -> Iterator[Iterator[tuple[str, str]]]:
    url = gateway.url(f"/v1/videos/{video_id}/events")
    with httpx.stream("GET", url, headers=gateway.headers(), timeout=30, trust_env=False) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield read_events(answer.iter_lines())


def test_it_tells_the_state_and_ends_with_the_verdict(gateway: GatewayProcess, make_clip: Clip) -> None:
    video_id = gateway.post(make_clip()).json()["video_id"]
    history = TimescaleHistory(gateway.platform.settings.store)

    with following(gateway, video_id) as events:
        name, state = next(events)
        assert (name, json.loads(state)["state"]) == ("state", "posted")
        history.write([make_verdict(video_id)], [])
        rest = dict(events)

    history.close()
    assert json.loads(rest["verdict"])["verdict"] == "safe"


def test_a_video_that_is_unknown_has_no_stream(gateway: GatewayProcess) -> None:
    assert gateway.get("/v1/videos/gw:never/events").status_code == 404


def test_a_stream_that_nobody_reads_lets_go_of_its_place(start_gateway: Start, make_clip: Clip) -> None:
    gateway = start_gateway(KEY_STREAMS=1)
    video_id = gateway.post(make_clip()).json()["video_id"]
    path = f"/v1/videos/{video_id}/events"

    with following(gateway, video_id) as events:
        next(events)
        assert gateway.get(path).status_code == 429

    def opens() -> bool:
        with httpx.stream("GET", gateway.url(path), headers=gateway.headers(), trust_env=False) as answer:
            return answer.status_code == 200

    eventually(opens)


def test_a_stream_ends_when_its_time_is_over(start_gateway: Start, make_clip: Clip) -> None:
    gateway = start_gateway(STREAM_S=1)
    video_id = gateway.post(make_clip()).json()["video_id"]

    with following(gateway, video_id) as events:
        assert list(events)[-1] == (":", ": ask again")


def test_a_stop_ends_the_streams(start_gateway: Start, make_clip: Clip) -> None:
    gateway = start_gateway()
    video_id = gateway.post(make_clip()).json()["video_id"]
    codes: list[int] = []

    with following(gateway, video_id) as events:
        next(events)
        stop = threading.Thread(target=lambda: codes.append(gateway.end(signal.SIGTERM)))
        stop.start()
        last = list(events)[-1]

    stop.join(30)
    assert (last, codes) == ((":", ": ask again"), [0])
