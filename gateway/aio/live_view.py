"""Owns what a running gateway shows of its calls and registrations, as values for programs.

Reads only; no secret and no SIP message is among them.
"""

from gateway.aio.call_runner import LiveCall
from gateway.b2bua.state import State
from gateway.commands.base import Json
from gateway.commands.money import money
from gateway.hot_state import HotState
from gateway.model.binding import Binding, Owner
from media.plane import MediaPlane, StreamCounters
from rating.rater import rate_call


def call_view(live: LiveCall, hot: HotState, plane: MediaPlane, now: float) -> Json:
    """One call as it is now. `cost` is what it would be charged if it ended now."""
    call, attempt, admission = live.call, live.attempt, live.call.admission
    answered = call.answered_now if call.state is State.TALKING else None
    seconds = now - answered if answered is not None else 0.0
    profile = hot.profile_by_id.get(admission.profile_id) if admission else None
    told: Json = {
        "call": live.call_id,
        "profile": profile.name if profile else "",
        "kind": admission.kind.value if admission else "",
        "direction": admission.direction.value if admission else "",
        "caller": str(admission.caller) if admission else attempt.caller,
        "called": admission.called if admission else attempt.called,
        "state": call.state.value,
        "started_at": attempt.at.isoformat(),
        "age_s": round(now - attempt.now, 1),
        "seconds": round(seconds, 1),
        "target": call.target,
        "a_sip_call_id": attempt.sip_call_id,
        "b_sip_call_id": live.b_sip_call_id,
        "packets": _packets(live, plane),
        "cost": None,
        "reserved": None,
    }
    if admission is not None and admission.rate is not None and admission.hold is not None:
        currency = admission.hold.currency
        charge = rate_call(seconds, admission.rate, currency).charge
        hold = hot.ledger.find(admission.hold.id)
        told["cost"] = money(charge.micros, currency)
        told["reserved"] = money(hold.micros if hold else 0, currency)
    return told


def binding_view(binding: Binding, hot: HotState, now: float) -> Json:
    """One registration: whose, where it is reached, and until when."""
    host, port = binding.flow.remote
    return {
        "owner": binding.owner.value,
        "name": _owner_name(binding, hot),
        "contact": binding.contact,
        "transport": binding.flow.transport,
        "source": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "nat": binding.nat,
        "expires_in_s": max(0, round(binding.deadline - now)),
        "user_agent": binding.user_agent,
    }


def _owner_name(binding: Binding, hot: HotState) -> str:
    if binding.owner is Owner.PROFILE:
        profile = hot.profile_by_id.get(binding.owner_id)
        return profile.name if profile else str(binding.owner_id)
    account = hot.onnet_by_id.get(binding.owner_id)
    return account.name if account else str(binding.owner_id)


def _packets(live: LiveCall, plane: MediaPlane) -> Json | None:
    """RTP packets by side: from the caller (a) and from the called (b). None without media."""
    if not live.call.media_open:
        return None
    report = plane.report(live.call_id)
    return {"a": _sums(report.a), "b": _sums(report.b)}


def _sums(streams: tuple[StreamCounters, ...]) -> Json:
    return {
        "received": sum(each.received for each in streams),
        "sent": sum(each.sent for each in streams),
    }
