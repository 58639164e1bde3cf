"""Owns the hunt for somebody who answers: which final status goes on to the next target, both time
limits of one attempt, and what an attempt says of its carrier.

`response_s` ends with the first response of any kind, 100 included: the peer lives. `ring_s` counts
from the INVITE, so that no target holds the caller longer, whatever it answers meanwhile. Knows
nothing of media or money.
"""

from dataclasses import dataclass
from enum import Enum, auto

from gateway.b2bua.effects import JudgeCarrier
from gateway.model.call import Target


class Then(Enum):
    """What follows a final status other than 2xx."""

    STOP = auto()  # the called party's own answer: another way leads to the same party
    NEXT = auto()  # this way does not lead there, another one may; no fault of the carrier's
    NEXT_AND_MARK = auto()  # the carrier itself does not work: counted against its health


# One line a status; what is not listed is treated as its class (RFC 3261 §8.1.3.2).
STATUSES: dict[int, Then] = {
    300: Then.NEXT,  # redirections are not followed: a stranger does not choose our routes
    400: Then.NEXT,  # and any 4xx not listed: this one does not understand us
    401: Then.NEXT_AND_MARK,  # our password is wrong there
    402: Then.NEXT_AND_MARK,  # our account is empty there
    403: Then.NEXT,  # not this destination, or not this caller, by this carrier
    404: Then.STOP,
    407: Then.NEXT_AND_MARK,  # as 401
    408: Then.NEXT_AND_MARK,  # it could not get through in time
    410: Then.STOP,
    480: Then.STOP,
    484: Then.STOP,
    485: Then.STOP,
    486: Then.STOP,
    487: Then.STOP,  # the other end gave up: we had not cancelled
    500: Then.NEXT,  # and any 5xx not listed
    503: Then.NEXT_AND_MARK,  # a Retry-After is its rest
    600: Then.STOP,  # and any 6xx: says so for all places where the party could be (§21.6)
}

# Once it rang, these mean that nobody answered, not that nothing works.
_NO_ANSWER_ONCE_IT_RANG = frozenset({408, 504})


@dataclass(frozen=True, slots=True)
class HuntLimits:
    """`response_s`: how long a target may stay silent; `ring_s`: how long one attempt may take."""

    response_s: float = 6.0
    ring_s: float = 120.0


class Hunt:
    """Targets in order, one attempt at a time: `next_target`, `dialled`, then how it went."""

    __slots__ = (
        "_done",
        "_limits",
        "_open",
        "_rest",
        "_started",
        "_then",
        "current",
        "deadline",
        "rang",
    )

    def __init__(self, targets: tuple[Target, ...], limits: HuntLimits) -> None:
        self._rest = list(targets)
        self._limits = limits
        self._then = Then.STOP
        self._done: list[str] = []
        self._open = False
        self._started = 0.0
        self.current: Target | None = None
        self.deadline: float | None = None
        self.rang = False

    @property
    def label(self) -> str:
        return self.current.label if self.current else ""

    @property
    def at_carrier(self) -> bool:
        return self.current is not None and self.current.carrier_id is not None

    @property
    def attempts(self) -> str:
        """Every attempt and its end, for the CDR: "main:503 backup:200"."""
        running = [f"{self.current.name}:cancelled"] if self._open and self.current else []
        return " ".join([*self._done, *running])

    @property
    def may_go_on(self) -> bool:
        """True when the last end was only that attempt's, and another target is left."""
        return self._then is not Then.STOP and bool(self._rest)

    def next_target(self) -> Target | None:
        """The next place to try, or None when the hunt is over."""
        if not self._rest:
            return None
        self.current = self._rest.pop(0)
        self.deadline = None
        return self.current

    def dialled(self, now: float) -> None:
        """The INVITE to the current target goes out: both limits count from here."""
        assert self.current is not None
        response_s = self.current.response_s
        if response_s is None:
            response_s = self._limits.response_s
        self._started = now
        self._open = True
        self.rang = False
        self.deadline = now + min(response_s, self._limits.ring_s)

    def progressed(self, status: int) -> list[JudgeCarrier]:
        """A provisional came: the peer lives."""
        self.deadline = self._started + self._limits.ring_s
        if status == 100 or self.rang:
            return []
        self.rang = True
        return self._judged("")

    def answered(self) -> list[JudgeCarrier]:
        self._end("200")
        return [] if self.rang else self._judged("")

    def failed(self, status: int, reason: str, rest_s: float | None = None) -> list[JudgeCarrier]:
        """A final status other than 2xx; `rest_s` is its Retry-After."""
        self._end(str(status))
        self._then = then_after(status, self.rang)
        match self._then:
            case Then.STOP:
                return [] if self.rang else self._judged("")
            case Then.NEXT:
                return []
            case Then.NEXT_AND_MARK:
                return self._judged(f"{status} {reason}".rstrip(), rest_s)

    def timed_out(self) -> list[JudgeCarrier]:
        """The deadline passed: nobody picked up, or nothing was heard but a 100 at most."""
        if self.rang:
            self._end("no-answer")
            self._then = Then.STOP
            return []
        self._end("silent")
        self._then = Then.NEXT_AND_MARK
        return self._judged("an INVITE led to nothing")

    def full(self) -> None:
        """The carrier is at its limit of calls: it was not even asked."""
        self._end("full")
        self._then = Then.NEXT

    def _end(self, how: str) -> None:
        if self.current is not None:
            self._done.append(f"{self.current.name}:{how}")
        self._open = False
        self.deadline = None

    def _judged(self, fault: str, rest_s: float | None = None) -> list[JudgeCarrier]:
        if self.current is None or self.current.carrier_id is None:
            return []
        return [JudgeCarrier(self.current.carrier_id, fault, rest_s)]


def then_after(status: int, rang: bool = False) -> Then:
    """The table, its classes and its one exception."""
    if rang and status in _NO_ANSWER_ONCE_IT_RANG:
        return Then.STOP
    return STATUSES.get(status) or STATUSES[min(status // 100, 6) * 100]


def retry_after_s(text: str | None) -> float | None:
    """The seconds of a Retry-After, its comment and parameters left out (RFC 3261 §20.33)."""
    digits = (text or "").partition(";")[0].partition("(")[0].strip()
    # What is longer than any sensible wait is not read: nobody counts that far.
    readable = digits.isascii() and digits.isdigit() and len(digits) <= 9
    return float(digits) if readable and int(digits) else None


def shown(status: int, reason: str, by_carrier: bool) -> tuple[int, str]:
    """What the caller is told of the called side's final status.

    A redirection is not followed, and a carrier that wants our password or money is our fault, not
    the caller's. A PBX that does so, or that cannot be reached, is only that PBX.
    """
    if 300 <= status < 400:
        return 480, "Temporarily Unavailable"
    if status in (401, 402, 407, 503):
        # RFC 3261 §16.7: a 503 would speak for the whole gateway, and the carrier leave it alone.
        return (503, "Service Unavailable") if by_carrier else (480, "Temporarily Unavailable")
    return status, reason
