"""Owns the hunt for somebody who answers: next target on failure, stop-codes, and both time limits
of one attempt (no response at all, and ringing too long).

Knows nothing of media or money.
"""

from dataclasses import dataclass

from gateway.model.call import Target

# A final status that another target may cure: the peer is broken, busy with itself or unreachable.
# Everything else is the called party's own answer (404, 486, 603 …) and ends the hunt.
RETRYABLE = frozenset({408, 500, 501, 502, 503, 504, 505, 513})


@dataclass(frozen=True, slots=True)
class HuntLimits:
    """`response_s`: how long a target may stay silent; `ring_s`: how long it may ring."""

    response_s: float = 6.0
    ring_s: float = 120.0


class Hunt:
    """Targets in order, one attempt at a time."""

    __slots__ = ("_limits", "_rest", "current", "deadline", "ringing", "status")

    def __init__(self, targets: tuple[Target, ...], limits: HuntLimits) -> None:
        self._rest = list(targets)
        self._limits = limits
        self.current: Target | None = None
        self.deadline: float | None = None
        self.ringing = False
        self.status = 0  # the last final status seen

    @property
    def label(self) -> str:
        return self.current.label if self.current else ""

    def next_target(self, now: float) -> Target | None:
        """The next place to try, or None when the hunt is over."""
        if not self._rest:
            return None
        self.current = self._rest.pop(0)
        self.ringing = False
        self.deadline = now + self._limits.response_s
        return self.current

    def progressed(self, status: int, now: float) -> None:
        """A provisional came: the peer lives, from now on the ring limit counts."""
        if not self.ringing:
            self.ringing = True
            self.deadline = now + self._limits.ring_s

    def answered(self) -> None:
        self.deadline = None

    def may_go_on(self, status: int) -> bool:
        """True when `status` ends only this attempt and another target is left."""
        self.status = status
        self.deadline = None
        return status in RETRYABLE and bool(self._rest)


def shown(status: int, reason: str) -> tuple[int, str]:
    """What the caller is told of the called side's final status.

    A redirection is not followed, and a carrier that challenges us is our fault, not the caller's.
    """
    if 300 <= status < 400:
        return 480, "Temporarily Unavailable"
    if status in (401, 407):
        return 503, "Service Unavailable"
    return status, reason
