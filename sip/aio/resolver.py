"""Owns the way from a host name to addresses, cached for a while (A and AAAA look-ups).

Literal addresses never wait. NAPTR and SRV (RFC 3263) are not asked for.
"""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address

FOUND_S = 60.0
NOT_FOUND_S = 10.0
LARGEST_CACHE = 1000

Address = tuple[str, int]


class Resolver:
    """`now` is the clock of the cache; look-ups of one name at one time are one look-up."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._cache: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._running: dict[str, asyncio.Future[tuple[str, ...]]] = {}

    async def resolve(self, host: str, port: int) -> list[Address]:
        """Addresses in the order of preference of the system; empty when there are none."""
        try:
            return [(str(ip_address(host.strip("[]"))), port)]
        except ValueError:
            pass
        hosts = await self._look_up(host.lower())
        return [(found, port) for found in hosts]

    async def _look_up(self, host: str) -> tuple[str, ...]:
        cached = self._cache.get(host)
        if cached is not None and cached[0] > self._now():
            return cached[1]
        running = self._running.get(host)
        if running is not None:
            return await asyncio.shield(running)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[str, ...]] = loop.create_future()
        self._running[host] = future
        found: tuple[str, ...] = ()
        try:
            rows = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
            found = tuple(dict.fromkeys(str(row[4][0]) for row in rows))
        except OSError:
            found = ()
        finally:
            del self._running[host]
            future.set_result(found)
        self._remember(host, found)
        return found

    def _remember(self, host: str, found: tuple[str, ...]) -> None:
        if len(self._cache) >= LARGEST_CACHE:
            self._cache.pop(next(iter(self._cache)))
        lifetime_s = FOUND_S if found else NOT_FOUND_S
        self._cache[host] = (self._now() + lifetime_s, found)
