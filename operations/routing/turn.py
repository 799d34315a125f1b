"""The router's turns: judge what was flagged, send what is due, sum up what was held back."""

import random
from concurrent.futures import Future, ThreadPoolExecutor

import structlog

from core.settings_routing import RoutingSettings
from core.storage.deliveries import Deliveries, Parcel
from core.telemetry import ALERTS_ROUTED, ROUTER_OLDEST_S
from operations.routing.carrier import Answer, Carrier

SENDERS = 8
"""Deliveries under way at a time: one receiver that hangs must not hold up the others for long."""
LEASE_SLACK_S = 5.0
JITTER = 0.2

_log = structlog.get_logger()


class Courier:
    """Claims what is due, sends it, notes what came of it; to be closed."""

    def __init__(self, deliveries: Deliveries, carrier: Carrier, settings: RoutingSettings) -> None:
        self._deliveries = deliveries
        self._carrier = carrier
        self._settings = settings
        # An e-mail takes two steps of so long: to connect, and to hand it over.
        self._lease_s = 2 * settings.timeout_s + LEASE_SLACK_S
        self._pool = ThreadPoolExecutor(SENDERS, "courier")
        self._under_way: set[Future[None]] = set()

    def turn(self) -> bool:
        """Send what is due, beside what is still under way; whether there was any.

        Raises:
            StoreUnavailable: what was sent could not be noted; it is sent again once its claim ran out.
        """
        ended = {sent for sent in self._under_way if sent.done()}
        self._under_way -= ended
        for sent in ended:
            sent.result()
        free = SENDERS - len(self._under_way)
        parcels = self._deliveries.claim(free, lease_s=self._lease_s) if free else []
        self._under_way |= {self._pool.submit(self._send, parcel) for parcel in parcels}
        return bool(parcels)

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown()

    def _send(self, parcel: Parcel) -> None:
        answer = self._carrier.send(parcel)
        outcome = self._note(parcel, answer)
        ALERTS_ROUTED.labels(parcel.kind, outcome).inc()
        # Neither address nor answer: an address may hold a secret of the receiver's, an answer is data of others.
        _log.info(
            "alert.sent",
            delivery_id=str(parcel.delivery_id),
            route_id=parcel.route_id,
            kind=parcel.kind,
            attempt=parcel.attempts,
            status=answer.status,
            outcome=outcome,
        )

    def _note(self, parcel: Parcel, answer: Answer) -> str:
        is_test = parcel.kind == "test"
        if answer.is_taken:
            self._deliveries.delivered(parcel, answer.status or 0, answer.text if is_test else "")
            return "delivered"
        if answer.is_final or is_test or parcel.attempts >= self._settings.max_attempts:
            self._deliveries.dead(parcel, answer.text, status=answer.status)
            return "dead"
        self._deliveries.again(parcel, answer.text, status=answer.status, wait_s=self._wait_s(parcel, answer))
        return "again"

    def _wait_s(self, parcel: Parcel, answer: Answer) -> float:
        """Doubled each time, or as the receiver asks, within bounds; scattered, so that a crowd does not come back."""
        grown_s = self._settings.retry_s * 2.0 ** min(parcel.attempts - 1, 30)
        wait_s = min(max(grown_s, answer.wait_s), self._settings.retry_max_s)
        return wait_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret hangs on it


class Judge:
    """Turns flagged videos into deliveries.

    Attributes:
        pending: deliveries that waited at the last look.
    """

    pending = 0

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries

    def turn(self) -> bool:
        """Judge one batch; whether there was one."""
        return self._deliveries.route() > 0

    def look(self) -> bool:
        """Sum up what was held back, forget what ended long ago, count for the metrics."""
        self._deliveries.sum_up()
        self._deliveries.tidy()
        _, self.pending, oldest_s = self._deliveries.waiting()
        ROUTER_OLDEST_S.set(oldest_s)
        return False
