"""Forms that only a page of ours can send, and each only once: a token in the form, its twin in a cookie."""

import hmac
import re
import secrets
import time
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import Request

COOKIE = "clipwarden_form"
FIELD = "form"
LIVES_S = 3600
MAX_BYTES = 16_384
MAX_FIELDS = 8
_TYPE = "application/x-www-form-urlencoded"
_SHAPE = re.compile(r"(\d{10})\.[A-Za-z0-9_-]{32}")
# A page of ours, and nothing that a browser could take for another place; no way in either: it would lead to itself.
_TARGET = re.compile(r"/(?!/)(?!(?:sign-in|enter)(?:[/?]|$))[A-Za-z0-9_/-]*(\?[A-Za-z0-9_.~%&=:,+-]*)?")
MAX_TARGET_CHARS = 1000


async def fields_of(request: Request) -> Mapping[str, str] | None:
    """The fields of a form, each its first value; None: too large, or no form."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _TYPE:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            return None
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=MAX_FIELDS, errors="replace", keep_blank_values=True)
    except ValueError:
        return None
    return {name: values[0] for name, values in found.items()}


def new_form() -> str:
    """A form's token, which says when it was made."""
    return f"{int(time.time()):010d}.{secrets.token_urlsafe(24)}"


def is_ours(sent: str, kept: str | None) -> bool:
    """Whether the form's token is the one that its cookie holds, and not too old."""
    shape = _SHAPE.fullmatch(sent)
    if shape is None or kept is None or not hmac.compare_digest(sent.encode(), kept.encode(errors="replace")):
        return False
    return 0 <= time.time() - int(shape[1]) + 1 < LIVES_S


def target_of(asked: str) -> str:
    """Where to go afterwards: the page asked for if it is one of ours, else the first one."""
    return asked if len(asked) <= MAX_TARGET_CHARS and _TARGET.fullmatch(asked) else "/"
