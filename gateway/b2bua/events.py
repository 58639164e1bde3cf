"""Owns everything that can happen to a call; nothing else crosses from the shell into it."""

from dataclasses import dataclass

from gateway.model.call import Admission, EndCause, LegSide
from gateway.refusal import Refusal
from media.plane import MediaOpened, MediaReport


@dataclass(frozen=True, slots=True)
class Admitted:
    """Channel and credit are taken and the journal row is durable."""

    admission: Admission


@dataclass(frozen=True, slots=True)
class Denied:
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class MediaReady:
    """Ports are open; addresses as advertised."""

    opened: MediaOpened


@dataclass(frozen=True, slots=True)
class MediaRefused:
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class MediaClosed:
    report: MediaReport


@dataclass(frozen=True, slots=True)
class Progressed:
    """A provisional response of the called leg; `body` may carry early media."""

    status: int
    reason: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """The called leg answered (its 2xx is already acknowledged)."""

    body: bytes


@dataclass(frozen=True, slots=True)
class AnswerRecorded:
    """The journal knows both dialogs, or (`durable` False) could not be told."""

    durable: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """The called leg ended in a final response other than 2xx, or in a time-out (408)."""

    status: int
    reason: str
    rest_s: float | None = None  # its Retry-After


@dataclass(frozen=True, slots=True)
class CarrierFull:
    """Nothing was sent: the carrier has as many calls as it may have."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The caller gave up; its 487 is already sent."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """A leg is gone. `why` is "bye", "no-ack" or "lost"."""

    side: LegSide
    why: str


@dataclass(frozen=True, slots=True)
class Reoffered:
    """A re-INVITE or UPDATE with an offer from one side; it waits for our answer."""

    side: LegSide
    body: bytes


@dataclass(frozen=True, slots=True)
class ReofferAnswered:
    side: LegSide
    body: bytes


@dataclass(frozen=True, slots=True)
class ReofferRejected:
    side: LegSide
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class HoldExtended:
    """Credit now covers the first `covered_s` seconds of the call, durably."""

    covered_s: int


@dataclass(frozen=True, slots=True)
class HoldDenied:
    """No credit for the next increment; `unwritten`: there is, but the store cannot hold it."""

    unwritten: bool = False


@dataclass(frozen=True, slots=True)
class MediaSilent:
    side: LegSide
    silent_s: float


@dataclass(frozen=True, slots=True)
class Hangup:
    """Somebody above the call ends it: operator, shutdown."""

    cause: EndCause


Event = (
    Admitted
    | Denied
    | MediaReady
    | MediaRefused
    | MediaClosed
    | Progressed
    | Answered
    | AnswerRecorded
    | Rejected
    | CarrierFull
    | Cancelled
    | HungUp
    | Reoffered
    | ReofferAnswered
    | ReofferRejected
    | HoldExtended
    | HoldDenied
    | MediaSilent
    | Hangup
)
