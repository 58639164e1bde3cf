"""Owns `Agenda`: the deadlines of all machines in one heap with lazy deletion.

A machine is pushed when its deadline comes nearer; an entry that is no longer true is dropped or
pushed on when it surfaces. Nothing ever scans the machines.
"""

from heapq import heappop, heappush
from typing import Protocol

from sip.effects import Effect


class Timed(Protocol):
    """A machine with deadlines. `noted` belongs to the agenda: the earliest live heap entry."""

    noted: float | None

    @property
    def deadline(self) -> float | None: ...

    def tick(self, now: float) -> list[Effect]: ...


class Agenda:
    __slots__ = ("_count", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timed]] = []
        self._count = 0

    def __len__(self) -> int:
        """Entries in the heap, stale ones included."""
        return len(self._heap)

    @property
    def deadline(self) -> float | None:
        """Never later than the earliest deadline of any noted machine; may be earlier."""
        return self._heap[0][0] if self._heap else None

    def note(self, machine: Timed) -> None:
        """Say that a machine's deadline may have changed."""
        at = machine.deadline
        if at is None:
            return
        noted = machine.noted
        if noted is not None and noted <= at:
            return  # the nearer entry will surface first and be pushed on
        machine.noted = at
        self._count += 1
        heappush(self._heap, (at, self._count, machine))

    def pop_due(self, now: float) -> Timed | None:
        """The next machine whose deadline has passed; the caller ticks it and notes it again."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, machine = heappop(heap)
            if machine.noted != at:
                continue  # replaced by a nearer entry since
            machine.noted = None
            deadline = machine.deadline
            if deadline is not None and deadline <= now:
                return machine
            self.note(machine)
        return None
