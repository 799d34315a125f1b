"""`GET /v1/videos/{id}` and its stream: how far a video came, and what was decided about it."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from core.errors import DependencyError
from core.events import VIDEO_ID_PATTERN, Verdict
from core.storage.api_keys import Scope
from core.storage.ledger import Item, ItemState, Ledger
from core.storage.ports import VerdictHistory
from ingestion.gateway.answers import answer, event
from ingestion.gateway.door import Door
from ingestion.gateway.limits import Limits
from ingestion.gateway.refusals import VideoUnknown

POLL_S = 0.5
BEAT_S = 10.0
_ITEM = re.compile(r"item:([0-9]{1,18})")
_VIDEO_ID = re.compile(VIDEO_ID_PATTERN)
_SHOWN = {
    *("verdict_id", "verdict", "action", "mode", "label", "score", "label_scores", "modalities", "decided_at"),
    *("model_version", "policy_version"),
}
_ENDS = frozenset({ItemState.REFUSED.value, ItemState.FAILED.value})

View = Mapping[str, Any]


class Lookup:
    """Ledger and history → what a caller may see of a video. Blocking."""

    def __init__(self, ledger: Ledger, history: VerdictHistory) -> None:
        self._ledger = ledger
        self._history = history

    def view(self, asked: str) -> View:
        """A video by its id, or an item by `item:` and its number.

        Raises:
            VideoUnknown: nobody brought it in.
        """
        item = self._item(asked)
        video_id = item.video_id if item is not None else asked
        verdict = self._history.current(video_id) if video_id else None
        if item is None and verdict is None:
            raise VideoUnknown("no video of this id")
        return _view(item, verdict)

    def _item(self, asked: str) -> Item | None:
        number = _ITEM.fullmatch(asked)
        if number is not None:
            return self._ledger.item(int(number[1]))
        if not _VIDEO_ID.fullmatch(asked):
            raise VideoUnknown("no video of this id")
        items = self._ledger.of_video(asked)
        posted = (item for item in items if item.state is ItemState.POSTED)
        return next(posted, items[-1] if items else None)


@dataclass(frozen=True)
class Following:
    """How long a stream lasts: `max_s`, and not beyond the gateway's own end."""

    max_s: float
    is_draining: Callable[[], bool]


class Reading:
    """Serves the two endpoints."""

    def __init__(self, door: Door, limits: Limits, lookup: Lookup, *, pool: Executor, following: Following) -> None:
        self._door = door
        self._limits = limits
        self._lookup = lookup
        self._pool = pool
        self._following = following

    async def show(self, request: Request) -> Response:
        """The state and the current verdict."""
        await self._door.admit(request, Scope.READ)
        return answer(await self._view(request))

    async def follow(self, request: Request) -> Response:
        """Server-sent events: `state` at each change, then `verdict` or `refused`, and the end."""
        key = await self._door.admit(request, Scope.READ)
        first = await self._view(request)
        held = ExitStack()
        held.enter_context(self._limits.stream(key.key_id))
        return _Stream(self._events(request, first), held)

    async def _events(self, request: Request, view: View) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        until_s, beat_s = loop.time() + self._following.max_s, loop.time() + BEAT_S
        told: View = {}
        while True:
            if view != told:
                told = view
                yield event("state", view)
            end = _end(view)
            if end:
                yield end
                return
            if self._following.is_draining() or loop.time() >= until_s:
                yield b": ask again\n\n"
                return
            if loop.time() >= beat_s:
                beat_s = loop.time() + BEAT_S
                if not await self._door.still(request):
                    return
                yield b": still waiting\n\n"
            await asyncio.sleep(POLL_S)
            view = await self._latest(request, view)

    async def _latest(self, request: Request, before: View) -> View:
        try:
            return await self._view(request)
        except DependencyError:
            # Waiting is not failing: what was said last still holds.
            return before

    def _view(self, request: Request) -> "asyncio.Future[View]":
        asked = str(request.path_params["id"])
        return asyncio.get_running_loop().run_in_executor(self._pool, self._lookup.view, asked)


class _Stream(StreamingResponse):
    """Lets go of its place however it ends, also before it began."""

    def __init__(self, events: AsyncIterator[bytes], held: ExitStack) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._held = held

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        with self._held:
            await super().__call__(scope, receive, send)


def _view(item: Item | None, verdict: Verdict | None) -> View:
    shown = None if verdict is None else verdict.model_dump(mode="json", include=_SHOWN)
    if item is None:
        return {"state": ItemState.POSTED.value, "video_id": verdict.video_id if verdict else None, "verdict": shown}
    return {
        "id": f"item:{item.item_id}",
        "video_id": item.video_id,
        "state": item.state.value,
        "code": item.code,
        "reason": item.message,
        "sha256": item.sha256,
        "size_bytes": item.size_bytes,
        "content_type": item.content_type,
        "found_at": item.found_at.isoformat(),
        "updated_at": item.updated_at.isoformat(),
        "verdict": shown,
    }


def _end(view: View) -> bytes | None:
    if view["verdict"] is not None:
        return event("verdict", view["verdict"])
    return event("refused", view) if view["state"] in _ENDS else None
