"""Who may not try again for a while: wrong passwords counted by source, and bans with an end (R86).

A source is an IPv4 address or an IPv6 /64, which is what one subscriber gets. Challenges, stale
nonces and right passwords are never counted, so the ordinary rhythm of a PBX is harmless however
fast it is. The tables are bounded: the source that was quiet longest goes first.

Does not know who is exempt and drops nothing: both are the shell's.
"""

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, ip_address, ip_network

_PREFIX_V6 = 64


@dataclass(frozen=True, slots=True)
class BanLimits:
    """`failures` wrong passwords within `window_s` seconds ban for `ban_s`; 0 failures: nobody."""

    failures: int = 20
    window_s: float = 300.0
    ban_s: float = 900.0
    table_size: int = 50_000  # sources, of either table


@dataclass(frozen=True, slots=True)
class Ban:
    """One source that is not listened to. Times in monotonic seconds."""

    source: str
    failures: int
    since: float
    until: float


class Bans:
    """Failures and bans by source; each table in the order of its newest failure."""

    __slots__ = ("_bans", "_failures", "_limits")

    def __init__(self, limits: BanLimits) -> None:
        self._limits = limits
        self._failures: dict[str, deque[float]] = {}
        self._bans: dict[str, Ban] = {}  # all bans last alike: in the order of their end

    def __len__(self) -> int:
        """How many sources are banned, ended bans included until `tick`."""
        return len(self._bans)

    def failed(self, host: str, now: float) -> Ban | None:
        """Count a wrong password from `host`; the ban when this one begins it."""
        limits = self._limits
        source = source_of(host)
        if not limits.failures or self._find(source, now) is not None:
            return None
        times = self._failures.pop(source, None)
        if times is None:
            times = deque(maxlen=limits.failures)
            if len(self._failures) >= limits.table_size:
                del self._failures[next(iter(self._failures))]
        times.append(now)
        if len(times) < limits.failures or now - times[0] > limits.window_s:
            self._failures[source] = times
            return None
        self._bans.pop(source, None)  # one that has ended would keep its place in the order
        if len(self._bans) >= limits.table_size:
            del self._bans[next(iter(self._bans))]
        ban = Ban(source, len(times), now, now + limits.ban_s)
        self._bans[source] = ban
        return ban

    def banned(self, host: str, now: float) -> bool:
        return bool(self._bans) and self._find(source_of(host), now) is not None

    def forgive(self, host: str) -> None:
        """Forget what `host` did wrong: it turned out to be one of ours."""
        source = source_of(host)
        self._failures.pop(source, None)
        self._bans.pop(source, None)

    def listed(self, now: float) -> list[Ban]:
        """The bans in force, the one that ends first in front."""
        return [ban for ban in self._bans.values() if ban.until > now]

    def lift(self, source: str) -> bool:
        """End a ban by its source, or by any address in it; False when there is none."""
        found = source if source in self._bans else source_of(source.partition("/")[0])
        self._failures.pop(found, None)
        return self._bans.pop(found, None) is not None

    @property
    def deadline(self) -> float | None:
        """When the first ban ends."""
        return next(iter(self._bans.values())).until if self._bans else None

    def tick(self, now: float) -> list[Ban]:
        """Remove and return the bans that have ended; forget failures that no longer count."""
        ended: list[Ban] = []
        for ban in self._bans.values():
            if ban.until > now:
                break
            ended.append(ban)
        for ban in ended:
            del self._bans[ban.source]
        while self._failures:
            source, times = next(iter(self._failures.items()))
            if now - times[-1] <= self._limits.window_s:
                break
            del self._failures[source]
        return ended

    def _find(self, source: str, now: float) -> Ban | None:
        ban = self._bans.get(source)
        return ban if ban is not None and ban.until > now else None


@lru_cache(maxsize=16_384)
def source_of(host: str) -> str:
    """What is banned for an address: itself, or its /64; IPv4 in IPv6 is the IPv4 address."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), _PREFIX_V6), strict=False))
