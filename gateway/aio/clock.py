"""Owns the real `Clock` and `Ids`: the only places where the gateway asks for time and entropy."""

import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """Monotonic seconds for timers and durations; UTC for records."""

    def now(self) -> float:
        return time.monotonic()

    def at(self) -> datetime:
        return datetime.now(UTC)


class SystemIds:
    """Tags, branches, call ids and keys from the operating system's generator."""

    def token(self, octets: int = 8) -> str:
        return secrets.token_hex(octets)

    def octets(self, count: int) -> bytes:
        return secrets.token_bytes(count)
