"""Why yt-dlp gave up → one of our errors: the status, the socket's end or the words of an extractor."""

import errno
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from yt_dlp.networking.exceptions import HTTPError, IncompleteRead, TransportError
from yt_dlp.utils import ExtractorError, GeoRestrictedError, UnsupportedError

from core.errors import IngestError
from core.errors_ingest import (
    IngestForbidden,
    IngestGone,
    IngestLoginRequired,
    IngestRateLimited,
    IngestRedirects,
    IngestSchemeRefused,
    IngestServerFailed,
    IngestTimeout,
    IngestTooLarge,
    IngestTruncated,
    IngestTypeRefused,
    IngestUnreachable,
)
from ingestion.walls import wall_in_message

_LONGEST_WAIT_S = 86_400.0
_GONE = re.compile(r"removed|deleted|no longer|not available|unavailable|does not exist|not exist", re.IGNORECASE)
_NO_FILE = re.compile(r"requested format is not available|no video formats found|drm", re.IGNORECASE)
_STATUSES: dict[int, type[IngestError]] = {
    HTTPStatus.UNAUTHORIZED: IngestLoginRequired,
    HTTPStatus.FORBIDDEN: IngestForbidden,
    HTTPStatus.NOT_FOUND: IngestGone,
    HTTPStatus.REQUEST_TIMEOUT: IngestTimeout,
    HTTPStatus.GONE: IngestGone,
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: IngestGone,
}


def to_ingest_error(error: BaseException) -> IngestError:
    """The error that says why, from the first in the chain of causes that knows."""
    chain = list(_causes(error))
    judged = (judge(found) for kind, judge in _judges() for found in chain if isinstance(found, kind))
    return next(judged, IngestServerFailed(f"the page broke its reader ({type(error).__name__})"))


def _judges() -> tuple[tuple[type[BaseException], Callable[[Any], IngestError]], ...]:
    """Who knows best comes first."""
    return (
        (IngestError, lambda found: found),
        (HTTPError, _of_status),
        (MemoryError, lambda _: IngestTooLarge("the page or the file takes more memory than a download may use")),
        (IncompleteRead, lambda found: IngestTruncated(str(found.msg))),
        (TimeoutError, lambda _: IngestTimeout("the site let the time pass without a byte")),
        (TransportError, _of_transport),
        (UnsupportedError, lambda _: IngestTypeRefused("the page holds no video that can be fetched")),
        (GeoRestrictedError, lambda _: IngestForbidden("the site does not show it in this country")),
        (ExtractorError, _of_words),
        (OSError, _of_system),
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it says it came from: by Python's links, and by yt-dlp's own."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        told = (getattr(one, "exc_info", None) or (None, None))[1]
        waiting += [told, getattr(one, "cause", None), getattr(one, "reason", None), one.__cause__, one.__context__]
        waiting += getattr(one, "unexpected_errors", ())


def _of_status(error: HTTPError) -> IngestError:
    said = f"the site answered {error.status} {str(error.reason or '')[:80]}".rstrip()
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        return IngestRateLimited(said, retry_after_s(error.response.headers.get("Retry-After"), datetime.now(UTC)))
    if error.redirect_loop or error.status in range(300, 400):
        return _of_redirect(error)
    kind = _STATUSES.get(error.status)
    if kind is not None:
        return kind(said)
    return IngestServerFailed(said) if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else IngestTypeRefused(said)


def _of_redirect(error: HTTPError) -> IngestError:
    scheme = urlsplit(error.response.headers.get("Location") or "").scheme
    if scheme not in ("", "http", "https"):
        return IngestSchemeRefused(f"it redirects to {scheme[:20]}, which is not fetched")
    return IngestRedirects("it redirects in a loop, or more often than allowed")


def _of_transport(error: TransportError) -> IngestError:
    said = str(error.msg or error.cause or "")[:200]
    return (
        IngestTimeout("the site let the time pass without a byte") if "timed out" in said else IngestUnreachable(said)
    )


def _of_words(error: ExtractorError) -> IngestError:
    said = str(error.orig_msg)[:200]
    if _NO_FILE.search(said):
        return IngestTypeRefused("there is no video in one file over http")
    wall = wall_in_message(said)
    if wall is not None:
        return wall
    return IngestGone(said) if _GONE.search(said) else IngestServerFailed(said)


def _of_system(error: OSError) -> IngestError:
    if error.errno == errno.EFBIG:
        return IngestTooLarge("the file is larger than the settings allow")
    return IngestServerFailed(f"the download failed: {error.strerror or type(error).__name__}")


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """What a Retry-After field says, in seconds from now, at most a day; None where it says nothing."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return min(float(value), _LONGEST_WAIT_S)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(0.0, (until - now).total_seconds()), _LONGEST_WAIT_S)
