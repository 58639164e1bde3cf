"""The end of a call: what it costs, what is given back, what is recorded."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission import admit_inbound, admit_onnet, admit_outbound
from gateway.hot_state import HotState
from gateway.model.call import Admission, CallOutcome, EndCause, Source
from gateway.refusal import refuse
from gateway.settlement import give_back, refused_cdr, settle
from rating.credit import affordable_s, hold_for
from rating.rater import price, rate_call
from tests.support import factories as make

US = "+12026555376"


def admitted(hot: HotState, called: str = "12025550123", **fields: Any) -> Admission:
    attempt = make.attempt(called, **fields)
    admit = {
        Source.PROFILE: admit_outbound,
        Source.CARRIER: admit_inbound,
        Source.ONNET: admit_onnet,
    }[attempt.source]
    answer = admit(attempt, hot, make.env())
    assert isinstance(answer, Admission), answer
    return answer


def outcome(admission: Admission, talked_s: float = 75.0, **fields: Any) -> CallOutcome:
    answered = make.AT + timedelta(seconds=5)
    given: dict[str, Any] = {
        "started_at": make.AT,
        "answered_at": answered,
        "ended_at": answered + timedelta(seconds=talked_s),
        "duration_s": talked_s,
        "cause": EndCause.CALLER_HUNG_UP,
        "sip_status": 200,
        "target": "carrier:main",
        "a_sip_call_id": "a",
        "b_sip_call_id": "b",
        "media": "fine",
        "attempts": "first:503 main:200",
    }
    return CallOutcome(admission, **{**given, **fields})


def cover(hot: HotState, admission: Admission, seconds: int) -> None:
    """Extend the hold as the running call does."""
    assert admission.rate is not None and admission.hold is not None
    hot.ledger.extend(admission.hold.id, hold_for(admission.rate, seconds))


def idle(hot: HotState) -> bool:
    return not list(hot.ledger.holds()) and not any(p.leases for p in hot.profile_by_id.values())


@pytest.mark.parametrize(
    ("talked_s", "billed_s", "micros"),
    [(1, 30, 3_000), (30, 30, 3_000), (32, 36, 3_600), (57, 60, 6_000), (75, 78, 7_800)],
)
def test_a_call_is_charged_by_thirty_and_six(talked_s: int, billed_s: int, micros: int) -> None:
    """R68, R69: golden prices at 0.006 a minute."""
    hot = make.hot_state()
    admission = admitted(hot)
    cover(hot, admission, billed_s)
    settled = settle(outcome(admission, talked_s), hot, make.AT)
    assert (settled.cdr.billed_s, settled.cdr.charge_micros) == (billed_s, micros)
    assert settled.entry is not None
    assert settled.entry.ref == "c-1" and settled.entry.kind == "call"
    assert {p.account: p.micros for p in settled.entry.postings} == {
        "profile:1": -micros,
        "world:calls": micros,
    }
    assert hot.ledger.balance("profile:1") == 10_000_000 - micros
    assert idle(hot)


def test_the_record_tells_the_whole_call() -> None:
    """R72: number, duration, cost, and how the cost came about."""
    hot = make.hot_state(profiles=(make.profile(caller_id="+442079460123"),))
    admission = admitted(hot)
    cover(hot, admission, 78)
    cdr = settle(outcome(admission), hot, make.AT).cdr
    assert (cdr.call_id, cdr.profile_id) == ("c-1", 1)
    assert (cdr.kind, cdr.direction) == ("pstn", "outgoing")
    assert (cdr.caller, cdr.called) == ("+442079460123", "+12025550123")
    assert (cdr.duration_s, cdr.currency) == (75.0, "USD")
    assert (cdr.rate_prefix, cdr.rate_per_min_micros) == ("1", 6_000)
    assert "78 s billed (30 + 8x6)" in cdr.derivation
    assert (cdr.cause, cdr.sip_status, cdr.refusal) == ("caller-hung-up", 200, "")
    assert (cdr.target, cdr.a_sip_call_id, cdr.b_sip_call_id) == ("carrier:main", "a", "b")
    assert (cdr.media, cdr.attempts) == ("fine", "first:503 main:200")


def test_a_call_that_was_never_answered_is_free() -> None:
    """R70: ringing and early media cost nothing; the hold is released whole."""
    hot = make.hot_state()
    silent = outcome(admitted(hot), 0.0, answered_at=None, cause=EndCause.NO_ANSWER, sip_status=408)
    settled = settle(silent, hot, make.AT)
    assert settled.entry is None
    assert (settled.cdr.billed_s, settled.cdr.charge_micros) == (0, 0)
    assert hot.ledger.available("profile:1") == 10_000_000
    assert idle(hot)


def test_a_refusal_of_ours_is_named_in_the_record() -> None:
    hot = make.hot_state()
    silent = outcome(admitted(hot), 0.0, answered_at=None, refusal="MEDIA_EXHAUSTED")
    assert settle(silent, hot, make.AT).cdr.refusal == "MEDIA_EXHAUSTED"


@pytest.mark.parametrize("talked_s", [36.0, 36.004, 36.19, 35.9999])
def test_a_call_cut_for_want_of_credit_pays_the_paid_seconds(talked_s: float) -> None:
    """R65: 30 + 6k, never an increment begun by the cut itself."""
    hot = make.hot_state(balances={"profile:1": 3_600})
    admission = admitted(hot)
    cover(hot, admission, 36)
    cut = outcome(admission, talked_s, cause=EndCause.CREDIT_EXHAUSTED)
    cdr = settle(cut, hot, make.AT).cdr
    assert (cdr.billed_s, cdr.charge_micros) == (36, 3_600)
    assert cdr.duration_s == talked_s
    assert hot.ledger.balance("profile:1") == 0


def test_a_hold_that_was_not_granted_in_time_is_not_charged() -> None:
    """R65: memory may hold an increment whose grant never became durable."""
    hot = make.hot_state()
    admission = admitted(hot)
    cover(hot, admission, 42)
    cut = outcome(admission, 36.01, cause=EndCause.CREDIT_EXHAUSTED)
    assert settle(cut, hot, make.AT).cdr.billed_s == 36


@pytest.mark.parametrize("cause", [EndCause.CALLER_HUNG_UP, EndCause.LOST_PEER])
def test_nobody_pays_more_than_was_held(cause: EndCause) -> None:
    """R63: a hang-up that came after the last paid second."""
    hot = make.hot_state(balances={"profile:1": 100_000})
    admission = admitted(hot)
    cover(hot, admission, 36)
    cdr = settle(outcome(admission, 41.0, cause=cause), hot, make.AT).cdr
    assert (cdr.billed_s, cdr.charge_micros) == (36, 3_600)
    assert "cut off at the 36 s paid for = 0.0036 USD" in cdr.derivation


def test_other_peoples_holds_stay() -> None:
    hot = make.hot_state()
    first, second = admitted(hot, call_id="c-1"), admitted(hot, call_id="c-2")
    cover(hot, first, 78)
    settle(outcome(first), hot, make.AT)
    assert hot.ledger.held("profile:1") == 3_000
    assert list(hot.profile_by_id[1].leases) == ["c-2"]
    settle(outcome(second, 10), hot, make.AT)
    assert idle(hot)


def test_a_call_is_settled_once() -> None:
    """R36: a second time is a violation, not a second release."""
    hot = make.hot_state()
    ended = outcome(admitted(hot), 10)
    settle(ended, hot, make.AT)
    with pytest.raises(KeyError):
        settle(ended, hot, make.AT)
    assert hot.ledger.balance("profile:1") == 10_000_000 - 3_000


@pytest.mark.parametrize(
    ("fields", "derivation"),
    [
        ({"called": "17606604690"}, "free: echo test"),
        ({"called": US, "source": Source.CARRIER}, "free: call to an Online Number"),
        ({"called": "sales", "source": Source.ONNET}, "free: call from the own network"),
    ],
)
def test_free_calls_change_no_balance(fields: dict[str, Any], derivation: str) -> None:
    """R71, R74, R102"""
    hot = make.hot_state(
        numbers=(make.number(US, 1),),
        bindings=(make.binding(),),
        onnet_accounts=(make.onnet_account(5, "sales", profile_id=1),),
    )
    settled = settle(outcome(admitted(hot, **fields)), hot, make.AT)
    assert settled.entry is None
    assert (settled.cdr.charge_micros, settled.cdr.billed_s) == (0, 0)
    assert (settled.cdr.derivation, settled.cdr.currency) == (derivation, "USD")
    assert settled.cdr.duration_s == 75.0
    assert hot.ledger.balances() == {"profile:1": 10_000_000}
    assert idle(hot)


def test_a_call_inside_gives_both_channels_back() -> None:
    """R21"""
    hot = make.hot_state(
        profiles=(make.profile(1), make.profile(2)),
        numbers=(make.number(US, 2),),
        bindings=(make.binding(2),),
    )
    settle(outcome(admitted(hot, US)), hot, make.AT)
    assert idle(hot)


def test_a_profile_calling_itself_gives_both_channels_back() -> None:
    """R21"""
    hot = make.hot_state(numbers=(make.number(US, 1),), bindings=(make.binding(1),))
    settle(outcome(admitted(hot, US)), hot, make.AT)
    assert idle(hot)


def test_a_destination_without_a_price_is_rated_at_nothing() -> None:
    hot = make.hot_state(balances={})
    settled = settle(outcome(admitted(hot, "6793123456"), 31), hot, make.AT)
    assert settled.entry is None
    assert (settled.cdr.billed_s, settled.cdr.charge_micros) == (36, 0)
    assert settled.cdr.rate_prefix == "679"


def test_a_profile_deleted_during_the_call_still_pays() -> None:
    """R118"""
    hot = make.hot_state()
    admission = admitted(hot)
    hot.remove_profile(1)
    settled = settle(outcome(admission, 10), hot, make.AT)
    assert settled.cdr.charge_micros == 3_000
    assert settled.cdr.currency == "USD"


def test_a_free_call_of_a_deleted_profile_has_no_currency() -> None:
    hot = make.hot_state()
    admission = admitted(hot, "17606604690")
    hot.remove_profile(1)
    assert settle(outcome(admission), hot, make.AT).cdr.currency == ""


@pytest.mark.parametrize("called", ["12025550123", "17606604690"])
def test_an_admission_that_was_not_written_down_is_undone(called: str) -> None:
    hot = make.hot_state()
    give_back(admitted(hot, called), hot)
    assert idle(hot)
    assert hot.ledger.available("profile:1") == 10_000_000


def test_a_refused_attempt_has_its_record() -> None:
    """Every attempt is recorded (pain 5)."""
    attempt = make.attempt("33123456789")
    later = make.AT + timedelta(milliseconds=3)
    cdr = refused_cdr(attempt, refuse("NO_RATE"), later)
    assert (cdr.call_id, cdr.profile_id, cdr.kind, cdr.direction) == ("c-1", 1, "pstn", "outgoing")
    assert (cdr.caller, cdr.called) == ("101", "33123456789")
    assert (cdr.cause, cdr.sip_status, cdr.refusal) == ("refused", 404, "NO_RATE")
    assert (cdr.started_at, cdr.ended_at, cdr.answered_at) == (make.AT, later, None)
    assert (cdr.charge_micros, cdr.billed_s, cdr.currency) == (0, 0, "")
    assert cdr.derivation.startswith("refused: ")


def test_a_refused_incoming_call_belongs_to_the_profile_called() -> None:
    hot = make.hot_state(
        numbers=(make.number(US, 1),),
        onnet_accounts=(make.onnet_account(5, "sales", profile_id=1),),
    )
    refusal = refuse("CHANNELS_FULL_CALLER")
    attempt = make.attempt(US[1:], source=Source.CARRIER, source_id=7, caller="")
    cdr = refused_cdr(attempt, refusal, make.AT, hot)
    assert (cdr.profile_id, cdr.direction, cdr.kind) == (1, "incoming", "online-number")
    assert (cdr.caller, cdr.currency) == ("anonymous", "USD")
    named = replace(attempt, source=Source.ONNET, called="Sales")
    assert refused_cdr(named, refusal, make.AT, hot).profile_id == 1
    nobody = replace(attempt, called="+12026550000")
    assert refused_cdr(nobody, refusal, make.AT, hot).profile_id == 0
    assert refused_cdr(attempt, refusal, make.AT).profile_id == 0


@given(
    st.floats(0.0, 400.0),
    st.integers(3_000, 60_000),
    st.booleans(),
    st.sampled_from(EndCause),
)
def test_no_ending_overspends_and_none_bills_beyond_the_rating(
    talked_s: float, balance: int, answered: bool, cause: EndCause
) -> None:
    """R63, R73, R75: whatever ends the call, the balance stays payable and the record agrees."""
    hot = make.hot_state(balances={"profile:1": balance})
    admission = admitted(hot)
    rate = admission.rate
    assert rate is not None
    covered_s = 30
    while covered_s < talked_s and affordable_s(rate, balance) >= covered_s + 6:
        covered_s += 6
    cover(hot, admission, covered_s)
    ended = outcome(admission, talked_s, cause=cause, answered_at=make.AT if answered else None)
    settled = settle(ended, hot, make.AT)
    charged = balance - hot.ledger.balance("profile:1")
    assert 0 <= charged <= balance
    assert settled.cdr.charge_micros == charged
    assert charged == (price(rate, settled.cdr.billed_s) if answered else 0)
    assert charged <= max(rate_call(talked_s, rate, "USD").charge.micros, 3_000)
    assert (settled.entry is None) == (charged == 0)
    assert idle(hot)
