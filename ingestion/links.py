"""A link as somebody wrote it → the link that is fetched, and what names the video: pure, before anything is asked."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, quote, urlsplit, urlunsplit

from core.errors_ingest import IngestLinkInvalid, IngestSchemeRefused

MAX_CHARACTERS = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOT_IN_LINKS = re.compile(r"[\x00-\x20\x7f\\<>\"^`{|}\u0080-\u00a0\u2028\u2029\ufeff]")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?|\[[0-9a-f:.]+\]")
# Says how somebody came to the page, not which page it is.
_TRACKING = re.compile(r"(?:utm_\w+|fbclid|gclid|igsh|si|feature)(?:=|$)")
_SAFE_IN_PATHS = "/%:@!$&'()*+,;=~-._"

_TIKTOK = re.compile(r"(?:[\w-]+\.)?tiktok\.com")
_TIKTOK_PAGE = re.compile(r"/(@[\w.-]*)/(?:video|photo)/(\d{5,25})/?")
_TIKTOK_BARE = re.compile(r"/(?:v|embed|embed/v2|share/video)/(\d{5,25})(?:\.html)?/?")
_YOUTUBE = re.compile(r"(?:[\w-]+\.)?(?:youtube\.com|youtube-nocookie\.com)")
_YOUTUBE_PAGE = re.compile(r"/(?:shorts|embed|live|v)/([\w-]{11})/?")
_YOUTUBE_ID = re.compile(r"[\w-]{11}")


@dataclass(frozen=True)
class Link:
    """What is fetched; `platform_id` where the link itself says which video it is."""

    url: str
    host: str
    platform: str
    platform_id: str | None = None

    @property
    def item_key(self) -> str:
        """The same for two links to the same video, where that can be seen without asking the site."""
        return f"{self.platform}:{self.platform_id}" if self.platform_id else f"link:{self.url}"


def parse_link(text: str) -> Link:
    """Normalise a link: lower-case host in ASCII, no default port, fragment or tracking, one spelling per known video.

    Addresses are not judged here but where they are connected to: a name says nothing about where it leads.

    Raises:
        IngestSchemeRefused: not http or https.
        IngestLinkInvalid: it does not parse, is too long, or carries credentials.
    """
    parts = _split(text.strip())
    host = _host(parts)
    netloc = host if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{parts.port}"
    path = quote(parts.path or "/", safe=_SAFE_IN_PATHS)
    query = "&".join(pair for pair in parts.query.split("&") if pair and not _TRACKING.match(pair))
    url = urlunsplit((parts.scheme, netloc, path, quote(query, safe=_SAFE_IN_PATHS + "?"), ""))
    return _of_platform(url, host, path, query)


def _split(text: str) -> SplitResult:
    if len(text) > MAX_CHARACTERS or _NOT_IN_LINKS.search(text):
        raise IngestLinkInvalid(f"a link has at most {MAX_CHARACTERS} characters, and no spaces or control characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise IngestLinkInvalid("the link makes no sense; copy it again from the address bar") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise IngestSchemeRefused(f"{parts.scheme[:20] or 'no scheme'} is not fetched; http and https are")
    if not parts.hostname or port == 0:
        raise IngestLinkInvalid("the link names no host")
    if parts.username is not None or parts.password is not None:
        raise IngestLinkInvalid("the link carries credentials, or an @ that hides its host; take them out")
    return parts


def _host(parts: SplitResult) -> str:
    name = (parts.hostname or "").rstrip(".")
    try:
        host = f"[{name}]" if ":" in name else name.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise IngestLinkInvalid("the link's host is no name") from error
    if not _HOST.fullmatch(host):
        raise IngestLinkInvalid("the link's host is no name")
    return host


def _of_platform(url: str, host: str, path: str, query: str) -> Link:
    if _TIKTOK.fullmatch(host):
        return _tiktok(url, host, path)
    if host == "youtu.be" or _YOUTUBE.fullmatch(host):
        return _youtube(url, host, path, query)
    return Link(url, host, "web")


def _tiktok(url: str, host: str, path: str) -> Link:
    if match := _TIKTOK_PAGE.fullmatch(path):
        return Link(f"https://www.tiktok.com/{match[1]}/video/{match[2]}", "www.tiktok.com", "tiktok", match[2])
    if match := _TIKTOK_BARE.fullmatch(path):
        # The site finds the author by itself.
        return Link(f"https://www.tiktok.com/@/video/{match[1]}", "www.tiktok.com", "tiktok", match[1])
    return Link(url, host, "tiktok")


def _youtube(url: str, host: str, path: str, query: str) -> Link:
    short = path.strip("/") if host == "youtu.be" else ""
    page = _YOUTUBE_PAGE.fullmatch(path)
    watched = parse_qs(query).get("v", [""])[0] if path == "/watch" else ""
    found = page[1] if page else short or watched
    if not _YOUTUBE_ID.fullmatch(found):
        return Link(url, host, "youtube")
    return Link(f"https://www.youtube.com/watch?v={found}", "www.youtube.com", "youtube", found)
