"""API keys of the gateway: made once, kept as hashes, checked at every request, so that a revoked one ends at once."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from psycopg.types.json import Jsonb

from core.settings import StoreSettings
from core.storage.database import Database

_SHAPE = re.compile(r"cw_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
_SECRET_BYTES = 32
_INSERT = """
INSERT INTO api_keys (key_id, name, hash, scopes, created_at) VALUES (%(key_id)s, %(name)s, %(hash)s, %(scopes)s, now())
RETURNING key_id, name, scopes, created_at, revoked_at
"""
_SELECT = "SELECT key_id, name, scopes, created_at, revoked_at FROM api_keys ORDER BY created_at, key_id"
_CHECK = "SELECT key_id, name, scopes, created_at, revoked_at, hash FROM api_keys WHERE key_id = %s"
_REVOKE = "UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE key_id = %s RETURNING key_id"


class Scope(StrEnum):
    """What a key may do."""

    POST = "post"
    READ = "read"


@dataclass(frozen=True)
class ApiKey:
    """A key, without what proves it.

    Attributes:
        name: whose it is, in the operator's words.
    """

    key_id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    revoked_at: datetime | None


class ApiKeys:
    """The keys of one database; safe to share between threads. All raise StoreUnavailable.

    A key holds 256 random bits, so that its plain SHA-256 cannot be turned back by guessing.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._database = Database(settings, "api-keys")

    def make(self, name: str, scopes: Sequence[Scope]) -> tuple[ApiKey, str]:
        """A new key and, this one time, the text that its owner sends."""
        key_id = secrets.token_hex(6)
        text = f"cw_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        values = {"key_id": key_id, "name": name, "hash": _hash(text), "scopes": Jsonb([*dict.fromkeys(scopes)])}
        with self._database.connection() as connection:
            row = connection.execute(_INSERT, values).fetchone()
        assert row is not None  # noqa: S101 - RETURNING
        return _key(row), text

    def list(self) -> list[ApiKey]:
        """Every key, revoked ones too, oldest first."""
        with self._database.connection() as connection:
            return [_key(row) for row in connection.execute(_SELECT)]

    def revoke(self, key_id: str) -> bool:
        """End a key, for good; whether there is one of that id."""
        with self._database.connection() as connection:
            return connection.execute(_REVOKE, (key_id,)).fetchone() is not None

    def check(self, text: str) -> ApiKey | None:
        """The key that a caller sent; None: it is none, or it was revoked."""
        shape = _SHAPE.fullmatch(text)
        if shape is None:
            return None
        with self._database.connection() as connection:
            row = connection.execute(_CHECK, (shape[1],)).fetchone()
        if row is None or not hmac.compare_digest(str(row[5]), _hash(text)):
            return None
        key = _key(row)
        return key if key.revoked_at is None else None

    def ping(self) -> None:
        """Raise StoreUnavailable when the database does not answer."""
        with self._database.connection() as connection:
            connection.execute("SELECT 1")

    def close(self) -> None:
        """Let go of the pool."""
        self._database.close()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _key(row: Sequence[object]) -> ApiKey:
    key_id, name, scopes, created_at, revoked_at = row[:5]
    assert isinstance(scopes, list)  # noqa: S101 - jsonb
    assert isinstance(created_at, datetime)  # noqa: S101 - timestamptz
    ended = revoked_at.astimezone(UTC) if isinstance(revoked_at, datetime) else None
    return ApiKey(str(key_id), str(name), frozenset(map(Scope, scopes)), created_at.astimezone(UTC), ended)
