"""GET /still/{video_id}: a blurred still of a video's worst moment, for who is signed in; never a clear pixel."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import anyio
import streamlit as st
from starlette.requests import Request
from starlette.responses import Response

from core.access import Capability, Person
from core.errors import DependencyError, MediaError
from core.errors_console import Forbidden
from core.events import VIDEO_ID_PATTERN, Verdict
from dashboard.callers import person_of
from dashboard.data.wellness import Blur, Veil, strongest
from dashboard.remembered import Remembered
from dashboard.resources import resources

AT_ONCE = 6
WAITING = 200
"""Requests that may wait for a thread; whoever comes later is told to come again."""
VEIL_TTL_S = 10.0
VERDICT_TTL_S = 30.0
"""A page of stills asks for each of its videos once in so long, however many look; a forgotten one is gone after it."""
MAX_ID_CHARS = 64
NOT_THERE = Path(__file__).with_name("no_still.svg").read_bytes()
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def still(request: Request) -> Response:
    """Answer one request; at most AT_ONCE work at a time, on threads that nothing else needs."""
    if _threads().statistics().tasks_waiting >= WAITING:
        return _answer(b"", HTTPStatus.SERVICE_UNAVAILABLE, **{"Retry-After": "1"})
    return await anyio.to_thread.run_sync(_still, request, limiter=_threads())


def _still(request: Request) -> Response:
    try:
        person = person_of(request)
        if person is None:
            return _answer(b"", HTTPStatus.FORBIDDEN)
        return _for(person, request.path_params["video_id"], request.query_params)
    except Forbidden:
        return _answer(b"", HTTPStatus.FORBIDDEN)
    except MediaError:
        return _nothing()
    except DependencyError:
        return _answer(b"", HTTPStatus.SERVICE_UNAVAILABLE, **{"Retry-After": "5"})


def _for(person: Person, video_id: str, asked: Mapping[str, str]) -> Response:
    person.require(Capability.SEE_VERDICTS)
    if re.fullmatch(VIDEO_ID_PATTERN, video_id) is None:
        return _nothing()
    verdict = _verdict(video_id, asked.get("of", ""))
    if verdict is None:
        return _nothing()
    picture = resources().stills.still(verdict, _veil(person, asked))
    return _answer(picture, HTTPStatus.OK, "image/jpeg", **{"Cache-Control": "private, max-age=600"})


def _verdict(video_id: str, of: str) -> Verdict | None:
    # Another verdict has another address: it is not kept from anybody by the one before.
    key = (video_id, of[:MAX_ID_CHARS])
    return _verdicts().get(key, lambda: resources().history.current(video_id)).value


def _veil(person: Person, asked: Mapping[str, str]) -> Veil:
    """The viewer's own; what the address asks for can only be stronger: the page may know of a wish before we do."""
    wish = _wishes().get(person.user_id, lambda: resources().wellness.of(person)).value
    blur = asked.get("blur", "")
    return Veil(
        strongest(wish.blur, Blur(blur)) if blur in set(Blur) else wish.blur, wish.greyscale or asked.get("grey") == "1"
    )


@st.cache_resource(show_spinner=False)
def _verdicts() -> Remembered:
    return Remembered(resources().clock, fresh_s=VERDICT_TTL_S)


@st.cache_resource(show_spinner=False)
def _wishes() -> Remembered:
    return Remembered(resources().clock, fresh_s=VEIL_TTL_S)


_limiters: list[anyio.CapacityLimiter] = []


def _threads() -> anyio.CapacityLimiter:
    # Made within the running loop, and once.
    if not _limiters:
        _limiters.append(anyio.CapacityLimiter(AT_ONCE))
    return _limiters[0]


def _nothing() -> Response:
    return _answer(NOT_THERE, HTTPStatus.NOT_FOUND, "image/svg+xml", **{"Cache-Control": "private, max-age=30"})


def _answer(body: bytes, status: HTTPStatus, content_type: str = "text/plain", **headers: str) -> Response:
    return Response(body, status, {"Cache-Control": "no-store", **_HEADERS, **headers}, content_type)
