"""Owns the words for one call: its identity, direction, parties, targets and outcome.

Decides nothing: admission fills these in, the call machine passes them on, settlement reads them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from gateway.model.binding import Flow
from rating.e164 import E164
from rating.ledger import Hold
from rating.tariff import Rate

CallId = str  # ours, not SIP's: "c-" and 20 characters; the key in logs, journal and CDR


class LegSide(Enum):
    """A is the caller's leg (we are UAS), B the called leg (we are UAC)."""

    A = "a"
    B = "b"

    # Members are single: their identity is their hash, and costs no call of Python's.
    __hash__ = object.__hash__

    @property
    def other(self) -> "LegSide":
        return LegSide.B if self is LegSide.A else LegSide.A


class Direction(Enum):
    """Seen from the SIP profile that owns the channel."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"


class CallKind(Enum):
    PSTN = "pstn"  # PBX to a carrier: paid
    ECHO = "echo"  # PBX to the built-in echo test: free (R74)
    ONLINE_NUMBER = "online-number"  # carrier to PBX: free (R71)
    ONNET = "onnet"  # on-net account to a business account: free (R102)


class Dialect(Enum):
    """Header shapes towards a PBX (R109): the guide's printed example, or today's habits."""

    CLASSIC = "classic"
    MODERN = "modern"


class SrtpPolicy(Enum):
    """What one side of a call is offered, or must offer."""

    NONE = "none"
    OPTIONAL = "optional"  # follow the peer's offer; offer SRTP when the flow is TLS
    REQUIRED = "required"


class Source(Enum):
    """Who the caller was identified as."""

    PROFILE = "profile"
    CARRIER = "carrier"
    ONNET = "onnet"

    # Members are single: their identity is their hash, and costs no call of Python's.
    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True)
class Attempt:
    """A call that somebody identified asks for. `now` is monotonic seconds, `at` UTC."""

    call_id: CallId
    source: Source
    source_id: int  # profile, carrier or on-net account id
    called: str  # user part of the request line, as received (unescaped)
    called_host: str
    scheme: str  # "sip", "sips", "tel", "urn"
    caller: str  # what the caller claims: PAI or From user; believed from carriers only
    flow: Flow
    sip_call_id: str
    at: datetime
    now: float


@dataclass(frozen=True, slots=True)
class CallerIdentity:
    """Who is shown on leg B (R111, R112). `number` None means anonymous with `Privacy: id`."""

    number: E164 | None
    onnet_name: str | None = None
    network_number: E164 | None = None  # asserted to a trusted carrier although withheld

    def __str__(self) -> str:
        """As logs and CDRs show it: what the called side sees, never the withheld number."""
        return str(self.number) if self.number is not None else self.onnet_name or "anonymous"


@dataclass(frozen=True, slots=True)
class Target:
    """One place to try on leg B. `uri` is the full request line URI."""

    label: str  # for logs and the CDR: "carrier:main", "binding:sip:…"
    uri: str
    to_user: str  # user part of the To header
    flow: Flow
    realm: str  # host of From and To
    dialect: Dialect
    srtp: SrtpPolicy
    trusted: bool  # may be told an asserted identity (RFC 3325)
    carrier_id: int | None = None
    username: str | None = None  # digest towards a carrier
    password: str | None = field(default=None, repr=False)
    response_s: float | None = None  # how long it may stay silent; None: as any other

    @property
    def name(self) -> str:
        """Short, without blanks: a carrier's own name, else what kind of place it is."""
        kind, _, rest = self.label.partition(":")
        return "-".join(rest.split()) if self.carrier_id is not None else kind


@dataclass(frozen=True, slots=True)
class ChannelLease:
    """One channel of a profile, held by one call in either direction (R36)."""

    call_id: CallId
    profile_id: int
    direction: Direction
    since: datetime


@dataclass(frozen=True, slots=True)
class Admission:
    """Yes: everything the call machine needs to go on."""

    call_id: CallId
    kind: CallKind
    profile_id: int
    direction: Direction
    lease: ChannelLease
    caller: CallerIdentity
    called: str  # E.164 with "+" where it is a number, else the name
    targets: tuple[Target, ...]  # in hunting order; empty for ECHO
    a_srtp: SrtpPolicy  # what leg A must or may speak
    hold: Hold | None = None
    rate: Rate | None = None
    also_leases: tuple[ChannelLease, ...] = ()  # the called profile's, when both are ours (R21)


class EndCause(Enum):
    """Why a call ended; the value is what logs and CDRs show."""

    CALLER_HUNG_UP = "caller-hung-up"
    CALLED_HUNG_UP = "called-hung-up"
    CANCELLED = "cancelled"
    REFUSED = "refused"  # by us, see the refusal code
    REJECTED = "rejected"  # by the called side, see the SIP status
    NO_ANSWER = "no-answer"
    CREDIT_EXHAUSTED = "credit-exhausted"
    MEDIA_SILENT = "media-silent"
    MAX_DURATION = "max-duration"
    LOST_PEER = "lost-peer"
    OPERATOR = "operator"
    STORE_UNAVAILABLE = "store-unavailable"  # what comes next could not be written down
    GATEWAY_RESTART = "gateway-restart"
    SHUTDOWN = "shutdown"
    INTERNAL_ERROR = "internal-error"


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """What happened, before anyone says what it costs. `duration_s` is monotonic, the rest UTC."""

    admission: Admission
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    duration_s: float  # 200 OK to end; 0.0 when never answered (R70)
    cause: EndCause
    sip_status: int  # final status seen or sent for leg A's INVITE
    target: str  # label of the target that answered, or was tried last
    a_sip_call_id: str = ""
    b_sip_call_id: str = ""
    media: str = ""  # one-line media summary, e.g. "a 500/498 b 498/500"
    refusal: str = ""  # refusal code when we ended it ourselves
    attempts: str = ""  # every target tried and how it went: "main:503 backup:200"
