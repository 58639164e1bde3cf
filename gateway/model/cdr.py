"""Owns `Cdr`: the record of one call attempt: who, when, how it ended and what it cost."""

from dataclasses import dataclass
from datetime import datetime

from gateway.model.call import CallId


@dataclass(frozen=True, slots=True)
class Cdr:
    """One row, written once, in the same commit as its charge. Money in micro-units."""

    call_id: CallId
    profile_id: int
    kind: str  # CallKind value
    direction: str  # Direction value
    caller: str  # presented number, account name, or "anonymous"
    called: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    duration_s: float
    billed_s: int
    charge_micros: int
    currency: str
    rate_prefix: str  # deck row that priced it; empty for free calls
    rate_per_min_micros: int
    derivation: str  # how the price came about, in one readable line (R75)
    cause: str  # EndCause value
    sip_status: int
    refusal: str  # Refusal code, or empty
    target: str
    a_sip_call_id: str = ""
    b_sip_call_id: str = ""
    media: str = ""
    attempts: str = ""  # every target tried and how it went: "main:503 backup:200"
