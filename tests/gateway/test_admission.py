"""May this call be set up? The rules, their order, and what a yes takes."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hot_state import HotState
from gateway.model.call import Admission, CallKind, ChannelLease, Direction, SrtpPolicy
from gateway.model.profile import Subscription
from gateway.refusal import Refusal
from rating.credit import first_hold
from tests.support import factories as make
from tests.support.asking import (
    ECHO,
    EMPTY,
    US,
    bring,
    call,
    code,
    inward_hot,
    onnet,
    untouched,
    yes,
)

# A PBX calls the telephone network


def test_a_paid_call_takes_a_channel_and_the_first_increment() -> None:
    """R24, R64: and everything the call needs to go on comes with it."""
    hot = make.hot_state()
    admission = yes(call(hot))
    assert (admission.kind, admission.direction) == (CallKind.PSTN, Direction.OUTGOING)
    assert admission.called == "+12025550123"
    assert admission.rate is not None and admission.hold is not None
    assert admission.hold.micros == first_hold(admission.rate) == 3_000
    assert hot.ledger.held("profile:1") == 3_000
    assert hot.profile_by_id[1].leases == {"c-1": admission.lease}
    assert admission.lease.since == make.AT
    assert [t.uri for t in admission.targets] == ["sip:+12025550123@192.0.2.50:5060"]
    assert admission.a_srtp is SrtpPolicy.OPTIONAL
    assert admission.also_leases == ()


@pytest.mark.parametrize("called", ["12025550123", "+12025550123", "0012025550123"])
def test_a_full_international_number_may_have_plus_or_double_zero(called: str) -> None:
    """R121, ruling 16"""
    assert yes(call(make.hot_state(), called)).called == "+12025550123"


def test_a_tel_uri_may_have_visual_separators() -> None:
    """RFC 3966 §3"""
    assert yes(call(make.hot_state(), "+1-202-555-0123", scheme="tel")).called == "+12025550123"
    assert code(call(make.hot_state(), "+1-202-555-0123")) == "INVALID_NUMBER"


@pytest.mark.parametrize(
    ("called", "expected"),
    [
        ("7606604690", "NOT_INTERNATIONAL"),
        ("5550123", "NOT_INTERNATIONAL"),
        ("02079460000", "NOT_INTERNATIONAL"),
        ("*99", "INVALID_NUMBER"),
        ("", "INVALID_NUMBER"),
        ("#31#12025550123", "INVALID_NUMBER"),
    ],
)
def test_nothing_shorter_is_guessed(called: str, expected: str) -> None:
    """R121: 7606604690 is the echo number without its country code."""
    hot = make.hot_state()
    assert code(call(hot, called)) == expected
    assert untouched(hot)


def test_the_caller_shown_is_the_profiles_own() -> None:
    """R112: a forged From never goes further."""
    hot = make.hot_state(profiles=(make.profile(caller_id="+442079460123"),))
    admission = yes(call(hot, caller="+19005550000"))
    assert str(admission.caller) == "+442079460123"


@pytest.mark.parametrize("called", ["112", "911", "999", "933", "+1911", "1911"])
def test_an_emergency_call_is_refused_before_everything(called: str) -> None:
    """R122: whatever else is wrong; no channel, no credit."""
    hot = make.hot_state(
        profiles=(make.profile(subscription=Subscription.NONE),), balances=EMPTY, carriers=()
    )
    answer = call(hot, called)
    assert code(answer) == "EMERGENCY_NOT_OFFERED"
    assert isinstance(answer, Refusal) and answer.status == 503
    assert untouched(hot)


def test_the_emergency_urn_and_the_home_country_count() -> None:
    """R122"""
    assert code(call(make.hot_state(), "service:sos", scheme="urn")) == "EMERGENCY_NOT_OFFERED"
    german = make.hot_state(profiles=(make.profile(home_country="DE"),))
    assert code(call(german, "110")) == "EMERGENCY_NOT_OFFERED"
    assert code(call(make.hot_state(), "110")) == "NOT_INTERNATIONAL"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"subscription": Subscription.NONE}, "NO_SUBSCRIPTION"),
        ({"channels": 0}, "NO_SUBSCRIPTION"),
        ({"subscription": Subscription.LAPSED}, "SUBSCRIPTION_LAPSED"),
    ],
)
@pytest.mark.parametrize("called", ["12025550123", ECHO, "alice"])
def test_without_a_subscription_every_call_is_refused(
    fields: dict[str, Any], expected: str, called: str
) -> None:
    """R18, R31: the echo test included."""
    hot = make.hot_state(profiles=(make.profile(**fields),))
    assert code(call(hot, called)) == expected
    assert untouched(hot)


def test_a_profile_deleted_meanwhile_is_not_active() -> None:
    assert code(call(make.hot_state(), source_id=99)) == "PROFILE_INACTIVE"


@pytest.mark.parametrize("called", ["alice", "Architects.Sales", "nobody"])
def test_a_name_cannot_be_called_whether_it_exists_or_not(called: str) -> None:
    """R21"""
    answer = call(inward_hot(), called)
    assert code(answer) == "ONNET_NAME_NOT_DIALABLE"
    assert isinstance(answer, Refusal) and answer.status == 404


@pytest.mark.parametrize("called", [ECHO, f"+{ECHO}"])
def test_the_echo_test_is_free_but_takes_a_channel(called: str) -> None:
    """R74, R121: possible before there is any credit, tariff or carrier."""
    hot = make.hot_state(balances=EMPTY, tariff=None, carriers=())
    admission = yes(call(hot, called))
    assert admission.kind is CallKind.ECHO
    assert (admission.hold, admission.rate, admission.targets) == (None, None, ())
    assert list(hot.profile_by_id[1].leases) == ["c-1"]


def test_the_echo_test_needs_a_free_channel() -> None:
    """R74"""
    hot = make.hot_state(profiles=(make.profile(channels=1),))
    yes(call(hot, ECHO))
    assert code(call(hot, ECHO, call_id="c-2")) == "CHANNELS_FULL_PBX"


def test_a_closed_destination_is_refused() -> None:
    environment = make.env(countries=frozenset({"US"}))
    yes(call(make.hot_state(), env=environment))
    answer = call(make.hot_state(), "442079460123", env=environment)
    assert code(answer) == "DESTINATION_NOT_ALLOWED"
    assert isinstance(answer, Refusal) and answer.detail == "GB"


def test_without_a_rate_there_is_no_call() -> None:
    """R75: nothing is called that cannot be priced."""
    assert code(call(make.hot_state(), "33123456789")) == "NO_RATE"
    assert code(call(make.hot_state(tariff=None))) == "NO_RATE"
    assert code(call(make.hot_state(tariff=make.tariff("EUR")))) == "NO_RATE"


def test_the_channel_after_the_last_is_refused() -> None:
    """R24, R37: 503, so that the PBX takes its next trunk; nothing more is held."""
    hot = make.hot_state(profiles=(make.profile(channels=2),))
    yes(call(hot, call_id="c-1"))
    yes(call(hot, ECHO, call_id="c-2"))
    held = hot.ledger.held("profile:1")
    answer = call(hot, call_id="c-3")
    assert code(answer) == "CHANNELS_FULL_PBX"
    assert isinstance(answer, Refusal) and answer.status == 503
    assert hot.ledger.held("profile:1") == held


@pytest.mark.parametrize(("balance", "admitted"), [(3_000, True), (2_999, False), (0, False)])
def test_the_first_increment_must_be_payable(balance: int, admitted: bool) -> None:
    """R19, R64: else the carrier hears nothing."""
    hot = make.hot_state(balances={"profile:1": balance})
    answer = call(hot)
    if admitted:
        yes(answer)
    else:
        assert code(answer) == "CREDIT"
        assert isinstance(answer, Refusal) and answer.status == 403
        assert untouched(hot)


def test_credit_held_by_one_call_is_not_there_for_the_next() -> None:
    """R63"""
    hot = make.hot_state(balances={"profile:1": 5_000})
    yes(call(hot, call_id="c-1"))
    assert code(call(hot, call_id="c-2")) == "CREDIT"
    assert list(hot.profile_by_id[1].leases) == ["c-1"]


def test_credit_of_another_profile_pays_nothing() -> None:
    """R20"""
    hot = make.hot_state(
        profiles=(make.profile(1), make.profile(2)), balances={"profile:2": 10_000_000}
    )
    assert code(call(hot, source_id=1)) == "CREDIT"


def test_a_credit_in_another_currency_is_not_touched() -> None:
    """The Manager's currency was changed under its money: refuse, and give the channel back."""
    hot = make.hot_state()
    yes(call(hot, call_id="c-1"))
    hot.put_manager(make.manager(1, "EUR"))
    hot.replace_tariff(make.tariff("EUR"))
    assert code(call(hot, call_id="c-2")) == "CREDIT"
    assert list(hot.profile_by_id[1].leases) == ["c-1"]


