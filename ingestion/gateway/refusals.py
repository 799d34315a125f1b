"""Why a request was not served: an HTTP status, our code and one line; the caller reads all three."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from core.errors import DependencyError, IngestError, InputError, MediaError, MediaTooLarge, PlatformError
from core.errors_ingest import IngestTooLarge, IngestTypeRefused


class RequestRefused(InputError):
    """The caller is at fault, or asks too much."""

    code = "request.refused"
    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST
    retry_after_s: float | None = None


class RequestMalformed(RequestRefused):
    """It cannot be read: no boundary, half a body, two files, no JSON."""

    code = "request.malformed"


class KeyRefused(RequestRefused):
    """No API key, an unknown one, or one that was revoked."""

    code = "request.key"
    status = HTTPStatus.UNAUTHORIZED


class ScopeRefused(RequestRefused):
    """The API key may do other things only."""

    code = "request.scope"
    status = HTTPStatus.FORBIDDEN


class VideoUnknown(RequestRefused):
    """Nobody ever brought in a video of that id."""

    code = "request.unknown"
    status = HTTPStatus.NOT_FOUND


class RequestSlow(RequestRefused):
    """The body stalled, or took longer than the settings allow."""

    code = "request.slow"
    status = HTTPStatus.REQUEST_TIMEOUT


class IdempotencyConflict(RequestRefused):
    """The idempotency key stands for another request."""

    code = "request.idempotency"
    status = HTTPStatus.CONFLICT


class RequestInProgress(RequestRefused):
    """The first request with this idempotency key is still under way."""

    code = "request.in_progress"
    status = HTTPStatus.CONFLICT

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = max(1.0, retry_after_s)


class BodyTooLarge(RequestRefused):
    """More bytes than the settings allow."""

    code = "request.too_large"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class ContentTypeRefused(RequestRefused):
    """Neither multipart/form-data nor application/json."""

    code = "request.content_type"
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class FieldRefused(RequestRefused):
    """A field is unknown, too long, or holds what no store can keep."""

    code = "request.field"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class RequestsTooMany(RequestRefused):
    """More than the API key's rate, or more at once than it, or the gateway, may have."""

    code = "request.too_many"
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SourcePaused(RequestRefused):
    """An operator has paused what comes in here."""

    code = "request.paused"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after_s = 30.0


DEPENDENCY_RETRY_S = 5.0
_STATUSES: Mapping[type[PlatformError], HTTPStatus] = {
    MediaTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    IngestTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    IngestTypeRefused: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    MediaError: HTTPStatus.UNPROCESSABLE_ENTITY,
    IngestError: HTTPStatus.UNPROCESSABLE_ENTITY,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    DependencyError: HTTPStatus.SERVICE_UNAVAILABLE,
}


def status_of(error: PlatformError) -> HTTPStatus:
    """The HTTP status that says whose fault it is."""
    if isinstance(error, RequestRefused):
        return error.status
    found = (status for kind, status in _STATUSES.items() if isinstance(error, kind))
    return next(found, HTTPStatus.INTERNAL_SERVER_ERROR)


def retry_after_s(error: PlatformError) -> float | None:
    """When it is worth trying again; None: not by waiting."""
    if isinstance(error, RequestRefused):
        return error.retry_after_s
    return DEPENDENCY_RETRY_S if isinstance(error, DependencyError) else None
