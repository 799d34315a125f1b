"""yt-dlp as this product uses it: it reads pages and names the file; the bytes are copied here, with bounds.

Its own downloaders stay unused: they retry, resume, join fragments, start programs and choose names.
"""

import re
import time
from pathlib import Path
from typing import Any

from yt_dlp import YoutubeDL
from yt_dlp.networking import Request, Response
from yt_dlp.networking._urllib import RedirectHandler, UrllibRH
from yt_dlp.version import __version__ as version

from core.errors import IngestError
from core.errors_ingest import IngestPlaylist, IngestRedirects, IngestTooLarge, IngestTruncated, IngestTypeRefused
from core.events import MAX_CAPTION_CHARS, MAX_HASHTAGS
from ingestion.download.order import FILE_NAME, Found, Order
from ingestion.walls import wall_on_page

_CHUNK_BYTES = 64 * 1024
_PAGE_BYTES = 256 * 1024
# Readers of any page: they call a video by its file's name, which says nothing of what it is.
_OF_ANY_PAGE = frozenset({"Generic", "HTML5MediaEmbed"})
# No store of ours holds these, and a page may say anything.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_HASHTAG = re.compile(r"#(\w{1,256})")
# One file over http, nothing to be joined from parts.
_FORMAT = "b[protocol~='^https?$']/bv*[protocol~='^https?$']"


class Site(YoutubeDL):  # type: ignore[misc]  # yt-dlp ships no types
    """One link's site: which file it offers, and that file."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._hops = 0
        self._page = b""
        self._page_url = ""
        RedirectHandler.max_redirections = order.max_redirects
        super().__init__(_parameters(order))

    def fetch(self) -> Found:
        """Read the page and copy its video into the order's folder; what is raised, `to_ingest_error` reads."""
        video: dict[str, Any] = self.extract_info(self._order.link, download=False)
        self._save(video)
        return _said_of(video)

    def wall(self) -> IngestError | None:
        """The wall that the last page was, if it was one."""
        return wall_on_page(self._page_url, self._page.decode("utf-8", "replace"))

    def urlopen(self, req: Request | str) -> Response:
        """Every request of every extractor: through the gate, whatever it names itself."""
        request = Request(req) if isinstance(req, str) else req
        request.proxies = {"all": self._order.proxy_url}
        request.headers.pop("Ytdl-request-proxy", None)
        response = super().urlopen(request)
        if response.headers.get_content_type() == "text/html":
            self._keep(response)
        return response

    def build_request_director(self, handlers: object, preferences: object = None) -> object:  # noqa: ARG002 - the base's signature
        """One HTTP client, the same on every machine, whatever else is installed there."""
        return super().build_request_director([UrllibRH])

    def process_ie_result(self, ie_result: dict[str, Any], *arguments: object, **named: object) -> object:
        """What an extractor found: a video, or the next page to look at, of which there is an end."""
        ie_result.pop("additional_urls", None)
        if ie_result.get("_type") in ("playlist", "multi_video"):
            raise IngestPlaylist("the link leads to many videos; give each its own link")
        if ie_result.get("_type") in ("url", "url_transparent"):
            self._hops += 1
            if self._hops > self._order.max_redirects:
                raise IngestRedirects(f"more than {self._order.max_redirects} pages lead from one to the next")
        return super().process_ie_result(ie_result, *arguments, **named)

    def _save(self, video: dict[str, Any]) -> None:
        headers = {**(video.get("http_headers") or {}), "Accept-Encoding": "identity"}
        with self.urlopen(Request(video["url"], headers=headers)) as response:
            stated = _stated_bytes(response)
            if stated is not None and stated > self._order.max_bytes:
                raise IngestTooLarge(f"the file has {stated} bytes, over {self._order.max_bytes}")
            if response.headers.get_content_type() == "text/html":
                response.read(_PAGE_BYTES)
                raise self.wall() or IngestTypeRefused("in place of the file there is a page")
            copied = self._copy(response, Path(self._order.into) / FILE_NAME)
        if stated is not None and copied != stated:
            raise IngestTruncated(f"{copied} of {stated} bytes came")

    def _keep(self, response: Response) -> None:
        """Remember the beginning of a page while an extractor reads it, to tell a wall from a page without a video."""
        self._page, self._page_url, read = b"", response.url, response.read

        def remember(amt: int | None = None) -> bytes:
            data: bytes = read(amt)
            self._page += data[: _PAGE_BYTES - len(self._page)]
            return data

        response.read = remember

    def _copy(self, response: Response, path: Path) -> int:
        copied, started_s = 0, time.monotonic()
        with path.open("xb") as file:
            while data := response.read(_CHUNK_BYTES):
                copied += len(data)
                if copied > self._order.max_bytes:
                    raise IngestTooLarge(f"over {self._order.max_bytes} bytes came, more than the settings allow")
                file.write(data)
                if self._order.bytes_per_s:
                    time.sleep(max(0.0, started_s + copied / self._order.bytes_per_s - time.monotonic()))
        return copied


def _said_of(video: dict[str, Any]) -> Found:
    """What the page says of the video, cut to sizes that are nobody's words."""
    key = str(video.get("extractor_key"))
    is_known = key not in _OF_ANY_PAGE
    caption = _text(video.get("description") or (video.get("title") if is_known else None), MAX_CAPTION_CHARS)
    posted_at_s = video.get("timestamp") if is_known else None
    return Found(
        tool=f"yt-dlp {version}",
        platform=key.lower() if is_known else "web",
        platform_id=_text(video.get("id"), 100) if is_known else None,
        caption=caption,
        hashtags=tuple(dict.fromkeys(_HASHTAG.findall(caption or "")))[:MAX_HASHTAGS],
        author_id=_text(video.get("uploader_id") or video.get("uploader"), 256) if is_known else None,
        posted_at_s=float(posted_at_s) if isinstance(posted_at_s, int | float) else None,
    )


def _text(value: object, most: int) -> str | None:
    return _UNSTORABLE.sub("\ufffd", str(value)[:most]) if value else None


def _stated_bytes(response: Response) -> int | None:
    stated = response.headers.get("Content-Length") or ""
    is_packed = response.headers.get("Content-Encoding", "identity") != "identity"
    return int(stated) if stated.isdecimal() and not is_packed else None


def _parameters(order: Order) -> dict[str, Any]:
    return {
        "proxy": order.proxy_url,
        "socket_timeout": order.idle_s,
        "cookiefile": order.cookies_file,
        "allowed_extractors": list(order.extractors),
        "format": _FORMAT,
        "noplaylist": True,
        "extractor_retries": 0,
        "cachedir": False,
        "js_runtimes": {},
        "remote_components": [],
        "enable_file_urls": False,
        "usenetrc": False,
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "color": "never",
        "check_formats": False,
        "logger": _Silence(),
    }


class _Silence:
    """Everything worth saying is in the answer."""

    def debug(self, _message: str) -> None: ...
    def info(self, _message: str) -> None: ...
    def warning(self, _message: str) -> None: ...
    def error(self, _message: str) -> None: ...
