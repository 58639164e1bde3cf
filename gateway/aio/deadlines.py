"""Owns the one timer heap of the gateway's machines: lazy deletion, one event-loop timer.

Knows nothing of what is due: it calls back with the key.
"""

import asyncio
import heapq
from collections.abc import Callable, Hashable
from itertools import count
from typing import Generic, TypeVar

from gateway.ports import Clock

# The loop rounds to milliseconds: a timer may fire too early, and must not do so at once again.
PAUSE_S = 0.002
SPARE = 256  # entries that may be stale before the heap is rebuilt

Key = TypeVar("Key", bound=Hashable)


class Deadlines(Generic[Key]):
    """At most one deadline per key; setting it again moves it, None removes it."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, clock: Clock, due: Callable[[Key, float], None]
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._due = due
        self._heap: list[tuple[float, int, Key]] = []
        self._at: dict[Key, float] = {}
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")

    def __len__(self) -> int:
        return len(self._at)

    @property
    def entries(self) -> int:
        """Size of the heap, stale entries included."""
        return len(self._heap)

    def set(self, key: Key, at: float | None) -> None:
        if at is None:
            self._at.pop(key, None)
            return
        if self._at.get(key) == at:
            return
        self._at[key] = at
        heapq.heappush(self._heap, (at, next(self._order), key))
        if len(self._heap) > SPARE + 2 * len(self._at):
            self._compact()
        if at < self._timer_at:
            self._arm(at)

    def _compact(self) -> None:
        """Drop what was moved or removed: a call's longest duration lies hours ahead."""
        # In place: it may be the loop over what is due that brought this about.
        self._heap[:] = [entry for entry in self._heap if self._at.get(entry[2]) == entry[0]]
        heapq.heapify(self._heap)

    def _arm(self, at: float, least_s: float = 0.0) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_later(max(least_s, at - self._clock.now()), self._fire)

    def _fire(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        now = self._clock.now()
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, key = heapq.heappop(heap)
            if self._at.get(key) == at:  # else moved or removed since
                del self._at[key]
                self._due(key, now)
        while heap and self._at.get(heap[0][2]) != heap[0][0]:
            heapq.heappop(heap)
        if heap and heap[0][0] < self._timer_at:
            self._arm(heap[0][0], PAUSE_S)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._at.clear()
        self._heap.clear()
