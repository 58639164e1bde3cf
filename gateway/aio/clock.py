"""Owns the real `Clock` and `Ids`: the only places where the gateway asks for time and entropy."""

import os
import time
from datetime import UTC, datetime


class SystemClock:
    """Monotonic seconds for timers and durations; UTC for records."""

    def now(self) -> float:
        return time.monotonic()

    def at(self) -> datetime:
        return datetime.now(UTC)


_DRAWN_AT_ONCE = 4096  # octets: a call takes some hundred, and each draw is a system call


class SystemIds:
    """Tags, branches, call ids and keys from the operating system's generator.

    For one thread of one process: nothing drawn is given out twice.
    """

    __slots__ = ("_at", "_drawn")

    def __init__(self) -> None:
        self._drawn = b""
        self._at = 0

    def token(self, octets: int = 8) -> str:
        return self.octets(octets).hex()

    def octets(self, count: int) -> bytes:
        start = self._at
        end = self._at = start + count
        found = self._drawn[start:end]
        if len(found) == count:
            return found
        self._drawn = os.urandom(max(count, _DRAWN_AT_ONCE))
        self._at = count
        return self._drawn[:count]
