"""Owns `SipTimers` (RFC 3261 Table 4) and `TimerTable`, the named deadlines of one machine.

Nothing here reads a clock: deadlines are absolute monotonic seconds given by the caller.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SipTimers:
    """T1, T2, T4 and what derives from them; all in seconds (RFC 3261 §17, Table 4)."""

    t1_s: float = 0.5
    t2_s: float = 4.0
    t4_s: float = 5.0
    trying_s: float = 0.2  # RFC 3261 §17.2.1: a 100 is due when the TU is slower than this
    c_s: float = 180.0  # RFC 3261 §16.6 step 11: longest wait for a final response while ringing
    d_s: float = 32.0  # RFC 3261 §17.1.1.2: at least 32 s over unreliable transports

    @property
    def timeout_s(self) -> float:
        """64*T1: timers B, F, H, J, L and M."""
        return 64 * self.t1_s


class TimerTable:
    """Named absolute deadlines. A state change names those that survive: `keep_only`."""

    __slots__ = ("_at", "deadline")

    deadline: float | None  # the earliest of all

    def __init__(self) -> None:
        self._at: dict[str, float] = {}
        self.deadline = None

    def set(self, name: str, at: float) -> None:
        """Set or move a deadline."""
        if name not in self._at and (self.deadline is None or at < self.deadline):
            self.deadline = self._at[name] = at
            return
        self._at[name] = at
        self._find_deadline()

    def cancel(self, name: str) -> None:
        """Forget a deadline, if it is there."""
        if self._at.pop(name, None) is not None:
            self._find_deadline()

    def keep_only(self, *names: str, **deadlines: float) -> None:
        """Forget all but `names`, and set `deadlines`."""
        for name in names:
            if name in self._at and name not in deadlines:
                deadlines[name] = self._at[name]
        self._at = deadlines
        self._find_deadline()

    def at(self, name: str) -> float | None:
        """When a timer is due; None when it is not running."""
        return self._at.get(name)

    def due(self, now: float) -> list[str]:
        """Take out the names whose time has come, the earliest first."""
        if self.deadline is None or now < self.deadline:
            return []
        fired = sorted((at, name) for name, at in self._at.items() if at <= now)
        for _, name in fired:
            del self._at[name]
        self._find_deadline()
        return [name for _, name in fired]

    def __contains__(self, name: object) -> bool:
        return name in self._at

    def _find_deadline(self) -> None:
        self.deadline = min(self._at.values()) if self._at else None
