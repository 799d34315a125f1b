"""Where a connection may lead: resolved once, judged, and connected to exactly what was judged."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

from core.errors_ingest import IngestAddressRefused, IngestUnreachable
from ingestion.address import check_public

Resolve = Callable[[str, int], Awaitable[list[str]]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

PORTS = frozenset({80, 443})


async def resolve_by_system(host: str, port: int) -> list[str]:
    """The addresses of a name, in the system's order; also of literals in any spelling (`0x7f.1`)."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class Router:
    """Connects to public addresses, and to the few that `allow` names as host:port."""

    def __init__(
        self, allow: frozenset[str], connect_timeout_s: float, *, resolve: Resolve, ports: frozenset[int] = PORTS
    ) -> None:
        self._allow = frozenset(entry.lower().replace("[", "").replace("]", "") for entry in allow)
        self._timeout_s = connect_timeout_s
        self._resolve = resolve
        self._ports = ports

    async def connect(self, host: str, port: int) -> Streams:
        """A connection to the first address that answers.

        Raises:
            IngestAddressRefused: an address or the port is not public; nothing was connected to.
            IngestUnreachable: no such name, or nobody answers.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                addresses = await self._addresses(host, port)
                return await _first(addresses, port)
        except TimeoutError as error:
            raise IngestUnreachable(f"{host}:{port} did not answer within {self._timeout_s:g} s") from error
        except (OSError, UnicodeError) as error:
            raise IngestUnreachable(f"{host}:{port}: {error}") from error

    async def _addresses(self, host: str, port: int) -> list[str]:
        is_allowed = f"{host}:{port}" in self._allow
        if not is_allowed and port not in self._ports:
            raise IngestAddressRefused(f"port {port} of {host} is not fetched from")
        addresses = await self._resolve(host, port)
        if not addresses:
            raise IngestUnreachable(f"{host} has no address")
        if not is_allowed:
            check_public(host, addresses)
        return addresses


async def _first(addresses: list[str], port: int) -> Streams:
    *others, last = addresses
    for address in others:
        try:
            return await asyncio.open_connection(address, port)
        except OSError:
            continue
    return await asyncio.open_connection(last, port)
