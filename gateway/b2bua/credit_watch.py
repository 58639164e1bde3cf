"""Owns the in-call credit as deadlines: when to hold the next increment, when to cut (R65).

The first `covered_s` seconds are paid for. Shortly before they are over the next increment is asked
for; while it is denied it is asked for again, so that a recharge prolongs the call (R61). The last
question is asked at the last paid second itself, so that credit which came free at any moment
before is used (R63); denied then, the call is cut. What things cost is `rating/credit`'s.
"""

from enum import Enum

from gateway.model.call import EndCause
from rating import credit
from rating.tariff import Rate

LEAD_S = 2.0  # asked for this long before it is needed: a commit takes milliseconds
RETRY_S = 0.5
GRACE_S = 0.15  # how long a question asked in time may wait for its commit past the paid second


class Due(Enum):
    NOTHING = "nothing"
    EXTEND = "extend"
    CUT = "cut"


class CreditWatch:
    """One paid call, from its answer to its end."""

    __slots__ = (
        "_answered_now",
        "_asking",
        "_next_ask",
        "_over",
        "_rate",
        "covered_s",
        "unwritten",
    )

    def __init__(self, rate: Rate, answered_now: float) -> None:
        self._rate = rate
        self._answered_now = answered_now
        self._asking = False
        self._over = False
        self.unwritten = False  # the latest question found credit, but no store to write it to
        self.covered_s = credit.next_cover_s(rate, 0)
        self._next_ask = self.cut_at - LEAD_S

    @property
    def cut_at(self) -> float:
        """The monotonic instant of the last paid second."""
        return self._answered_now + self.covered_s

    @property
    def wanted_s(self) -> int:
        """The seconds that the next increment would cover."""
        return credit.next_cover_s(self._rate, self.covered_s)

    @property
    def cut_cause(self) -> EndCause:
        return EndCause.STORE_UNAVAILABLE if self.unwritten else EndCause.CREDIT_EXHAUSTED

    @property
    def deadline(self) -> float:
        if self._asking:
            return self.cut_at + GRACE_S
        return self.cut_at if self._over else min(self._next_ask, self.cut_at)

    def tick(self, now: float) -> Due:
        if self._asking:
            if now < self.cut_at + GRACE_S:
                return Due.NOTHING
            self.unwritten = True
            return Due.CUT
        if self._over:
            return Due.CUT
        if now >= min(self._next_ask, self.cut_at):
            self._asking = True
            return Due.EXTEND
        return Due.NOTHING

    def extended(self, covered_s: int) -> None:
        self._asking = self.unwritten = False
        self.covered_s = covered_s
        self._next_ask = self.cut_at - LEAD_S

    def denied(self, now: float, *, unwritten: bool = False) -> None:
        """`unwritten`: there was credit, but it could not be held durably."""
        self._asking = False
        self.unwritten = unwritten
        self._over = now >= self.cut_at
        self._next_ask = now + RETRY_S
