"""Owns the end of a call: outcome to CDR, charge, released hold and channels, all at once.

One value to commit; called exactly once for each admitted call, a second time is a violation.
Prices are `rating/rater`'s. (R68, R70, R71, R73, R74)
"""

from dataclasses import dataclass
from datetime import datetime

from gateway.hot_state import HotState
from gateway.model.call import (
    Admission,
    Attempt,
    CallKind,
    CallOutcome,
    Direction,
    EndCause,
    Source,
)
from gateway.model.cdr import Cdr
from gateway.refusal import Refusal
from rating.credit import affordable_s
from rating.ledger import Entry, Ledger
from rating.money import Money
from rating.rater import price, rate_call
from rating.tariff import Rate

REVENUE = "world:calls"
ENTRY_KIND = "call"

# We hang up at a paid second.
_CUTS = frozenset({EndCause.CREDIT_EXHAUSTED, EndCause.STORE_UNAVAILABLE})
_CUT_TOLERANCE_S = 0.001  # differences of monotonic seconds are not exact

_FREE = {
    CallKind.ECHO: "free: echo test",
    CallKind.ONLINE_NUMBER: "free: call to an Online Number",
    CallKind.ONNET: "free: call from the own network",
    CallKind.PSTN: "free: no rate applies",
}

_KIND_OF_SOURCE = {
    Source.PROFILE: CallKind.PSTN,
    Source.CARRIER: CallKind.ONLINE_NUMBER,
    Source.ONNET: CallKind.ONNET,
}


@dataclass(frozen=True, slots=True)
class Settled:
    """What goes into one commit. `entry` is None when nothing was charged."""

    cdr: Cdr
    entry: Entry | None


@dataclass(frozen=True, slots=True)
class _Charge:
    billed_s: int = 0
    micros: int = 0
    derivation: str = ""
    entry: Entry | None = None


def settle(outcome: CallOutcome, hot: HotState, at: datetime) -> Settled:
    """Charge the talked time, release the rest of the hold and give the channels back."""
    admission = outcome.admission
    _release_channels(admission, hot)
    charge = _charge(outcome, hot, at)
    return Settled(_cdr(outcome, charge, _currency(admission, hot)), charge.entry)


def give_back(admission: Admission, hot: HotState) -> None:
    """Undo an admission that could not be written down: nothing was held, nothing happened."""
    _release_channels(admission, hot)
    if admission.hold is not None:
        hot.ledger.void(admission.hold.id)


def refused_cdr(
    attempt: Attempt, refusal: Refusal, at: datetime, hot: HotState | None = None
) -> Cdr:
    """The record of an attempt that never held anything; `hot` finds the profile called."""
    profile_id = attempt.source_id if attempt.source is Source.PROFILE else 0
    if not profile_id and hot is not None:
        number = hot.number_by_e164.get("+" + attempt.called.lstrip("+"))
        account = hot.onnet(attempt.called)
        profile_id = (number and number.profile_id) or (account and account.profile_id) or 0
    profile = hot.profile_by_id.get(profile_id) if hot is not None else None
    outgoing = attempt.source is Source.PROFILE
    return Cdr(
        call_id=attempt.call_id,
        profile_id=profile_id,
        kind=_KIND_OF_SOURCE[attempt.source].value,
        direction=(Direction.OUTGOING if outgoing else Direction.INCOMING).value,
        caller=attempt.caller or "anonymous",
        called=attempt.called,
        started_at=attempt.at,
        answered_at=None,
        ended_at=at,
        duration_s=0.0,
        billed_s=0,
        charge_micros=0,
        currency=hot.currency_of(profile) if hot is not None and profile is not None else "",
        rate_prefix="",
        rate_per_min_micros=0,
        derivation=f"refused: {refusal.sentence}",
        cause=EndCause.REFUSED.value,
        sip_status=refusal.status,
        refusal=refusal.code,
        target="",
        a_sip_call_id=attempt.sip_call_id,
    )


def _release_channels(admission: Admission, hot: HotState) -> None:
    for lease in (admission.lease, *admission.also_leases):
        profile = hot.profile_by_id.get(lease.profile_id)
        if profile is not None:  # deleted by force while the call ran (R118)
            profile.release(lease.call_id)


def _charge(outcome: CallOutcome, hot: HotState, at: datetime) -> _Charge:
    admission = outcome.admission
    rate, hold = admission.rate, admission.hold
    if rate is None:
        return _Charge(derivation=_FREE[admission.kind])
    currency = _currency(admission, hot)
    rating = rate_call(_talked_s(outcome, rate), rate, currency)
    if hold is None:  # a destination that costs nothing
        return _Charge(rating.billed_s, 0, rating.derivation)
    billed_s, micros, derivation = rating.billed_s, rating.charge.micros, rating.derivation
    # The first hold covers short calls; only longer ones need a look at what it grew to.
    if micros > hold.micros and micros > (held := _held(hot.ledger, hold.id)):
        # R63: an increment that was never paid for was never granted.
        billed_s = affordable_s(rate, held)
        micros = price(rate, billed_s)
        derivation += f"; cut off at the {billed_s} s paid for = {Money(micros, currency)}"
    entry = hot.ledger.post(
        hold.id, micros, REVENUE, f"call:{admission.call_id}", ENTRY_KIND, at, admission.call_id
    )
    return _Charge(billed_s, micros, derivation, entry)


def _talked_s(outcome: CallOutcome, rate: Rate) -> float:
    if outcome.answered_at is None:
        return 0.0  # R70: ringing and early media are free, whatever the clocks say
    if outcome.cause not in _CUTS:
        return outcome.duration_s
    # R65: we cut at a paid second; the milliseconds the cut took are no increment of their own.
    paid_steps = (outcome.duration_s + _CUT_TOLERANCE_S - rate.first_s) // rate.step_s
    return rate.first_s + max(0, int(paid_steps)) * rate.step_s


def _held(ledger: Ledger, hold_id: str) -> int:
    hold = ledger.find(hold_id)
    assert hold is not None, f"{hold_id} is not held"
    return hold.micros


def _cdr(outcome: CallOutcome, charge: _Charge, currency: str) -> Cdr:
    admission = outcome.admission
    rate = admission.rate
    return Cdr(
        call_id=admission.call_id,
        profile_id=admission.profile_id,
        kind=admission.kind.value,
        direction=admission.direction.value,
        caller=str(admission.caller),
        called=admission.called,
        started_at=outcome.started_at,
        answered_at=outcome.answered_at,
        ended_at=outcome.ended_at,
        duration_s=outcome.duration_s,
        billed_s=charge.billed_s,
        charge_micros=charge.micros,
        currency=currency,
        rate_prefix=rate.prefix if rate else "",
        rate_per_min_micros=rate.per_min_micros if rate else 0,
        derivation=charge.derivation,
        cause=outcome.cause.value,
        sip_status=outcome.sip_status,
        refusal=outcome.refusal,
        target=outcome.target,
        a_sip_call_id=outcome.a_sip_call_id,
        b_sip_call_id=outcome.b_sip_call_id,
        media=outcome.media,
        attempts=outcome.attempts,
    )


def _currency(admission: Admission, hot: HotState) -> str:
    if admission.hold is not None:
        return admission.hold.currency
    profile = hot.profile_by_id.get(admission.profile_id)
    return hot.currency_of(profile) if profile is not None else ""
