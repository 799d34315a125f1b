"""The router's side of alert routing: flagged videos become deliveries, deliveries end as delivered or dead."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from core.routing import Alert, Held, Outcome, Recent, Terms, digest
from core.storage.database import Database

BATCH = 500
"""How many flagged videos one transaction takes."""
REASON_LIMIT = 500
KEPT = "30 days"
"""How long ended deliveries are kept; a window of a week looks no further back."""

# One router judges at a time: two would each see room for one alert more.
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('clipwarden.router'))"
_TAKE = """
DELETE FROM flagged_videos WHERE flag_id IN (
    SELECT flag_id FROM flagged_videos ORDER BY flag_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) RETURNING flag_id, facts
"""
_ENABLED = "SELECT route_id, terms FROM alert_routes WHERE is_enabled ORDER BY route_id FOR SHARE"
_SENT = "route_id = %(route_id)s AND kind = 'alert' AND state IN ('pending', 'delivered')"
_RECENT = f"""
SELECT 'video', video_id, max(severity) FROM alert_deliveries
WHERE {_SENT} AND video_id = ANY(%(videos)s) AND created_at > now() - make_interval(secs => %(video_window_s)s)
GROUP BY 2
UNION ALL SELECT 'author', author_id, max(severity) FROM alert_deliveries
WHERE {_SENT} AND author_id = ANY(%(authors)s) AND created_at > now() - make_interval(secs => %(author_window_s)s)
GROUP BY 2
UNION ALL SELECT 'hour', '', count(*) FROM alert_deliveries WHERE {_SENT} AND created_at > now() - interval '1 hour'
"""  # noqa: S608 - put together from constants of this file
_ADD = """
INSERT INTO alert_deliveries (route_id, kind, state, video_id, verdict_id, author_id, severity, facts, reason)
VALUES (%(route_id)s, 'alert', %(state)s, %(video_id)s, %(verdict_id)s, %(author_id)s, %(severity)s, %(facts)s,
        %(reason)s)
