"""Answers: JSON with our code and one line; and the last word to a caller that is still sending."""

import asyncio
import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import DependencyError, PlatformError
from core.telemetry import GATEWAY_REQUESTS
from ingestion.gateway.body import CallerGoneError
from ingestion.gateway.refusals import KeyRefused, retry_after_s, status_of

LINGER_S = 3.0
LINGER_BYTES = 64 * 1024 * 1024
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_log = structlog.get_logger()


def answer(
    body: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer that nobody keeps."""
    return JSONResponse(body, status_code=status, headers={**_HEADERS, **(headers or {})})


def refused(error: PlatformError) -> Response:
    """The answer to a request that was not served."""
    headers = {}
    wait_s = retry_after_s(error)
    if wait_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait_s)))
    if isinstance(error, KeyRefused):
        headers["WWW-Authenticate"] = "Bearer"
    reason = "a part of the platform is away; send it again" if isinstance(error, DependencyError) else error.message
    return answer({"code": error.code, "reason": " ".join(reason.split())}, status_of(error), headers)


def of_router(_request: Request, error: Exception) -> Response:
    """The answer to a path or method that is none."""
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    code = {HTTPStatus.NOT_FOUND: "request.path", HTTPStatus.METHOD_NOT_ALLOWED: "request.method"}.get(status)
    return answer({"code": code or "platform.error", "reason": f"{status.phrase}; see /openapi.json"}, status)


class Refusing:
    """Turns errors of ours into answers.

    A caller that is still sending gets its answer whole, and is then read for a little longer: closed at once, its
    system would throw the answer away with what could not be sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        body = _Body(receive)
        try:
            await self._app(scope, body.receive, _counting(send))
        except CallerGoneError:
            GATEWAY_REQUESTS.labels("gone").inc()
        except PlatformError as error:
            _note(error)
            await _last_word(refused(error), scope, body, _counting(send))


class _Body:
    """Knows whether a request was read to its end."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.was_read = False
        self.is_over = False

    async def receive(self) -> Message:
        self.was_read = True
        message = await self._receive()
        self.is_over = message["type"] != "http.request" or not message.get("more_body", False)
        return message


async def _last_word(response: Response, scope: Scope, body: _Body, send: Send) -> None:
    if body.is_over:
        await response(scope, body.receive, send)
        return
    headers = [*response.raw_headers, (b"connection", b"close")]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": bytes(response.body), "more_body": True})
    # Who waits for a "100 Continue" has not sent anything yet, and reading on would ask for it.
    if body.was_read or not any(name == b"expect" for name, _ in scope["headers"]):
        await _linger(body)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _linger(body: _Body) -> None:
    left_bytes = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_S):
            while not body.is_over and left_bytes > 0:
                left_bytes -= len((await body.receive()).get("body", b""))
    except TimeoutError:
        return


def _counting(send: Send) -> Send:
    async def counted(message: Message) -> None:
        if message["type"] == "http.response.start":
            GATEWAY_REQUESTS.labels(str(message["status"])).inc()
        await send(message)

    return counted


def _note(error: PlatformError) -> None:
    if isinstance(error, DependencyError):
        _log.warning("request.waits", error=str(error))
    else:
        _log.debug("request.refused", code=error.code, reason=error.message)


def event(name: str, body: Mapping[str, Any]) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(body)}\n\n".encode()
