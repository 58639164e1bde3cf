"""Owns everything a call can ask of the shell. Effects are executed inline, in their order."""

from dataclasses import dataclass

from gateway.model.call import Admission, Attempt, EndCause, LegSide, Target
from gateway.refusal import Refusal
from media.plane import StreamEnd


@dataclass(frozen=True, slots=True)
class Admit:
    """May this call be set up? Comes back as `Admitted` or `Denied`."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """Take ports. Comes back as `MediaReady` or `MediaRefused`."""

    streams: int
    echo: bool
    target: Target | None  # towards whom side B will speak


@dataclass(frozen=True, slots=True)
class UpdateMedia:
    side: LegSide
    ends: tuple[StreamEnd, ...]


@dataclass(frozen=True, slots=True)
class CloseMedia:
    """Give the ports back. Comes back as `MediaClosed`."""


@dataclass(frozen=True, slots=True)
class Originate:
    """Send the INVITE of leg B. Comes back as `Progressed`, `Answered` or `Rejected`, or at once as
    `CarrierFull`.
    """

    target: Target
    admission: Admission
    offer: bytes


@dataclass(frozen=True, slots=True)
class Abandon:
    """CANCEL leg B; nothing it says afterwards matters to the call."""


@dataclass(frozen=True, slots=True)
class JudgeCarrier:
    """What an attempt says of its carrier's health; `fault` is empty when it did its part."""

    carrier_id: int
    fault: str
    rest_s: float | None  # how long it asked not to be tried (Retry-After)


@dataclass(frozen=True, slots=True)
class Progress:
    """A provisional response on leg A."""

    status: int
    reason: str
    body: bytes


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """Tell the journal both dialogs. Comes back as `AnswerRecorded`."""

    target: str


@dataclass(frozen=True, slots=True)
class Answer:
    """200 on leg A."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuse leg A with one of our own reasons."""

    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Relay:
    """Pass the called side's final response on to leg A."""

    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reoffer:
    """Send a re-INVITE to `side`. Comes back as `ReofferAnswered` or `ReofferRejected`."""

    side: LegSide
    body: bytes


@dataclass(frozen=True, slots=True)
class AcceptReoffer:
    side: LegSide
    body: bytes


@dataclass(frozen=True, slots=True)
class RejectReoffer:
    side: LegSide
    status: int
    reason: str


@dataclass(frozen=True, slots=True)
class ExtendHold:
    """Hold credit for the first `cover_s` seconds. Comes back as `HoldExtended` or `HoldDenied`."""

    admission: Admission
    cover_s: int


@dataclass(frozen=True, slots=True)
class Release:
    """BYE on one leg, with the reason in words."""

    side: LegSide
    cause: EndCause


@dataclass(frozen=True, slots=True)
class Settle:
    """The end of an admitted call. Nothing comes back; the call is over."""

    admission: Admission
    answered_now: float | None
    ended_now: float
    cause: EndCause
    sip_status: int
    refusal_code: str
    target: str
    media: str
    attempts: str = ""


@dataclass(frozen=True, slots=True)
class RecordRefusal:
    """The end of an attempt that never held anything."""

    refusal: Refusal


Effect = (
    Admit
    | OpenMedia
    | UpdateMedia
    | CloseMedia
    | Originate
    | Abandon
    | JudgeCarrier
    | Progress
    | RecordAnswer
    | Answer
    | Refuse
    | Relay
    | Reoffer
    | AcceptReoffer
    | RejectReoffer
    | ExtendHold
    | Release
    | Settle
    | RecordRefusal
)