def test_a_destination_that_costs_nothing_needs_no_credit() -> None:
    admission = yes(call(make.hot_state(balances=EMPTY), "6793123456"))
    assert admission.hold is None
    assert admission.rate is not None and admission.rate.prefix == "679"


def test_without_a_carrier_nothing_is_taken() -> None:
    hot = make.hot_state(carriers=())
    answer = call(hot)
    assert code(answer) == "NO_CARRIER"
    assert untouched(hot)


def test_the_pbxs_own_srtp_policy_governs_leg_a() -> None:
    hot = make.hot_state(profiles=(make.profile(srtp=SrtpPolicy.REQUIRED),))
    assert yes(call(hot)).a_srtp is SrtpPolicy.REQUIRED


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ({"called": "911"}, "EMERGENCY_NOT_OFFERED"),
        ({"subscription": Subscription.NONE}, "NO_SUBSCRIPTION"),
        ({"called": "alice"}, "ONNET_NAME_NOT_DIALABLE"),
        ({"called": "5550123"}, "NOT_INTERNATIONAL"),
        ({"countries": frozenset({"GB"})}, "DESTINATION_NOT_ALLOWED"),
        ({"tariff": None}, "NO_RATE"),
        ({"leases": 2}, "CHANNELS_FULL_PBX"),
        ({"balances": EMPTY}, "CREDIT"),
        ({"carriers": ()}, "NO_CARRIER"),
    ],
)
def test_each_rule_is_asked_before_all_that_follow_it(
    broken: dict[str, Any], expected: str
) -> None:
    """The order: a call wrong in this and all later respects is refused for this one."""
    order = ["subscription", "called", "countries", "tariff", "leases", "balances", "carriers"]
    worst: dict[str, Any] = {
        "subscription": Subscription.NONE,
        "countries": frozenset({"GB"}),
        "tariff": None,
        "leases": 2,
        "balances": EMPTY,
        "carriers": (),
    }
    (name,) = broken
    start = 0 if broken.get("called") == "911" else order.index(name)
    later = {key: worst[key] for key in order[start:] if key in worst}
    fields = {**later, **broken}
    profile = make.profile(subscription=fields.get("subscription", Subscription.ACTIVE))
    hot = make.hot_state(
        profiles=(profile,),
        balances=fields.get("balances", {"profile:1": 1_000_000}),
        tariff=fields.get("tariff", make.tariff()) if "tariff" in fields else make.tariff(),
        carriers=fields.get("carriers", (make.carrier(),)),
    )
    for i in range(fields.get("leases", 0)):
        profile.lease(f"x-{i}", Direction.INCOMING, make.AT)
    environment = make.env(countries=fields.get("countries"))
    assert code(call(hot, fields.get("called", "12025550123"), env=environment)) == expected


