"""Alert routes as people write them: each change in the audit log, the secret shown once and never read again."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from core.access import Capability, Person
from core.errors_console import SettingRefused
from core.routing import RouteForm, Terms
from core.storage.audit_log import Act, note
from core.storage.database import Database

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with, so that a scanner of code finds a lost one
COUNTED_OVER = "24 hours"

# One round trip for the whole tab; the secret stays where it is.
_ROUTES = """
SELECT route_id, name, url, terms, is_enabled, changed_at, changed_by, waiting, delivered, held, dead, oldest, newest
FROM alert_routes LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'pending') AS waiting,
           count(*) FILTER (WHERE state = 'delivered') AS delivered,
           count(*) FILTER (WHERE state IN ('held', 'told')) AS held, count(*) FILTER (WHERE state = 'dead') AS dead,
           min(created_at) FILTER (WHERE state = 'pending') AS oldest
    FROM alert_deliveries AS lately WHERE lately.route_id = alert_routes.route_id AND kind <> 'test'
      AND (created_at > now() - %(over)s::interval OR state IN ('pending', 'dead'))
) AS counted ON true LEFT JOIN LATERAL (
    SELECT max(ended_at) AS newest FROM alert_deliveries AS ended
    WHERE ended.route_id = alert_routes.route_id AND state = 'delivered' AND kind <> 'test'
) AS last ON true
ORDER BY name
"""
# Of each route its last test, and the newest deliveries that failed.
_TOLD = """
SELECT route_id, delivery_id, kind, state, video_id, created_at, due_at, attempts, ended_at, status, reason FROM (
    SELECT *, row_number() OVER (PARTITION BY route_id, kind = 'test' ORDER BY created_at DESC) AS place
    FROM alert_deliveries WHERE kind = 'test' OR (state IN ('pending', 'dead') AND reason <> '')
) AS told WHERE place <= CASE WHEN kind = 'test' THEN 1 ELSE %(limit)s END
ORDER BY route_id, created_at DESC
"""
_ADD = """
INSERT INTO alert_routes (name, url, secret, terms, is_enabled, changed_by)
VALUES (%(name)s, %(url)s, %(secret)s, %(terms)s, %(is_enabled)s, %(by)s) RETURNING route_id
"""
_CHANGE = """
UPDATE alert_routes SET name = %(name)s, url = %(url)s, terms = %(terms)s, is_enabled = %(is_enabled)s,
    changed_at = now(), changed_by = %(by)s
WHERE route_id = %(route_id)s
"""
_BEFORE = "SELECT name, url, terms, is_enabled FROM alert_routes WHERE route_id = %(route_id)s FOR UPDATE"
_RENEW = """
UPDATE alert_routes SET secret = %(secret)s, changed_at = now(), changed_by = %(by)s
WHERE route_id = %(route_id)s RETURNING name
"""
_REMOVE = "DELETE FROM alert_routes WHERE route_id = %(route_id)s RETURNING name"
_SEND_TEST = """
INSERT INTO alert_deliveries (route_id, kind, state, facts) SELECT route_id, 'test', 'pending', '{}' FROM alert_routes
WHERE route_id = %(route_id)s RETURNING delivery_id
"""
_REVIVE = """
UPDATE alert_deliveries SET state = 'pending', attempts = 0, due_at = now(), ended_at = NULL
WHERE route_id = %(route_id)s AND state = 'dead' AND kind <> 'test'
"""


@dataclass(frozen=True)
class RouteRow:
    """A route and how it does.

    Attributes:
        waiting, dead: deliveries now; delivered, held: of the last day.
        oldest: since when a delivery waits; newest: when one last arrived.
    """

    route_id: int
    form: RouteForm
    changed_at: datetime
    changed_by: str
    waiting: int
    delivered: int
    held: int
    dead: int
    oldest: datetime | None
    newest: datetime | None


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery, as far as a person wants to know.

    Attributes:
        reason: why the last attempt failed, or what the receiver of a test said; data of others.
    """

    route_id: int
    delivery_id: UUID
    kind: str
    state: str
    video_id: str | None
    created_at: datetime
    due_at: datetime
    attempts: int
    ended_at: datetime | None
    status: int | None
    reason: str