ON CONFLICT DO NOTHING
"""
# What is held back waits until the oldest of it is old enough: one digest then holds it all.
_HELD = """
SELECT route_id, terms, extract(epoch FROM now() - min(created_at))
FROM alert_deliveries JOIN alert_routes USING (route_id)
WHERE state = 'held' AND is_enabled GROUP BY route_id, terms
"""
_TELL = """
UPDATE alert_deliveries SET state = 'told', ended_at = now() WHERE route_id = %(route_id)s AND state = 'held'
RETURNING facts, reason
"""
_DIGEST = (
    "INSERT INTO alert_deliveries (route_id, kind, state, facts) VALUES (%(route_id)s, 'digest', 'pending', %(facts)s)"
)

# Whoever claims has until `due_at`; a router that was killed loses its claim by time alone.
_CLAIM = """
UPDATE alert_deliveries AS delivery SET attempts = attempts + 1, due_at = now() + make_interval(secs => %(lease_s)s)
FROM alert_routes AS route
WHERE route.route_id = delivery.route_id AND delivery_id IN (
    SELECT delivery_id FROM alert_deliveries JOIN alert_routes USING (route_id)
    WHERE state = 'pending' AND due_at <= now() AND (is_enabled OR kind = 'test')
    ORDER BY due_at LIMIT %(limit)s FOR UPDATE OF alert_deliveries SKIP LOCKED
)
RETURNING delivery_id, delivery.route_id, kind, facts, attempts, url, secret, terms, (
    SELECT body->>'caption' FROM videos
    WHERE videos.video_id = delivery.video_id AND videos.verdict_id = delivery.verdict_id
      AND (route.terms->>'has_caption')::boolean
) AS caption
"""
_ENDED = """
UPDATE alert_deliveries SET state = %(state)s, ended_at = now(), status = %(status)s, reason = %(reason)s
WHERE delivery_id = %(delivery_id)s AND state = 'pending'
"""
_AGAIN = """
UPDATE alert_deliveries SET due_at = now() + make_interval(secs => %(wait_s)s), status = %(status)s, reason = %(reason)s
WHERE delivery_id = %(delivery_id)s AND state = 'pending'
"""
_TIDY = "DELETE FROM alert_deliveries WHERE ended_at < now() - %(kept)s::interval"
_WAITING = """
SELECT (SELECT count(*) FROM flagged_videos), count(*), coalesce(extract(epoch FROM now() - min(created_at)), 0)
FROM alert_deliveries WHERE state = 'pending'
"""


@dataclass(frozen=True)
class Parcel:
    """A delivery that is this router's for a while.

    Attributes:
        facts: an alert, a digest, or nothing (a test).
        caption: only for a route that asks for it, while the video's verdict is the one told of.
        attempts: counting this one.
    """

    delivery_id: UUID
    route_id: int
    kind: str
    facts: Mapping[str, Any]
    attempts: int
    url: str
    secret: str
    terms: Terms
    caption: str | None

    def __repr__(self) -> str:
        """Without the secret: whatever prints a parcel must not print it."""
        return f"Parcel({self.delivery_id}, route {self.route_id}, {self.kind}, attempt {self.attempts})"


class Deliveries:
    """What the router reads and writes; several routers may. All raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def route(self) -> int:
        """Judge what was flagged and write the deliveries, in one transaction; how many flagged videos that were."""
        with self._database.transaction() as connection:
            connection.execute(_ALONE)
            taken = sorted(connection.execute(_TAKE, {"limit": BATCH}).fetchall())
            alerts = [Alert.model_validate(facts) for _, facts in taken]
            if alerts:
                for route_id, terms in connection.execute(_ENABLED).fetchall():
                    _deal(connection, route_id, Terms.model_validate(terms), alerts)
        return len(taken)

    def sum_up(self) -> int:
        """Make a digest for each route that has had something held back for as long as it gathers; how many."""
        with self._database.transaction() as connection:
            connection.execute(_ALONE)
            held_back = connection.execute(_HELD).fetchall()
            ripe = [one for one, terms, age_s in held_back if age_s >= Terms.model_validate(terms).digest_s]
            for route_id in ripe:
                told = connection.execute(_TELL, {"route_id": route_id}).fetchall()
                held = [Held(Alert.model_validate(facts), Outcome(reason)) for facts, reason in told]
                facts = Jsonb(digest(held).model_dump(mode="json"))
                connection.execute(_DIGEST, {"route_id": route_id, "facts": facts})
        return len(ripe)

    def claim(self, limit: int, *, lease_s: float) -> list[Parcel]:
        """The deliveries that are due longest, this router's for `lease_s`."""
        values = {"limit": limit, "lease_s": lease_s}
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(_CLAIM, values).fetchall()
        return [Parcel(**{**row, "terms": Terms.model_validate(row["terms"])}) for row in rows]

    def delivered(self, parcel: Parcel, status: int, answer: str) -> None:
        """The receiver took it."""
        self._end(parcel, "delivered", status=status, reason=answer)

    def dead(self, parcel: Parcel, reason: str, *, status: int | None) -> None:
        """It is not tried again, until a person asks for it."""
        self._end(parcel, "dead", status=status, reason=reason)

    def again(self, parcel: Parcel, reason: str, *, status: int | None, wait_s: float) -> None:
        """It is tried again later."""
        values = {"delivery_id": parcel.delivery_id, "status": status, "reason": _kept(reason), "wait_s": wait_s}
        with self._database.connection() as connection:
            connection.execute(_AGAIN, values)

    def tidy(self) -> None:
        """Delete what ended long ago."""
        with self._database.connection() as connection:
            connection.execute(_TIDY, {"kept": KEPT})

    def waiting(self) -> tuple[int, int, float]:
        """Flagged videos not yet judged, deliveries that wait, and for how many seconds the oldest does."""
        with self._database.connection() as connection:
            row = connection.execute(_WAITING).fetchone()
        flagged, pending, oldest_s = row or (0, 0, 0.0)
        return int(flagged), int(pending), float(oldest_s)

    def _end(self, parcel: Parcel, state: str, *, status: int | None, reason: str) -> None:
        values = {"delivery_id": parcel.delivery_id, "state": state, "status": status, "reason": _kept(reason)}
        with self._database.connection() as connection:
            connection.execute(_ENDED, values)


def _deal(connection: psycopg.Connection, route_id: int, terms: Terms, alerts: Sequence[Alert]) -> None:
    """One route's share of what was flagged, in the order in which it was."""
    wanted = [alert for alert in alerts if terms.wants(alert)]
    if not wanted:
        return
    recent = _recent(connection, route_id, terms, wanted)
    judged = [(alert, recent.judge(terms, alert)) for alert in wanted]
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, [_row(route_id, alert, outcome) for alert, outcome in judged])


def _recent(connection: psycopg.Connection, route_id: int, terms: Terms, alerts: Sequence[Alert]) -> Recent:
    values = {
        "route_id": route_id,
        "videos": [alert.video_id for alert in alerts],
        "authors": [alert.author_id for alert in alerts if alert.author_id],
        "video_window_s": terms.video_window_s,
        "author_window_s": terms.author_window_s,
    }
    recent = Recent()
    for kind, name, number in connection.execute(_RECENT, values):
        if kind == "hour":
            recent.in_hour = int(number)
        else:
            {"video": recent.videos, "author": recent.authors}[kind][name] = int(number)
    return recent


def _row(route_id: int, alert: Alert, outcome: Outcome) -> dict[str, Any]:
    is_sent = outcome is Outcome.SEND
    return {
        "route_id": route_id,
        "state": "pending" if is_sent else "held",
        "video_id": alert.video_id,
        "verdict_id": alert.verdict_id,
        "author_id": alert.author_id,
        "severity": alert.severity.value,
        "facts": Jsonb(alert.model_dump(mode="json")),
        "reason": "" if is_sent else outcome.value,
    }


def _kept(reason: str) -> str:
    """As much of a reason as a row holds; PostgreSQL knows no zero byte."""
    return reason.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:REASON_LIMIT]
