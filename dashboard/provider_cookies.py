"""The way to a provider of OpenID Connect and back: who set out from the sign-in page, and where they wanted to go."""

from collections.abc import Mapping
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

from core.storage.people import VOUCHED
from dashboard import forms

COOKIE = "clipwarden_way"
LIVES_S = 600
STEP, TO_PROVIDER = "sign-in", "provider"
"""The look at the console that leads on to the provider: `/?sign-in=provider`."""
_WORD = "_streamlit_user"
"""How the cookies begin in which Streamlit keeps the provider's word, for thirty days."""


def begun(target: str) -> str:
    """The cookie of somebody who sets out, and wants to go there afterwards."""
    return quote(target, safe="")


def target_of(cookies: Mapping[str, str], link: str = VOUCHED) -> str:
    """Where whoever comes back wanted to go; the first page where they came by another link or never set out."""
    return forms.target_of(unquote(cookies.get(COOKIE, ""))) if link.startswith(VOUCHED) else "/"


def end(request: Request, response: Response) -> None:
    """Forget the way and whatever came back over it: our session is all that opens pages."""
    response.delete_cookie(COOKIE, path="/")
    forget_word(request, response)


def forget_word(request: Request, response: Response) -> None:
    """Forget the provider's word, so that only one from now on is looked at."""
    for name in request.cookies:
        if name.startswith(_WORD):
            response.delete_cookie(name, path="/")