# A PBX calls a number of ours


def two_profiles(**fields: Any) -> HotState:
    given = {
        "profiles": (make.profile(1, caller_id="+442079460123"), make.profile(2)),
        "numbers": (make.number(US, 2),),
        "bindings": (make.binding(2),),
        "balances": EMPTY,
        "carriers": (),
        "tariff": None,
    }
    return make.hot_state(**{**given, **fields})


def test_a_call_to_a_number_of_ours_stays_inside_and_is_free() -> None:
    """R21: one channel on each profile."""
    hot = two_profiles()
    admission = yes(call(hot, US))
    assert admission.kind is CallKind.ONLINE_NUMBER
    assert (admission.profile_id, admission.direction) == (1, Direction.OUTGOING)
    assert (admission.hold, admission.rate) == (None, None)
    assert [t.uri for t in admission.targets] == ["sip:12026555376@203.0.113.7:5060"]
    assert str(admission.caller) == "+442079460123"
    (second,) = admission.also_leases
    assert (second.profile_id, second.direction) == (2, Direction.INCOMING)
    assert list(hot.profile_by_id[1].leases) == list(hot.profile_by_id[2].leases) == ["c-1"]


@pytest.mark.parametrize(
    ("fields", "expected", "status"),
    [
        ({"numbers": (replace(make.number(US, 2), suspended=True),)}, "NUMBER_SUSPENDED", 480),
        ({"numbers": (make.number(US, None),)}, "NUMBER_NOT_ASSIGNED", 404),
        ({"numbers": (make.number(US, 99),)}, "NUMBER_NOT_ASSIGNED", 404),
        ({"bindings": ()}, "PBX_NOT_REACHABLE", 480),
        ({"profiles": (make.profile(1), make.profile(2, channels=0))}, "NO_SUBSCRIPTION", 480),
        ({"profiles": (make.profile(1, channels=0), make.profile(2))}, "NO_SUBSCRIPTION", 403),
    ],
)
def test_what_is_wrong_at_the_called_profile_is_told_as_such(
    fields: dict[str, Any], expected: str, status: int
) -> None:
    hot = two_profiles(**fields)
    answer = call(hot, US)
    assert code(answer) == expected
    assert isinstance(answer, Refusal) and answer.status == status
    assert untouched(hot)


