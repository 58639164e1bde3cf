"""Owns `Binding`: where an AOR can be reached until when (RFC 3261 §10).

`Flow` is re-exported for the store, which may not import `sip`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sip.flow import Flow

__all__ = ["Binding", "Flow", "Owner"]


class Owner(Enum):
    PROFILE = "profile"
    ONNET = "onnet"


@dataclass(frozen=True, slots=True)
class Binding:
    """One contact of one AOR. The AOR is a profile's or an on-net account's username."""

    owner: Owner
    owner_id: int
    contact: str  # the Contact URI as registered, parameters included (R109)
    flow: Flow  # the way to reach it (NAT, TCP and TLS)
    sip_call_id: str
    cseq: int
    q: int  # thousandths: 1000 is q=1
    expires_at: datetime  # UTC, survives a restart
    deadline: float  # the same instant in monotonic seconds of this process
    user_agent: str
    instance: str = ""  # +sip.instance (RFC 5626)
    nat: bool = False  # source differed from Via or Contact (R81)
    signed_with: str = ""  # fingerprint of the password that registered it (R83)
