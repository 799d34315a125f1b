"""The browser's network events → the answers worth reading; bounded, as a page may flood them."""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_LOADING = 1_000
READ_BY_PAGES = frozenset({"XHR", "Fetch"})


@dataclass(frozen=True)
class Head:
    """What is known of an answer before its body."""

    request_id: str
    url: str
    status: int
    retry_after_s: float | None


class NetworkLog:
    """Follows one tab: which wanted answers are complete, and how its own document was answered."""

    def __init__(self, is_wanted: Callable[[str], bool], *, tab: str) -> None:
        self.document: Head | None = None
        self.failure: str | None = None
        """Why the page itself did not load, as `net::ERR_...`."""
        self._is_wanted = is_wanted
        self._tab = tab
        self._loading: OrderedDict[str, Head] = OrderedDict()
        self._document_id: str | None = None

    def take(self, entries: Iterable[Mapping[str, Any]]) -> Iterator[Head]:
        """Read performance-log entries; gives the wanted answers that are complete by now."""
        for entry in entries:
            event = json.loads(entry["message"])["message"]
            method, params = event["method"], event["params"]
            if method == "Network.requestWillBeSent" and self._is_of_tab(params):
                self._document_id = params["requestId"]
            elif method == "Network.responseReceived":
                self._start(params)
            elif method == "Network.loadingFinished" and params["requestId"] in self._loading:
                yield self._loading.pop(params["requestId"])
            elif method == "Network.loadingFailed":
                self._fail(params["requestId"], params["errorText"])

    def _is_of_tab(self, params: Mapping[str, Any]) -> bool:
        return params.get("type") == "Document" and params.get("frameId") == self._tab

    def _fail(self, request_id: str, reason: str) -> None:
        self._loading.pop(request_id, None)
        # A page that is there may fail to lead elsewhere, to an app for instance; it is there all the same.
        if request_id == self._document_id and self.document is None:
            self.failure = reason

    def _start(self, params: Mapping[str, Any]) -> None:
        response = params["response"]
        if self._is_of_tab(params):
            self.document = _head(params["requestId"], response)
        elif params["type"] not in READ_BY_PAGES:
            return
        if self._is_wanted(response["url"]):
            self._loading[params["requestId"]] = _head(params["requestId"], response)
            if len(self._loading) > MAX_LOADING:
                self._loading.popitem(last=False)


def _head(request_id: str, response: Mapping[str, Any]) -> Head:
    headers = {name.lower(): value for name, value in response["headers"].items()}
    return Head(request_id, response["url"], int(response["status"]), _seconds(headers.get("retry-after", "")))


def _seconds(retry_after: str) -> float | None:
    # The other form, a date, is not worth trusting a stranger's clock.
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None
