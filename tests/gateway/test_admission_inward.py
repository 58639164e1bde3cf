"""Calls that ring a PBX: from a carrier, and from an account of our own network."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.model.call import CallKind, Direction, SrtpPolicy
from gateway.model.profile import AuthMode, Subscription
from gateway.refusal import Refusal
from tests.support import factories as make
from tests.support.asking import EMPTY, US, bring, call, code, inward_hot, onnet, untouched, yes

# A carrier brings a call


def test_a_call_to_an_online_number_rings_the_pbx_for_free() -> None:
    """R19, R62, R71: no credit is needed."""
    hot = inward_hot(balances=EMPTY, tariff=None)
    admission = yes(bring(hot))
    assert (admission.kind, admission.direction) == (CallKind.ONLINE_NUMBER, Direction.INCOMING)
    assert (admission.profile_id, admission.hold, admission.rate) == (1, None, None)
    assert [t.uri for t in admission.targets] == ["sip:12026555376@203.0.113.7:5060"]
    assert str(admission.caller) == "+447824501234"
    assert admission.a_srtp is SrtpPolicy.NONE  # the carrier's, not the profile's
    assert list(hot.profile_by_id[1].leases) == ["c-1"]


def test_several_numbers_ring_one_pbx_each_as_itself() -> None:
    """R108: the PBX sees which one was called."""
    hot = inward_hot(numbers=(make.number(US, 1), make.number("+442079460123", 1)))
    (target,) = yes(bring(hot, "442079460123")).targets
    assert target.uri == "sip:442079460123@203.0.113.7:5060"


def test_a_pbx_in_ip_mode_is_called_without_a_binding() -> None:
    """R80"""
    fixed = make.profile(mode=AuthMode.IP, address=("203.0.113.20", 5062))
    (target,) = yes(bring(inward_hot(profiles=(fixed,), bindings=()))).targets
    assert target.uri == "sip:12026555376@203.0.113.20:5062"


@pytest.mark.parametrize(
    ("fields", "called", "expected", "status"),
    [
        ({}, "+12026555377", "NO_SUCH_NUMBER", 404),
        ({}, "alice", "NO_SUCH_NUMBER", 404),
        ({}, "112", "NO_SUCH_NUMBER", 404),
        ({"carriers": ()}, US, "NO_SUCH_NUMBER", 404),
        ({"numbers": (make.number(US, None),)}, US, "NUMBER_NOT_ASSIGNED", 404),
        ({"numbers": (replace(make.number(US), suspended=True),)}, US, "NUMBER_SUSPENDED", 480),
        ({"profiles": (make.profile(channels=0),)}, US, "NO_SUBSCRIPTION", 480),
        (
            {"profiles": (make.profile(subscription=Subscription.LAPSED),)},
            US,
            "SUBSCRIPTION_LAPSED",
            480,
        ),
        ({"bindings": ()}, US, "PBX_NOT_REACHABLE", 480),
        ({"bindings": (make.binding(deadline=make.NOW),)}, US, "PBX_NOT_REACHABLE", 480),
    ],
)
def test_a_caller_hears_why_nobody_can_be_reached(
    fields: dict[str, Any], called: str, expected: str, status: int
) -> None:
    """R18, R31, R110"""
    hot = inward_hot(**fields)
    answer = bring(hot, called)
    assert code(answer) == expected
    assert isinstance(answer, Refusal) and answer.status == status
    assert untouched(hot)


def test_a_caller_hears_busy_when_all_channels_are_in_use() -> None:
    """R37: 486 to the caller; outgoing calls hold the same channels (R24)."""
    hot = inward_hot()
    yes(call(hot, call_id="c-1"))
    yes(bring(hot, call_id="c-2"))
    answer = bring(hot, call_id="c-3")
    assert code(answer) == "CHANNELS_FULL_CALLER"
    assert isinstance(answer, Refusal) and answer.status == 486


def test_a_reallocated_number_rings_its_new_owner_at_once() -> None:
    """R105"""
    hot = inward_hot(
        profiles=(make.profile(1), make.profile(2)), bindings=(make.binding(1), make.binding(2))
    )
    assert yes(bring(hot)).profile_id == 1
    hot.put_number(make.number(US, 2))
    assert yes(bring(hot, call_id="c-2")).profile_id == 2


# An on-net account calls


@pytest.mark.parametrize(("extension", "user"), [("203", "203"), ("", "Architects.Sales")])
def test_a_business_account_is_called_by_name(extension: str, user: str) -> None:
    """R94, R101, R102: free, the extension stands in the request line, else the name."""
    account = make.onnet_account(5, "Architects.Sales", profile_id=1, extension=extension)
    hot = inward_hot(
        onnet_accounts=(account, make.onnet_account(9, "alice")), balances=EMPTY, tariff=None
    )
    admission = yes(onnet(hot, "architects.sales"))
    assert (admission.kind, admission.direction) == (CallKind.ONNET, Direction.INCOMING)
    assert [t.uri for t in admission.targets] == [f"sip:{user}@203.0.113.7:5060"]
    assert str(admission.caller) == "alice"
    assert admission.caller.number is None
    assert (admission.hold, admission.called) == (None, "architects.sales")
    assert admission.a_srtp is SrtpPolicy.OPTIONAL
    assert list(hot.profile_by_id[1].leases) == ["c-1"]


def test_the_number_of_a_business_account_stands_itself_in_the_request_line() -> None:
    """R101: even with an extension."""
    account = make.onnet_account(5, "Architects.Sales", profile_id=1, extension="203")
    hot = inward_hot(onnet_accounts=(account, make.onnet_account(9, "alice")))
    (target,) = yes(onnet(hot, "12026555376")).targets
    assert target.uri == "sip:12026555376@203.0.113.7:5060"


@pytest.mark.parametrize(
    ("called", "expected"),
    [
        ("nobody", "NO_SUCH_ACCOUNT"),
        ("alice", "NO_SUCH_ACCOUNT"),  # a member, but no business account
        ("12025550123", "NO_SUCH_ACCOUNT"),  # the telephone network is for profiles
        ("911", "EMERGENCY_NOT_OFFERED"),
    ],
)
def test_an_account_reaches_nothing_else(called: str, expected: str) -> None:
    hot = inward_hot()
    assert code(onnet(hot, called)) == expected
    assert untouched(hot)


def test_a_name_in_another_domain_is_not_ours() -> None:
    hot = inward_hot()
    foreign = onnet(hot, "architects.sales", called_host="elsewhere.example.com")
    assert code(foreign) == "UNKNOWN_REALM"
    for host in ("198.51.100.1", "2001:db8::1", make.REALM.upper()):
        yes(onnet(hot, "architects.sales", called_host=host, call_id=host))
        hot.profile_by_id[1].release(host)


def test_an_account_of_a_deleted_profile_cannot_be_called() -> None:
    hot = inward_hot(onnet_accounts=(make.onnet_account(5, "Architects.Sales", profile_id=99),))
    assert code(onnet(hot, "architects.sales")) == "NO_SUCH_ACCOUNT"


def test_a_caller_deleted_meanwhile_is_anonymous() -> None:
    assert str(yes(onnet(inward_hot(), "architects.sales", source_id=77)).caller) == "anonymous"


def test_an_on_net_caller_hears_busy_when_all_channels_are_in_use() -> None:
    """R37"""
    hot = inward_hot(profiles=(make.profile(channels=1),))
    yes(bring(hot, call_id="c-1"))
    assert code(onnet(hot, "architects.sales", call_id="c-2")) == "CHANNELS_FULL_CALLER"
