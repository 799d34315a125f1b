"""One delivery → one POST through the gate out → what the receiver said, or why it could not be asked."""

from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx

from core.clock import Clock
from core.errors import PlatformError
from core.routing import Channel
from core.routing_event import AGENT, headers
from core.settings_ingestion import IngestionSettings
from core.settings_routing import RoutingSettings
from core.storage.deliveries import Parcel
from ingestion.egress.gate import Gate
from ingestion.egress.passes import Budget, Pass
from operations.routing.carrier import Answer, event
from operations.routing.letter import letter
from operations.routing.written import as_chat

ANSWER_SHOWN = 300
"""Characters of a receiver's answer that are kept."""
CODE = "X-Clipwarden-Code"
"""Of a refusal by the gate."""
_OVERHEAD_BYTES = 32_768
"""Of heads and of TLS: the budget bounds what is moved in both directions."""
_NEVER = frozenset({HTTPStatus.GONE})
_LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


def gate(settings: RoutingSettings) -> Gate:
    """The same gate as that of links, with the router's own allow-list."""
    own = IngestionSettings(
        allow=settings.allow, connect_timeout_s=settings.timeout_s, idle_timeout_s=settings.timeout_s
    )
    return Gate(own)


class Webhook:
    """Sends parcels; safe to share between threads.

    Guarantee: only the receiver's own address is asked, never one that it redirects to, and never longer than
    `timeout_s` or for more than `max_answer_bytes`.
    """

    def __init__(self, settings: RoutingSettings, opened: Gate, clock: Clock) -> None:
        self._settings = settings
        self._gate = opened
        self._clock = clock

    def send(self, parcel: Parcel) -> Answer:
        """Make one attempt; what goes wrong is an answer too."""
        now = self._clock.now()
        body, fields = (_chat if parcel.terms.channel is Channel.CHAT else _signed)(parcel, self._settings, now)
        budget = Budget(
            max_bytes=len(body) + self._settings.max_answer_bytes + _OVERHEAD_BYTES, max_s=self._settings.timeout_s
        )
        with self._gate.admit(budget) as leave:
            try:
                return self._post(parcel.url, body, fields, leave=leave, now=now)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return _failed(leave.refusals, error)

    def _post(self, url: str, body: bytes, fields: dict[str, str], *, leave: Pass, now: datetime) -> Answer:
        timeout = httpx.Timeout(self._settings.timeout_s)
        with (
            httpx.Client(proxy=leave.proxy_url, trust_env=False, follow_redirects=False, timeout=timeout) as client,
            client.stream("POST", url, content=body, headers=fields) as response,
        ):
            if leave.refusals and CODE in response.headers:
                # In plain HTTP it is the gate that answers.
                return _refused(leave.refusals[0])
            return _judge(response, _beginning(response), now)


def _signed(parcel: Parcel, settings: RoutingSettings, now: datetime) -> tuple[bytes, dict[str, str]]:
    body = event(parcel, settings.console_url).to_bytes()
    return body, headers(parcel.secret, body, delivery_id=parcel.delivery_id, now=now)


def _chat(parcel: Parcel, settings: RoutingSettings, now: datetime) -> tuple[bytes, dict[str, str]]:
    del now
    # Nothing is signed: whoever knows a chat's address may write to it, that is how chats do it.
    body = as_chat(letter(event(parcel, settings.console_url), parcel.terms.tongue, settings.console_url))
    return body, {"Content-Type": "application/json", "User-Agent": AGENT}


def _beginning(response: httpx.Response) -> str:
    """The first characters of an answer, whatever it claims to be; the rest is not read."""
    data = b""
    # An answer that breaks off, or that the gate cut, has said its status.
    with suppress(httpx.HTTPError):
        for chunk in response.iter_raw(4_096):
            data += chunk
            if len(data) >= 4 * ANSWER_SHOWN:
                break
    return data.decode("utf-8", "replace")[:ANSWER_SHOWN]


def _judge(response: httpx.Response, text: str, now: datetime) -> Answer:
    status = response.status_code
    if response.is_success:
        return Answer(status, text, is_taken=True)
    if response.has_redirect_location or response.is_redirect:
        return Answer(status, f"redirects are not followed (it answered {status}); correct the address", is_final=True)
    wait_s = _asked_to_wait_s(response.headers.get("Retry-After", ""), now) if status in _LATER else 0.0
    return Answer(status, f"answered {status}: {text}".strip(), is_final=status in _NEVER, wait_s=wait_s)


def _asked_to_wait_s(value: str, now: datetime) -> float:
    """Retry-After in either of its forms; 0 for nonsense."""
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        return max(0.0, (parsedate_to_datetime(value) - now).total_seconds())
    except (ValueError, TypeError):
        return 0.0


def _failed(refusals: tuple[PlatformError, ...], error: Exception) -> Answer:
    return _refused(refusals[0]) if refusals else Answer(None, f"{type(error).__name__}: {error}")


def _refused(refusal: PlatformError) -> Answer:
    """The gate said no; only what a moment may change is tried again."""
    return Answer(None, str(refusal), is_final=not getattr(refusal, "is_passing", False))
