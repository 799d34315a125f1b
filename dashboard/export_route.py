"""GET /export/{token}: a file that this person exported, read from the disk as it is sent."""

from http import HTTPStatus
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from core.access import Capability
from core.errors import StoreUnavailable
from dashboard.callers import person_of
from dashboard.export_files import path_of
from dashboard.export_link import export_files

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def download(request: Request) -> Response:
    """Answer one request."""
    try:
        person = person_of(request)
    except StoreUnavailable:
        return PlainTextResponse("the database does not answer; try again\n", HTTPStatus.SERVICE_UNAVAILABLE, HEADERS)
    if person is None or not person.may(Capability.EXPORT):
        return PlainTextResponse("no right to this file\n", HTTPStatus.FORBIDDEN, HEADERS)
    found = export_files().open(request.path_params["token"], person.user_id)
    if found is None:
        return PlainTextResponse("this file is gone; export it again\n", HTTPStatus.NOT_FOUND, HEADERS)
    return _OpenFile(*found)


class _OpenFile(FileResponse):
    """Sends a file and closes it."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__(path_of(file), filename=name, media_type="application/octet-stream", headers=HEADERS)
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._file:
            await super().__call__(scope, receive, send)
