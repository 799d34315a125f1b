"""A session's cookies, from a file that only its owner may read: for sites that show more to who is signed in."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import ConfigError

MAX_BYTES = 1024 * 1024
HTTP_ONLY = "#HttpOnly_"


@dataclass(frozen=True, repr=False)
class Cookie:
    """One cookie; shows nothing of itself in logs and tracebacks."""

    name: str
    value: str
    domain: str
    path: str
    is_secure: bool
    is_http_only: bool
    expires_s: int | None

    def for_devtools(self) -> dict[str, Any]:
        """As Chromium's DevTools take it."""
        given = {
            "name": self.name,
            "value": self.value,
            "domain": self.domain,
            "path": self.path,
            "secure": self.is_secure,
            "httpOnly": self.is_http_only,
        }
        return given if self.expires_s is None else {**given, "expires": self.expires_s}


def check_cookies_file(path: Path) -> Path:
    """The file, where it may be used; nothing of its content is in any message.

    Raises:
        ConfigError: it is not there, others may read it, or it lies in a checkout, from where it would be published.
    """
    try:
        found = path.resolve(strict=True)
        mode = found.stat()
    except OSError as error:
        raise ConfigError(f"cookies file {path}: {error.strerror}; export it again, or unset it") from error
    if not stat.S_ISREG(mode.st_mode) or mode.st_size > MAX_BYTES:
        raise ConfigError(f"cookies file {path} is no file of at most {MAX_BYTES} bytes")
    if mode.st_uid != os.geteuid() or stat.S_IMODE(mode.st_mode) & 0o077:
        raise ConfigError(f"cookies file {path} can be read by others: make it yours alone, `chmod 600 {path}`")
    if any((folder / ".git").exists() for folder in found.parents):
        raise ConfigError(f"cookies file {path} lies in a repository; move it elsewhere, so that it is never committed")
    return found


def load_cookies(path: Path, domain: str, *, now_s: float) -> list[Cookie]:
    """The cookies of a domain and what is under it that still hold at `now_s`, and no others; Netscape's format.

    Raises:
        ConfigError: the file may not be used, or is of another format.
    """
    try:
        lines = check_cookies_file(path).read_text("utf-8").splitlines()
        cookies = [_parse(line) for line in lines if _is_cookie(line)]
    except (OSError, ValueError):
        # Not chained: the cause repeats what it could not read.
        raise ConfigError(f"cookies file {path} is not of Netscape's format; export it again") from None
    return [
        cookie
        for cookie in cookies
        if f".{cookie.domain.lstrip('.')}".endswith(f".{domain}") and (cookie.expires_s or now_s) >= now_s
    ]


def _is_cookie(line: str) -> bool:
    return bool(line.strip()) and (line.startswith(HTTP_ONLY) or not line.startswith("#"))


def _parse(line: str) -> Cookie:
    domain, _, path, is_secure, expires_s, name, value = line.removeprefix(HTTP_ONLY).split("\t")
    return Cookie(
        name,
        value,
        domain,
        path,
        is_secure=is_secure.upper() == "TRUE",
        is_http_only=line.startswith(HTTP_ONLY),
        # 0 stands for the length of a session.
        expires_s=int(float(expires_s)) or None,
    )
