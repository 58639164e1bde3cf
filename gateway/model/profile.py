"""Owns `SipProfile`, the trunk a PBX connects by, and its channel leases (R24, R35, R36).

A profile is the unit of consistency: its leases change only here, on the event loop. Money is the
ledger's (`rating/ledger`).
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from gateway.model.call import CallId, ChannelLease, Dialect, Direction, SrtpPolicy


class AuthMode(Enum):
    REGISTRATION = "registration"  # digest on every initial request (R78)
    IP = "ip"  # a fixed public address and port (R77)


class Subscription(Enum):
    NONE = "none"
    ACTIVE = "active"
    LAPSED = "lapsed"


def account_of(profile_id: int) -> str:
    """The ledger account of a profile, also of one that is no more."""
    return f"profile:{profile_id}"


@dataclass(frozen=True, slots=True)
class OldPassword:
    """A replaced password; it still signs calls while a binding made with it lives (R83)."""

    password: str = field(repr=False)
    valid_until: datetime  # UTC: when the last of those bindings expires


@dataclass(slots=True)
class SipProfile:
    """One SIP Profile. `password` is the clear secret: in memory only, never in a repr or a log."""

    id: int
    manager_id: int
    name: str
    username: str
    password: str = field(repr=False)
    mode: AuthMode = AuthMode.REGISTRATION
    address: tuple[str, int] | None = None  # mode IP: host, port
    transport: str = "udp"  # mode IP: how incoming calls are sent
    channels: int = 0
    subscription: Subscription = Subscription.NONE
    dialect: Dialect = Dialect.CLASSIC
    srtp: SrtpPolicy = SrtpPolicy.OPTIONAL
    sha256: bool = False  # ruling 17
    require_tls: bool = False
    caller_id: str = ""  # E.164 with "+", or empty: none presented (R111)
    caller_id_by_country: dict[str, str] = field(default_factory=dict)  # called country (R113)
    home_country: str = "US"  # of its Manager: emergency numbers
    old_passwords: tuple[OldPassword, ...] = ()  # the newest first
    leases: dict[CallId, ChannelLease] = field(default_factory=dict)

    @property
    def account(self) -> str:
        """The ledger account of the profile's credit."""
        return account_of(self.id)

    def lease(self, call_id: CallId, direction: Direction, at: datetime) -> ChannelLease | None:
        """Take one channel for a call, or None when all are held (R24)."""
        if len(self.leases) >= self.channels:
            return None
        assert call_id not in self.leases, f"{call_id} already holds a channel"
        taken = ChannelLease(call_id, self.id, direction, at)
        self.leases[call_id] = taken
        return taken

    def release(self, call_id: CallId) -> None:
        """Give the call's channel back; settlement calls it once."""
        del self.leases[call_id]
