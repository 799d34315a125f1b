"""The gateway's paths, and a server that does not wait for callers who send nothing."""

import asyncio
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from ingestion.gateway.answers import Refusing, of_router
from ingestion.gateway.posting import Posting
from ingestion.gateway.reading import Reading
from ingestion.gateway.schema import openapi, page

HEAD_S = 10.0
"""How long a request's head may take, and a connection be idle before one."""

_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
}


def build_app(posting: Posting, reading: Reading) -> Starlette:
    """The ASGI application."""
    routes = [
        Route("/v1/videos", posting.post, methods=["POST"]),
        Route("/v1/videos/{id}", reading.show, methods=["GET"]),
        Route("/v1/videos/{id}/events", reading.follow, methods=["GET"]),
        Route("/openapi.json", _schema, methods=["GET"]),
        Route("/docs", _page, methods=["GET"]),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Refusing)],
        exception_handlers={HTTPException: of_router, Exception: of_router},
    )


async def _schema(_request: Request) -> Response:
    return JSONResponse(openapi())


async def _page(_request: Request) -> Response:
    return HTMLResponse(page(), headers=_PAGE_HEADERS)


def patient_protocol(max_connections: int) -> type[asyncio.Protocol]:
    """HTTP/1.1 that hangs up on who sends no request in time, and on more callers than it may have.

    The server's own timer runs between requests only; a head that drips in byte by byte would hold its connection for
    ever.
    """

    class Patient(H11Protocol):
        def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - the base class's own types differ by loop
            super().connection_made(transport)
            if len(self.connections) > max_connections:
                transport.close()
            else:
                self._expect()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._expect()

        def _expect(self) -> None:
            self.loop.call_later(HEAD_S, self._check, self.cycle)

        def _check(self, before: object) -> None:
            if self.cycle is before and not self.transport.is_closing():
                self.transport.close()

    return Patient
