"""A post over HTTP is an object, a row and an event, each once."""

import hashlib
import json
from collections.abc import Callable

import httpx
import pytest

from core.events import VideoPosted
from core.storage.history import TimescaleHistory
from core.storage.ledger_pg import PostgresLedger
from core.storage.parts import MIN_PART_BYTES
from core.topics import VIDEO_POSTED
from tests.fixtures.clients import records
from tests.fixtures.gateway import GatewayProcess, Start, stored
from tests.fixtures.stores import eventually, make_verdict

pytestmark = pytest.mark.integration

Clip = Callable[..., bytes]


def events_of(gateway: GatewayProcess, video_id: str) -> list[VideoPosted]:
    found = records(gateway.platform, VIDEO_POSTED.name)
    return [VideoPosted.model_validate_json(value) for key, value in found if key == video_id.encode()]


@pytest.mark.parametrize("size_bytes", [0, 2 * MIN_PART_BYTES + 4_321], ids=["one part", "three parts"])
def test_a_file_becomes_an_object_and_an_event(
    gateway: GatewayProcess, make_clip: Clip, gateway_ledger: PostgresLedger, size_bytes: int
) -> None:
    clip = make_clip(size_bytes)

    answer = gateway.post(clip, caption="xin chào", hashtags="cats, dogs", platform="app")

    assert answer.status_code == 202, answer.text
    video_id = answer.json()["video_id"]
    assert answer.headers["location"] == f"/v1/videos/{video_id}"
    event = eventually(lambda: events_of(gateway, video_id))[0]
    assert (event.caption, event.hashtags, event.platform) == ("xin chào", ("cats", "dogs"), "app")
    assert event.sha256 == hashlib.sha256(clip).hexdigest()
    assert stored(gateway.platform.settings, event.media_uri or "") == clip
    assert [item.state for item in gateway_ledger.of_video(video_id)] == ["posted"]
    assert not gateway.parts()
    assert not gateway.spooled()


def test_a_caption_alone_is_a_post(gateway: GatewayProcess) -> None:
    answer = gateway.post_json({"caption": "only words", "video_id": "gw:words"})

    assert answer.status_code == 202, answer.text
    event = eventually(lambda: events_of(gateway, "gw:words"))[0]
    assert (event.media_uri, event.caption) == (None, "only words")


def test_a_link_waits_for_a_worker(gateway: GatewayProcess, gateway_ledger: PostgresLedger) -> None:
    answer = gateway.post_json({"link": "HTTPS://Example.com:443/clip.mp4#t=3", "caption": "there"})

    assert (answer.status_code, answer.json()["state"]) == (202, "found")
    item = gateway_ledger.item(int(answer.json()["id"].partition(":")[2]))
    assert item is not None
    assert (item.item_key, item.link) == ("link:https://example.com/clip.mp4", "https://example.com/clip.mp4")
    assert gateway.get(f"/v1/videos/{answer.json()['id']}").json()["state"] == "found"


def test_the_same_bytes_are_one_video_unless_their_sender_names_it(gateway: GatewayProcess, make_clip: Clip) -> None:
    clip = make_clip()

    first = gateway.post(clip, caption="first").json()
    again = gateway.post(clip, caption="again").json()
    named = gateway.post(clip, caption="named", video_id="gw:named").json()

    assert (again["state"], again["video_id"]) == ("repeated", first["video_id"])
    assert (named["state"], named["video_id"]) == ("posted", "gw:named")
    assert len(gateway.objects() & _keys_of(gateway, [first["video_id"], "gw:named"])) == 2


def _keys_of(gateway: GatewayProcess, video_ids: list[str]) -> set[str]:
    uris = [eventually(lambda: events_of(gateway, video_id))[0].media_uri or "" for video_id in video_ids]  # noqa: B023
    return {uri.removeprefix("s3://").partition("/")[2] for uri in uris}


def test_the_verdict_is_shown_with_the_state(gateway: GatewayProcess, make_clip: Clip) -> None:
    video_id = gateway.post(make_clip()).json()["video_id"]
    history = TimescaleHistory(gateway.platform.settings.store)
    assert gateway.get(f"/v1/videos/{video_id}").json()["verdict"] is None

    history.write([make_verdict(video_id)], [])

    shown = gateway.get(f"/v1/videos/{video_id}").json()
    history.close()
    assert (shown["state"], shown["verdict"]["verdict"]) == ("posted", "safe")
    assert "caption" not in json.dumps(shown)


def test_a_video_that_nobody_brought_is_unknown(gateway: GatewayProcess) -> None:
    for asked in ("gw:never", "item:999999999", "%2e%2e%2fetc", "x" * 200, "a%00b"):
        answer = gateway.get(f"/v1/videos/{asked}")
        assert (answer.status_code, answer.json()["code"]) in {(404, "request.unknown"), (404, "request.path")}


def test_the_api_tells_what_it_is_and_loads_nothing(gateway: GatewayProcess) -> None:
    schema = httpx.get(gateway.url("/openapi.json"), trust_env=False).json()
    page = httpx.get(gateway.url("/docs"), trust_env=False)

    assert set(schema["paths"]) == {"/v1/videos", "/v1/videos/{id}", "/v1/videos/{id}/events"}
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script" not in page.text
    assert "http" not in page.text.replace("http-equiv", "")


def test_what_an_operator_paused_is_refused_until_resumed(
    start_gateway: Start, make_clip: Clip, gateway_ledger: PostgresLedger
) -> None:
    gateway, clip = start_gateway(), make_clip()
    gateway_ledger.pause("gateway", "a test")

    paused = gateway.post(clip)
    gateway_ledger.resume("gateway")

    assert (paused.status_code, paused.json()["code"]) == (503, "request.paused")
    assert gateway.post(clip).status_code == 202


def test_probes_and_figures_are_where_every_process_has_them(gateway: GatewayProcess) -> None:
    base = f"http://127.0.0.1:{gateway.health_port}"

    ready = eventually(lambda: httpx.get(f"{base}/readyz", trust_env=False).json()["ready"])
    figures = httpx.get(f"{base}/metrics", trust_env=False).text

    assert ready
    assert "gateway_requests_total" in figures