class Routes:
    """The routes for who may set them; safe to share between threads. All raise StoreUnavailable and Forbidden."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, person: Person) -> list[RouteRow]:
        """Every route, by name."""
        person.require(Capability.SET_POLICY)
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return [_route(row) for row in cursor.execute(_ROUTES, {"over": COUNTED_OVER})]

    def told(self, person: Person, limit: int) -> list[DeliveryRow]:
        """Of each route its last test, and its newest deliveries that failed, `limit` at the most; newest first."""
        person.require(Capability.SET_POLICY)
        with self._database.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return [DeliveryRow(**row) for row in cursor.execute(_TOLD, {"limit": limit})]

    def add(self, person: Person, form: RouteForm) -> str:
        """Make a route; returns its secret, which nobody is shown again.

        Raises:
            SettingRefused: there is one of this name.
        """
        person.require(Capability.SET_POLICY)
        secret = new_secret()
        with _unique(form.name), self._database.transaction() as connection:
            connection.execute(_ADD, {**_values(form, person), "secret": secret})
            note(connection, person, Act.CHANGED_SETTING, _subject(form.name), change="added", to=_shown(form))
        return secret

    def change(self, person: Person, route_id: int, form: RouteForm) -> None:
        """Write a route anew; its secret stays.

        Raises:
            SettingRefused: it is gone, or another has this name.
        """
        person.require(Capability.SET_POLICY)
        with _unique(form.name), self._database.transaction() as connection:
            before = connection.execute(_BEFORE, {"route_id": route_id}).fetchone()
            if before is None:
                raise _gone()
            name, url, terms, is_enabled = before
            old = _shown(RouteForm.read(name=name, url=url, terms=terms, is_enabled=is_enabled))
            connection.execute(_CHANGE, {**_values(form, person), "route_id": route_id})
            changes = {"change": "changed", "before": old, "to": _shown(form)}
            note(connection, person, Act.CHANGED_SETTING, _subject(form.name), **changes)

    def renew_secret(self, person: Person, route_id: int) -> str:
        """Give the route another secret, at once; returns it, once."""
        secret = new_secret()
        self._act(person, _RENEW, {"route_id": route_id, "secret": secret, "by": person.user_id}, "secret renewed")
        return secret

    def remove(self, person: Person, route_id: int) -> None:
        """Delete a route with its deliveries."""
        self._act(person, _REMOVE, {"route_id": route_id}, "removed")

    def send_test(self, person: Person, route_id: int) -> None:
        """Ask the router for a signed test; `told` holds the answer."""
        person.require(Capability.SET_POLICY)
        with self._database.transaction() as connection:
            if connection.execute(_SEND_TEST, {"route_id": route_id}).fetchone() is None:
                raise _gone()
            note(connection, person, Act.COMMANDED, f"route:{route_id}", command="send test")

    def revive(self, person: Person, route_id: int) -> int:
        """Try the dead deliveries of a route again, from the first attempt; how many."""
        person.require(Capability.SET_POLICY)
        with self._database.transaction() as connection:
            revived = connection.execute(_REVIVE, {"route_id": route_id}).rowcount
            note(connection, person, Act.COMMANDED, f"route:{route_id}", command="send again", deliveries=revived)
        return revived

    def _act(self, person: Person, statement: str, values: Mapping[str, object], change: str) -> None:
        person.require(Capability.SET_POLICY)
        with self._database.transaction() as connection:
            row = connection.execute(statement, values).fetchone()
            if row is None:
                raise _gone()
            note(connection, person, Act.CHANGED_SETTING, _subject(row[0]), change=change)


@contextmanager
def _unique(name: str) -> Iterator[None]:
    try:
        yield
    except psycopg.errors.UniqueViolation as error:
        raise SettingRefused("there is a route named {name!r} already; choose another name", name=name) from error


def new_secret() -> str:
    """A secret of 256 bits."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def _gone() -> SettingRefused:
    return SettingRefused("the route is gone: somebody removed it; look at the list again")


def _subject(name: str) -> str:
    return f"route:{name}"


def _shown(form: RouteForm) -> dict[str, Any]:
    """A route in the audit log; a set has no order of its own."""
    body = {**form.model_dump(mode="json"), "url": form.shown_url}
    return {**body, "terms": {key: sorted(v) if isinstance(v, list) else v for key, v in body["terms"].items()}}


def _values(form: RouteForm, person: Person) -> dict[str, Any]:
    terms = Jsonb(form.terms.model_dump(mode="json"))
    return {"name": form.name, "url": form.url, "terms": terms, "is_enabled": form.is_enabled, "by": person.user_id}


def _route(row: dict[str, Any]) -> RouteRow:
    terms = Terms.model_validate(row.pop("terms"))
    form = RouteForm(name=row.pop("name"), url=row.pop("url"), terms=terms, is_enabled=row.pop("is_enabled"))
    return RouteRow(form=form, **row)