def test_both_profiles_need_a_free_channel() -> None:
    """R21, R24, R37"""
    hot = two_profiles()
    for i in range(2):
        hot.profile_by_id[2].lease(f"x-{i}", Direction.INCOMING, make.AT)
    assert code(call(hot, US)) == "CHANNELS_FULL_CALLER"
    assert not hot.profile_by_id[1].leases
    hot = two_profiles()
    for i in range(2):
        hot.profile_by_id[1].lease(f"x-{i}", Direction.INCOMING, make.AT)
    assert code(call(hot, US)) == "CHANNELS_FULL_PBX"
    assert not hot.profile_by_id[2].leases


def test_a_profile_that_calls_its_own_number_needs_two_channels() -> None:
    """R21, R24"""
    own = {"numbers": (make.number(US, 1),), "bindings": (make.binding(1),)}
    hot = two_profiles(**own)
    admission = yes(call(hot, US))
    assert list(hot.profile_by_id[1].leases) == ["c-1", "c-1/called"]
    assert admission.also_leases[0].call_id == "c-1/called"
    hot = two_profiles(**own, profiles=(make.profile(1, channels=1), make.profile(2)))
    assert code(call(hot, US)) == "CHANNELS_FULL_CALLER"
    assert untouched(hot)


# Whatever comes


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["out", "in", "net", "echo", "inside", "end"]), st.integers(0, 8)
        ),
        max_size=40,
    ),
    st.integers(0, 20_000),
)
def test_channels_and_credit_are_never_exceeded(steps: list[tuple[str, int]], balance: int) -> None:
    """R35, R63: any mixture of calls; a no leaves nothing behind."""
    hot = inward_hot(
        profiles=(make.profile(1, channels=3), make.profile(2, channels=2)),
        balances={"profile:1": balance, "profile:2": balance},
    )
    live: dict[str, Admission] = {}
    for count, (kind, which) in enumerate(steps):
        before = (len(list(hot.ledger.holds())), sum(map(len, leases(hot))))
        call_id = f"c-{count}"
        match kind:
            case "out":
                answer = call(hot, call_id=call_id, source_id=1 + which % 2)
            case "echo":
                answer = call(hot, ECHO, call_id=call_id, source_id=1 + which % 2)
            case "inside":
                answer = call(hot, US, call_id=call_id, source_id=1 + which % 2)
            case "in":
                answer = bring(hot, call_id=call_id)
            case "net":
                answer = onnet(hot, "architects.sales", call_id=call_id)
            case _:
                end_one(hot, live, which)
                continue
        if isinstance(answer, Admission):
            live[call_id] = answer
        else:
            after = (len(list(hot.ledger.holds())), sum(map(len, leases(hot))))
            assert after == before
        for profile in hot.profile_by_id.values():
            assert len(profile.leases) <= profile.channels
            assert hot.ledger.available(profile.account) >= 0


def leases(hot: HotState) -> list[dict[str, ChannelLease]]:
    return [p.leases for p in hot.profile_by_id.values()]


def end_one(hot: HotState, live: dict[str, Admission], which: int) -> None:
    if not live:
        return
    admission = live.pop(sorted(live)[which % len(live)])
    for lease in (admission.lease, *admission.also_leases):
        hot.profile_by_id[lease.profile_id].release(lease.call_id)
    if admission.hold is not None:
        hot.ledger.void(admission.hold.id)
