"""Owns the in-call credit as deadlines: when to hold the next increment, when to cut (R65).

The first `covered_s` seconds are paid for. Shortly before they are over the next increment is asked
for; while it is denied it is asked for again, so that a recharge prolongs the call (R61); at the
last paid second the call is cut. What things cost is `rating/credit`'s.
"""

from enum import Enum

from rating import credit
from rating.tariff import Rate

LEAD_S = 2.0  # asked for this long before it is needed: a commit takes milliseconds
RETRY_S = 0.5


class Due(Enum):
    NOTHING = "nothing"
    EXTEND = "extend"
    CUT = "cut"


class CreditWatch:
    """One paid call, from its answer to its end."""

    __slots__ = ("_answered_now", "_asking", "_next_ask", "_rate", "covered_s")

    def __init__(self, rate: Rate, answered_now: float) -> None:
        self._rate = rate
        self._answered_now = answered_now
        self._asking = False
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
    def deadline(self) -> float:
        return self.cut_at if self._asking else min(self._next_ask, self.cut_at)

    def tick(self, now: float) -> Due:
        if now >= self.cut_at:
            return Due.CUT
        if not self._asking and now >= self._next_ask:
            self._asking = True
            return Due.EXTEND
        return Due.NOTHING

    def extended(self, covered_s: int) -> None:
        self._asking = False
        self.covered_s = covered_s
        self._next_ask = self.cut_at - LEAD_S

    def denied(self, now: float) -> None:
        self._asking = False
        self._next_ask = now + RETRY_S
