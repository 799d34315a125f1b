"""The page as the crawl sees it: opened, scrolled, and its own answers read over DevTools."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from selenium.common import TimeoutException, WebDriverException
from urllib3.exceptions import HTTPError

from core.clock import Clock
from core.errors import BrowserUnavailable, IngestError
from core.errors_ingest import IngestRedirects, IngestTimeout, IngestUnreachable
from core.settings_ingestion import IngestionSettings
from ingestion.cookies import Cookie
from ingestion.crawl.chromium import Chromium, first_line
from ingestion.crawl.network import Head, NetworkLog
from ingestion.egress.gate import Gate
from ingestion.egress.passes import Budget

SCROLL = "window.scrollBy(0, -200); window.scrollTo(0, document.documentElement.scrollHeight);"
SHOWS = "return document.querySelector(arguments[0]) !== null;"

GRACE_S = 60.0

log = structlog.get_logger()


@dataclass(frozen=True)
class Answer:
    """One answer that the page received; `body` None: too large, or already gone from the browser's memory."""

    head: Head
    body: str | None


class Browser:
    """One headless Chromium behind the proxy at `http://host:port`; close it.

    Every call raises BrowserUnavailable when Chromium hung or died: close it then, and open another. `refusals` is what
    the proxy said no to so far, and why: a page that it kept out fails with that.
    """

    def __init__(
        self,
        proxy: str,
        settings: IngestionSettings,
        *,
        cookies: Sequence[Cookie] = (),
        clock: Clock,
        refusals: Callable[[], Sequence[IngestError]] = tuple,
    ) -> None:
        self._refusals = refusals
        self._refused_before = 0
        self._chromium = Chromium(proxy, settings)
        self._driver = self._chromium.driver
        self._clock = clock
        self._spent_s = clock.monotonic_s() + settings.crawl_browser_s
        self._log = NetworkLog(lambda _: False, tab="")
        try:
            with _as_ours():
                self._prepare(settings.crawl_answer_max_bytes, cookies)
        except BrowserUnavailable:
            self.close()
            raise

    def open(self, url: str, is_wanted: Callable[[str], bool]) -> None:
        """Load a page; from now on its answers from wanted addresses are kept for `answers`.

        Raises:
            IngestError: the page does not load, with the reason.
        """
        self._refused_before = len(self._refusals())
        try:
            with _as_ours():
                # What the page before it still had in flight is not this one's.
                self._entries()
                self._log = NetworkLog(is_wanted, tab=self._driver.current_window_handle)
                self._driver.get(url)
        except IngestUnreachable as error:
            raise self._refusal() or error from error

    def answers(self) -> Iterator[Answer]:
        """The wanted answers that came since the last call, oldest first."""
        with _as_ours():
            entries = self._entries()
        for head in self._log.take(entries):
            yield Answer(head, self._body(head))

    @property
    def document(self) -> Head | None:
        """How the site answered for the page itself, as far as `answers` has read.

        Raises:
            IngestError: it did not load, with the reason.
        """
        document = self._log.document
        if self._log.failure is not None:
            raise self._refusal() or _net_error(self._log.failure)
        if document is not None and document.status >= HTTPStatus.BAD_REQUEST and (refusal := self._refusal()):
            raise refusal
        return document

    @property
    def url(self) -> str:
        """Where the page is now."""
        with _as_ours():
            return self._driver.current_url

    @property
    def version(self) -> str:
        """Chromium's."""
        return str(self._driver.capabilities["browserVersion"])

    @property
    def is_spent(self) -> bool:
        """Whether it ran as long as one browser may."""
        return self._clock.monotonic_s() >= self._spent_s

    def shows(self, selector: str) -> bool:
        """Whether an element that matches is on the page."""
        with _as_ours():
            return bool(self._driver.execute_script(SHOWS, selector))

    def scroll(self) -> None:
        """Go to the end of the page, with a small step back that pages wait for."""
        with _as_ours():
            self._driver.execute_script(SCROLL)

    def close(self) -> None:
        """End the browser and all it started."""
        self._chromium.close()

    def _refusal(self) -> IngestError | None:
        """Why the proxy kept out the page that was opened, if it did: what it refused first."""
        return next(iter(self._refusals()[self._refused_before :]), None)

    def _prepare(self, answer_max_bytes: int, cookies: Sequence[Cookie]) -> None:
        # Chromium forgets a larger body at once, so that no answer costs more memory than this.
        limits = {"maxResourceBufferSize": answer_max_bytes, "maxTotalBufferSize": 4 * answer_max_bytes}
        self._driver.execute_cdp_cmd("Network.enable", limits)
        if cookies:
            given = [cookie.for_devtools() for cookie in cookies]
            self._driver.execute_cdp_cmd("Network.setCookies", {"cookies": given})

    def _entries(self) -> list[dict[str, str]]:
        entries: list[dict[str, str]] = self._driver.execute("getLog", {"type": "performance"})["value"]
        return entries

    def _body(self, head: Head) -> str | None:
        with _as_ours():
            try:
                found = self._driver.execute_cdp_cmd("Network.getResponseBody", {"requestId": head.request_id})
            except WebDriverException:
                return None  # A browser that died says so at the next call.
        return None if found["base64Encoded"] else str(found["body"])


@contextmanager
def browser_behind(
    gate: Gate, settings: IngestionSettings, *, cookies: Sequence[Cookie] = (), clock: Clock
) -> Iterator[Browser]:
    """A browser whose every byte goes through the gate, on a pass of its own that ends with it."""
    budget = Budget(max_bytes=settings.crawl_max_bytes, max_s=settings.crawl_browser_s + GRACE_S)
    with gate.admit(budget, has_token=False) as leave:
        browser = Browser(leave.proxy_url, settings, cookies=cookies, clock=clock, refusals=lambda: leave.refusals)
        try:
            yield browser
        finally:
            browser.close()
            if leave.refusals:
                log.warning("crawl.gate_refused", codes=dict(Counter(refusal.code for refusal in leave.refusals)))


@contextmanager
def _as_ours() -> Iterator[None]:
    try:
        yield
    except TimeoutException as error:
        raise IngestTimeout("the page did not load, or did not react, in its time") from error
    except WebDriverException as error:
        raise _net_error(first_line(error)) from error
    except (HTTPError, OSError) as error:
        raise BrowserUnavailable(f"the browser no longer answers: {first_line(error)}") from error


def _net_error(line: str) -> IngestRedirects | IngestUnreachable | BrowserUnavailable:
    _, is_of_the_net, reason = line.partition("net::")
    if "ERR_TOO_MANY_REDIRECTS" in reason:
        return IngestRedirects("the page redirects in a circle")
    if is_of_the_net:
        return IngestUnreachable(f"the page did not load: {reason}")
    return BrowserUnavailable(f"the browser failed: {line}")
