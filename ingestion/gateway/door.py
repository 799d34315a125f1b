"""Who asks: the API key of a request, checked in the database each time, and its rate."""

import asyncio
from concurrent.futures import Executor
from contextlib import suppress

from starlette.requests import Request

from core.errors import DependencyError
from core.storage.api_keys import ApiKey, ApiKeys, Scope
from ingestion.gateway.limits import Limits
from ingestion.gateway.refusals import KeyRefused, ScopeRefused


class Door:
    """Lets requests in."""

    def __init__(self, keys: ApiKeys, limits: Limits, pool: Executor) -> None:
        self._keys = keys
        self._limits = limits
        self._pool = pool

    async def admit(self, request: Request, scope: Scope) -> ApiKey:
        """The key of a request that may do this, counted against its rate.

        Raises:
            KeyRefused: it has no key, an unknown or a revoked one.
            ScopeRefused: its key may not do this.
            RequestsTooMany: its key did so too often.
        """
        key = await self._check(request)
        self._limits.take(key.key_id)
        if scope not in key.scopes:
            raise ScopeRefused(f"this API key may not {scope}; ask for one that may")
        return key

    async def still(self, request: Request) -> bool:
        """Whether the key of a request that takes long was not revoked meanwhile, as far as can be known."""
        try:
            # An outage revokes nothing.
            with suppress(DependencyError):
                await self._check(request)
        except KeyRefused:
            return False
        return True

    async def _check(self, request: Request) -> ApiKey:
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise KeyRefused("send your API key: Authorization: Bearer cw_...")
        key = await asyncio.get_running_loop().run_in_executor(self._pool, self._keys.check, text.strip())
        if key is None:
            raise KeyRefused("this API key is unknown or was revoked")
        return key
