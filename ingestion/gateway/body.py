"""A request's body as it comes: bounded in bytes and in time, and given up when its caller is gone."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import Message

from core.settings_gateway import GatewaySettings
from ingestion.gateway.refusals import BodyTooLarge, RequestMalformed, RequestSlow


class CallerGoneError(Exception):
    """The caller hung up; there is nobody to answer."""


@dataclass(frozen=True)
class BodyLimits:
    """What one body may cost: seconds between two chunks, seconds altogether, bytes."""

    idle_s: float
    total_s: float
    max_bytes: int

    @classmethod
    def of(cls, settings: GatewaySettings, max_bytes: int) -> "BodyLimits":
        """The settings' limits around a size."""
        return cls(settings.idle_s, settings.upload_s, max_bytes)


async def chunks(request: Request, limits: BodyLimits) -> AsyncIterator[bytes]:
    """The body, chunk by chunk.

    Raises:
        BodyTooLarge: it is, or says that it will be.
        RequestSlow: it stalled, or took too long.
        CallerGoneError: it ends for good in the middle.
    """
    _check_length(request, limits.max_bytes)
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + limits.total_s
    size_bytes = 0
    more = True
    while more:
        message = await _next(request, min(deadline_s, loop.time() + limits.idle_s))
        size_bytes += len(message["body"])
        if size_bytes > limits.max_bytes:
            raise BodyTooLarge(f"the body is over {limits.max_bytes} bytes")
        more = message.get("more_body", False)
        yield message["body"]


async def whole(request: Request, limits: BodyLimits) -> bytes:
    """A small body in one piece; raises what `chunks` raises."""
    return b"".join([chunk async for chunk in chunks(request, limits)])


async def _next(request: Request, until_s: float) -> Message:
    try:
        async with asyncio.timeout_at(until_s):
            message = await request.receive()
    except TimeoutError as error:
        raise RequestSlow("the body stalled, or took too long; send it again, faster") from error
    if message["type"] == "http.disconnect":
        raise CallerGoneError
    return message


def _check_length(request: Request, max_bytes: int) -> None:
    stated = request.headers.get("content-length", "0")
    if not stated.isdecimal():
        raise RequestMalformed("Content-Length is no number")
    if int(stated) > max_bytes:
        raise BodyTooLarge(f"the body has {int(stated)} bytes, over {max_bytes}")
