"""Who calls a route of ours, and from where: routes ask here as pages ask `dashboard.viewer`."""

from urllib.parse import urlsplit

from starlette.requests import Request

from core.access import Person
from core.errors_console import NotSignedIn
from dashboard.language import Language
from dashboard.resources import resources
from dashboard.seats import COOKIE


def person_of(request: Request) -> Person | None:
    """The person whose session the cookie proves; None: nobody's. It may wait for the database: call it in a thread.

    Raises:
        StoreUnavailable: as `dashboard.viewer.viewer`.
    """
    try:
        return resources().seats.seat(request.cookies.get(COOKIE, "")).person
    except NotSignedIn:
        return None


def is_own_page(request: Request) -> bool:
    """Whether a page of ours sent this, as the browser says; a request that says nothing is none."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


def is_other_site(request: Request) -> bool:
    """Whether a page of another site led here."""
    return request.headers.get("sec-fetch-site") in ("cross-site", "same-site")


def is_ahead_of_time(request: Request) -> bool:
    """Whether a browser or a preview asks before any person did."""
    purpose = request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")
    return request.method == "HEAD" or "prefetch" in purpose


def address_of(request: Request) -> str:
    """The network address that calls."""
    return request.client.host if request.client else ""


def language_of(request: Request) -> Language:
    """As asked for in the address, else the browser's first, else English."""
    first = request.headers.get("accept-language", "").split(",")[0].split(";")[0].split("-")[0].strip().lower()
    for asked in (request.query_params.get("lang", ""), first):
        if asked in set(Language):
            return Language(asked)
    return Language.ENGLISH
