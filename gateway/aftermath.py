"""Owns the end of a call that a dead process left open: billed to its last heartbeat, never past
it, and never beyond what was held (R63, R73). One CDR each, cause `gateway-restart`.

Tells nobody; the BYEs to both dialogs are the shell's.
"""

from datetime import datetime

from gateway.hot_state import HotState
from gateway.model.call import EndCause
from gateway.model.cdr import Cdr
from gateway.model.profile import account_of
from gateway.model.record import OpenCall
from gateway.settlement import ENTRY_KIND, REVENUE, Settled
from rating.credit import affordable_s
from rating.ledger import Entry
from rating.money import Money
from rating.rater import price, rate_call
from rating.tariff import Rate


def close_open_call(found: OpenCall, hot: HotState, at: datetime) -> Settled:
    """Charge the proven talk time against what the call held, and free the rest."""
    proof = found.last_beat_at or found.answered_at or found.admitted.started_at
    talked_s = 0.0
    if found.answered_at is not None:
        talked_s = max(0.0, (proof - found.answered_at).total_seconds())
    admitted, rate = found.admitted, found.admitted.rate
    billed_s, micros, derivation, entry = 0, 0, "free", None
    if rate is not None and found.held_micros > 0:
        billed_s, micros, derivation, entry = _charge(found, rate, hot, talked_s, at)
    cdr = Cdr(
        call_id=admitted.call_id,
        profile_id=admitted.profile_id,
        kind=admitted.kind,
        direction=admitted.direction,
        caller=admitted.caller,
        called=admitted.called,
        started_at=admitted.started_at,
        answered_at=found.answered_at,
        ended_at=proof,
        duration_s=talked_s,
        billed_s=billed_s,
        charge_micros=micros,
        currency=admitted.currency,
        rate_prefix=rate.prefix if rate else "",
        rate_per_min_micros=rate.per_min_micros if rate else 0,
        derivation=f"{derivation}; billed to the last heartbeat before a restart",
        cause=EndCause.GATEWAY_RESTART.value,
        sip_status=200 if found.answered_at is not None else 0,
        refusal="",
        target=found.target,
        a_sip_call_id=admitted.a_sip_call_id,
    )
    return Settled(cdr, entry)


def _charge(
    found: OpenCall, rate: Rate, hot: HotState, talked_s: float, at: datetime
) -> tuple[int, int, str, Entry | None]:
    admitted, call_id = found.admitted, found.admitted.call_id
    account = account_of(admitted.profile_id)
    rating = rate_call(talked_s, rate, admitted.currency)
    billed_s, micros, derivation = rating.billed_s, rating.charge.micros, rating.derivation
    # The credit may have been taken elsewhere while nobody held it for the call.
    held_micros = max(0, min(found.held_micros, hot.ledger.available(account)))
    if micros > held_micros:
        billed_s = affordable_s(rate, held_micros)
        micros = price(rate, billed_s) if billed_s else 0
        derivation += f"; cut off at the {billed_s} s paid for = {Money(micros, admitted.currency)}"
    hot.ledger.hold(call_id, account, held_micros, admitted.currency)
    entry = hot.ledger.post(call_id, micros, REVENUE, f"call:{call_id}", ENTRY_KIND, at, call_id)
    return billed_s, micros, derivation, entry
