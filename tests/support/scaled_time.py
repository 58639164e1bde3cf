"""Owns faster time: an event loop whose clock runs `factor` times as fast, and the gateway's clock
that goes with it.

Everything of the loop (timers, sleeps, time-outs) keeps its own seconds; only a person with a watch
sees the difference. Work and disk cost their real time, which is `factor` times as much here.
"""

import asyncio
import selectors
from datetime import UTC, datetime, timedelta


class _ScaledSelector(selectors.DefaultSelector):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self._factor = factor

    def select(  # type: ignore[no-untyped-def]
        self, timeout: float | None = None
    ):
        return super().select(timeout / self._factor if timeout and timeout > 0 else timeout)


class ScaledLoop(asyncio.SelectorEventLoop):
    def __init__(self, factor: float) -> None:
        self._factor = factor
        super().__init__(_ScaledSelector(factor))
        self._clock_resolution = 1e-6 * factor

    def time(self) -> float:
        return super().time() * self._factor


class LoopClock:
    """The loop's time for the gateway; UTC starts at the real one and runs as fast as the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._zero = loop.time()
        self._zero_at = datetime.now(UTC)

    def now(self) -> float:
        return self._loop.time()

    def at(self) -> datetime:
        return self._zero_at + timedelta(seconds=self._loop.time() - self._zero)
