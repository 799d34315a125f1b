"""Stills: each viewer gets their own blur, and a page of them asks the database once a video."""

import asyncio
from http import HTTPStatus

import pytest
from starlette.requests import Request
from starlette.responses import Response

from core.access import Person, Role
from core.errors import MediaMissing
from core.events import Verdict
from dashboard import still_route
from dashboard.data.wellness import Blur, Veil, Wellness
from dashboard.still_route import VEIL_TTL_S, VERDICT_TTL_S
from tests.fixtures.console import Console
from tests.fixtures.stores import make_alert

LEAD = Person("le", "Lê", Role.LEAD)
VIEWER = Person("u_tester", "An", Role.ADMIN)


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Veil]]:
    """Stills without a decoder: what would have been made."""
    made: list[tuple[str, Veil]] = []

    def still(_self: object, verdict: Verdict, veil: Veil) -> bytes:
        made.append((verdict.verdict_id, veil))
        if verdict.media_uri is None:
            raise MediaMissing("none")
        return b"jpeg"

    monkeypatch.setattr("dashboard.stills.Stills.still", still)
    return made


def ask(video_id: str, query: str = "") -> Response:
    scope = {
        "type": "http",
        "method": "GET",
        "path_params": {"video_id": video_id},
        "query_string": query.encode(),
        "headers": [(b"cookie", b"clipwarden_session=x")],
    }
    return asyncio.run(still_route.still(Request(scope)))


def test_a_page_of_stills_asks_the_database_once_a_video(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    current = console.history.current
    monkeypatch.setattr(console.history, "current", lambda video_id: asked.append(video_id) or current(video_id))
    console.history.write([make_alert("v:1"), make_alert("v:2", offset=1)], [])

    for video_id in ("v:1", "v:2", "v:1", "v:2", "v:none", "v:none"):
        ask(video_id, "of=a")
    assert asked == ["v:1", "v:2", "v:none"]

    ask("v:1", "of=newer")
    console.clock.elapsed_s += VERDICT_TTL_S
    ask("v:2", "of=a")
    assert asked[3:] == ["v:1", "v:2"]


def test_who_may_not_see_verdicts_gets_no_still_that_another_saw(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    console.history.write([make_alert("v:1")], [])
    assert ask("v:1").status_code == HTTPStatus.OK

    monkeypatch.setattr("core.access.CAPABILITIES", {role: frozenset() for role in Role})

    assert ask("v:1").status_code == HTTPStatus.FORBIDDEN


def test_a_still_is_blurred_as_its_viewer_wishes_and_an_address_only_makes_it_stronger(
    console: Console, made: list[tuple[str, Veil]]
) -> None:
    console.history.write([make_alert("v:1")], [])
    console.desk.set_default(LEAD, Wellness(blur=Blur.LIGHT))
    for query in ("", "blur=light", "blur=strong", "blur=none"):
        ask("v:1", query)
    console.desk.set_own(VIEWER, {"blur": "medium"})
    console.clock.elapsed_s += VEIL_TTL_S
    for query in ("", "blur=light"):
        ask("v:1", query)

    assert [veil.blur for _, veil in made] == [
        Blur.LIGHT,
        Blur.LIGHT,
        Blur.STRONG,
        Blur.LIGHT,
        Blur.MEDIUM,
        Blur.MEDIUM,
    ]


def test_a_still_is_grey_as_its_viewer_wishes_or_as_its_address_says(
    console: Console, made: list[tuple[str, Veil]]
) -> None:
    console.history.write([make_alert("v:1")], [])
    for query in ("", "grey=1", "grey=<script>"):
        ask("v:1", query)
    console.desk.set_own(VIEWER, {"greyscale": True})
    console.clock.elapsed_s += VEIL_TTL_S
    for query in ("", "grey=0"):
        ask("v:1", query)

    assert [veil.greyscale for _, veil in made] == [False, True, False, True, True]
