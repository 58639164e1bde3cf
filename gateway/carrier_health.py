"""Owns what is known of one carrier's health: a machine fed with OPTIONS and with calls.

OPTIONS that stay unanswered take a carrier down, one answer brings it back. Calls that fail in a
row let it rest, each time twice as long; one that succeeds clears everything. Health only changes
the order in which carriers are tried (`gateway/carrier_order`), it excludes nobody. What counts as
a failed call is `b2bua/hunt`'s.
"""

from dataclasses import dataclass
from enum import Enum


class Standing(Enum):
    """Best first. RESTING may be tried again after its rest, DOWN when OPTIONS is answered."""

    UP = "up"
    RESTING = "resting"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class HealthLimits:
    misses: int = 3  # unanswered OPTIONS in a row: down
    faults: int = 3  # failed calls in a row: rests
    first_rest_s: float = 10.0  # doubles with each further rest
    longest_rest_s: float = 300.0
    longest_asked_s: float = 3600.0  # of a Retry-After: nobody sends himself away for ever


@dataclass(frozen=True, slots=True)
class Probe:
    """Send OPTIONS; `answered` or `missed` is told with the same serial."""

    serial: int


@dataclass(frozen=True, slots=True)
class Changed:
    """The carrier stands differently from now on."""

    standing: Standing
    reason: str


Effect = Probe | Changed

# RFC 3261 §11.2: any answer proves life, but these two, which say that nothing is served.
_NOT_SERVING = frozenset({408, 503})


class CarrierHealth:
    """One carrier. `interval_s` 0: never asked by OPTIONS, only calls tell."""

    __slots__ = (
        "_asked_s",
        "_down",
        "_faults",
        "_interval_s",
        "_limits",
        "_misses",
        "_overdue_at",
        "_patience_s",
        "_probe_at",
        "_rest_until",
        "_rests",
        "_serial",
        "reason",
        "standing",
    )

    def __init__(
        self,
        interval_s: float,
        patience_s: float,
        now: float,
        limits: HealthLimits | None = None,
    ) -> None:
        self._interval_s = interval_s
        self._patience_s = patience_s  # how long an OPTIONS may stay unanswered
        self._limits = limits or HealthLimits()
        self._probe_at = now if interval_s > 0 else None
        self._overdue_at: float | None = None  # the OPTIONS on its way is missed from then on
        self._serial = 0
        self._misses = 0
        self._down = False
        self._faults = 0
        self._rests = 0
        self._rest_until: float | None = None
        self.standing = Standing.UP
        self.reason = ""

    @property
    def deadline(self) -> float | None:
        """When `tick` is due, in monotonic seconds."""
        asking = self._probe_at if self._overdue_at is None else self._overdue_at
        times = [at for at in (asking, self._rest_until) if at is not None]
        return min(times, default=None)

    def tick(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        if self._overdue_at is not None and now >= self._overdue_at:
            effects += self.missed(self._serial, "OPTIONS not answered", now)
        if self._rest_until is not None and now >= self._rest_until:
            self._rest_until = None
            effects += self._told("its rest is over")
        if self._overdue_at is None and self._probe_at is not None and now >= self._probe_at:
            self._serial += 1
            self._overdue_at = now + self._patience_s
            self._probe_at = now + self._interval_s
            effects.append(Probe(self._serial))
        return effects

    # What OPTIONS says.

    def answered(self, serial: int, status: int, now: float) -> list[Effect]:
        """A final response; a late one proves life as well."""
        if status in _NOT_SERVING:
            return self.missed(serial, f"OPTIONS answered {status}", now)
        if serial == self._serial:
            self._overdue_at = None
        self._misses = 0
        self._down = False
        return self._told(f"OPTIONS answered {status}")

    def missed(self, serial: int, reason: str, now: float) -> list[Effect]:
        """No answer to this OPTIONS; counted once, however many ways it is noticed."""
        if serial != self._serial or self._overdue_at is None:
            return []
        self._overdue_at = None
        self._misses += 1
        if self._misses >= self._limits.misses:
            self._down = True
        return self._told(f"{reason}, {self._misses} times in a row")

    # What calls say.

    def succeeded(self, now: float) -> list[Effect]:
        """It took a call: whatever was held against it is forgotten."""
        self._misses = self._faults = self._rests = 0
        self._down = False
        self._rest_until = None
        return self._told("it took a call")

    def faulted(self, reason: str, rest_s: float | None, now: float) -> list[Effect]:
        """A call failed for the carrier's own reasons; `rest_s` when it asked to be left alone."""
        limits = self._limits
        self._faults += 1
        if rest_s is not None:
            until = now + min(rest_s, limits.longest_asked_s)
            self._rest_until = max(until, self._rest_until or until)
            return self._told(f"{reason}, asked for {rest_s:g} s")
        # Calls that fail during the rest were on their way, or its last hope: one rest is enough.
        if self._faults < limits.faults or self._rest_until is not None:
            return []
        rest_s = min(limits.first_rest_s * 2.0**self._rests, limits.longest_rest_s)
        self._rests = min(self._rests + 1, 32)
        self._rest_until = now + rest_s
        return self._told(f"{reason}, {self._faults} calls in a row; rests {rest_s:g} s")

    def _told(self, reason: str) -> list[Effect]:
        standing = Standing.UP
        if self._down:
            standing = Standing.DOWN
        elif self._rest_until is not None:
            standing = Standing.RESTING
        if standing is self.standing:
            return []
        self.standing, self.reason = standing, reason
        return [Changed(standing, reason)]
