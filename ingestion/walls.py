"""A page in place of a video: whether it asks to sign in, or for a proof of being human; pure."""

import re

from core.errors import IngestError
from core.errors_ingest import IngestCaptcha, IngestLoginRequired

_CAPTCHA = re.compile(
    r"""(?:id|class|src|action)\s*=\s*["'][^"']*(?:captcha|cf-turnstile|cf-challenge|challenge-platform)""",
    re.IGNORECASE,
)
_LOGIN_PATH = re.compile(r"/(?:login|signin|sign-in|accounts/login)(?:[/?#]|$)", re.IGNORECASE)
_PASSWORD = re.compile(r"""<input[^>]+type\s*=\s*["']?password""", re.IGNORECASE)
_SAID_CAPTCHA = re.compile(r"captcha|not a (?:ro)?bot|verify (?:that )?you are human", re.IGNORECASE)
_SAID_LOGIN = re.compile(
    r"log(?:ged)?[ -]?in(?:to)?\b|sign(?:ed)? in(?:to)?\b|--cookies|account (?:is )?private|private video",
    re.IGNORECASE,
)


def wall_on_page(url: str, html: str) -> IngestError | None:
    """The wall that a page is, if it is one; the captcha first, because those pages often offer a login too."""
    if _CAPTCHA.search(html):
        return IngestCaptcha("the page asks for a proof of being human; go slower, or give the cookies of a session")
    if _LOGIN_PATH.search(url) or _PASSWORD.search(html):
        return IngestLoginRequired("the page asks to sign in; give the cookies of a session")
    return None


def wall_in_message(message: str) -> IngestError | None:
    """The wall that an extractor speaks of, if it does."""
    if _SAID_CAPTCHA.search(message):
        return IngestCaptcha("the site asks for a proof of being human; go slower, or give the cookies of a session")
    if _SAID_LOGIN.search(message):
        return IngestLoginRequired("the site shows it to those who are signed in; give the cookies of a session")
    return None
