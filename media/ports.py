"""Owns the pool of RTP port pairs: an even port for RTP, the next for RTCP (RFC 3550 §11).

A port is drawn at random, so that it cannot be guessed, and rests for a cool-down after its
release, so that late packets of one call never reach the next. It binds nothing.
"""

from collections import deque
from collections.abc import Callable


class PortPool:
    """Even ports from `low` to `high`, both included where a pair fits."""

    __slots__ = ("_cool_down_s", "_cooling", "_free", "_octets")

    def __init__(
        self, low: int, high: int, octets: Callable[[int], bytes], cool_down_s: float
    ) -> None:
        self._free = list(range(low + (low & 1), high, 2))
        self._cooling: deque[tuple[float, int]] = deque()
        self._octets = octets
        self._cool_down_s = cool_down_s

    def __len__(self) -> int:
        """Ports that are free or cooling down."""
        return len(self._free) + len(self._cooling)

    def take(self, now: float) -> int | None:
        """A free port, or None when all are used or cooling down."""
        while self._cooling and self._cooling[0][0] <= now:
            self._free.append(self._cooling.popleft()[1])
        if not self._free:
            return None
        at = int.from_bytes(self._octets(4), "big") % len(self._free)
        # The last takes the place of the drawn one: no shifting of thousands of ports.
        self._free[at], self._free[-1] = self._free[-1], self._free[at]
        return self._free.pop()

    def release(self, port: int, now: float) -> None:
        self._cooling.append((now + self._cool_down_s, port))
