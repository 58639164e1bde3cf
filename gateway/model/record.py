"""Owns the journal's vocabulary: every durable change of hot state is one of these records.

The deciders build them, the store turns each into rows; a batch commits whole or not at all.
"""

from dataclasses import dataclass, field
from datetime import datetime

from gateway.model.binding import Binding, Owner
from gateway.model.call import CallId
from gateway.model.carrier import Carrier
from gateway.model.cdr import Cdr
from gateway.model.online_number import OnlineNumber
from gateway.model.onnet_account import OnnetAccount
from gateway.model.profile import OldPassword, SipProfile
from rating.ledger import Entry
from rating.tariff import Rate


@dataclass(frozen=True, slots=True)
class CallAdmitted:
    """Channel and credit are taken; from here the call must end in a CDR, crash or not."""

    call_id: CallId
    profile_id: int
    kind: str
    direction: str
    caller: str
    called: str
    started_at: datetime
    a_sip_call_id: str
    held_micros: int  # 0 for free calls
    currency: str
    rate: Rate | None  # None: nothing is rated


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Both dialogs are confirmed. Each dialog is opaque JSON from which a BYE can be built."""

    call_id: CallId
    answered_at: datetime
    target: str
    a_dialog: str
    b_dialog: str


@dataclass(frozen=True, slots=True)
class CallBeats:
    """Proof of life of running calls: after a crash nobody is billed past it (R73)."""

    call_ids: tuple[CallId, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class HoldExtended:
    """The call's hold is now `held_micros` in all; written before the increment is granted."""

    call_id: CallId
    held_micros: int


@dataclass(frozen=True, slots=True)
class CallSettled:
    """The end: CDR, charge (None when free) and the journal row's removal, in one commit."""

    cdr: Cdr
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class CallRefused:
    """An attempt that never held anything, for the CDR table only."""

    cdr: Cdr


@dataclass(frozen=True, slots=True)
class BindingSaved:
    binding: Binding


@dataclass(frozen=True, slots=True)
class BindingRemoved:
    owner: Owner
    owner_id: int
    contact: str


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """All the passwords of a profile from now on: a new one, or old ones forgotten (R83)."""

    profile_id: int
    username: str
    password: str = field(repr=False)
    old: tuple[OldPassword, ...]


@dataclass(frozen=True, slots=True)
class EntryPosted:
    """Money moved outside a call: top-up, allocation, take-back."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class ProfileSaved:
    """A new profile, or one whose row is replaced. Its leases are no part of it."""

    profile: SipProfile


@dataclass(frozen=True, slots=True)
class NumberSaved:
    number: OnlineNumber


@dataclass(frozen=True, slots=True)
class AccountSaved:
    account: OnnetAccount


@dataclass(frozen=True, slots=True)
class CarrierSaved:
    carrier: Carrier


@dataclass(frozen=True, slots=True)
class CarrierRemoved:
    carrier_id: int


@dataclass(frozen=True, slots=True)
class DeckOpened:
    """A version of a rate deck without its rates, not in force."""

    name: str
    version: str
    currency: str


@dataclass(frozen=True, slots=True)
class RatesAdded:
    """Some lines of a deck that was opened."""

    name: str
    version: str
    rates: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class TariffInForce:
    """From now on this deck prices new calls (R67). It has exactly `rates` lines."""

    name: str
    version: str
    rates: int
    valid_from: datetime


Record = (
    CallAdmitted
    | CallAnswered
    | CallBeats
    | HoldExtended
    | CallSettled
    | CallRefused
    | BindingSaved
    | BindingRemoved
    | PasswordChanged
    | EntryPosted
    | ProfileSaved
    | NumberSaved
    | AccountSaved
    | CarrierSaved
    | CarrierRemoved
    | DeckOpened
    | RatesAdded
    | TariffInForce
)


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A journal row found at start: a call that the last process did not finish."""

    admitted: CallAdmitted
    held_micros: int
    answered_at: datetime | None
    last_beat_at: datetime | None
    target: str
    a_dialog: str
    b_dialog: str
