"""The hunt: which failures go on, both time limits of an attempt, what a carrier is blamed for."""

from dataclasses import replace

import pytest

from gateway.b2bua.effects import JudgeCarrier
from gateway.b2bua.hunt import Hunt, HuntLimits, Then, retry_after_s, shown, then_after
from gateway.model.call import Target
from tests.gateway.b2bua.test_call import target

LIMITS = HuntLimits(response_s=5.0, ring_s=50.0)
FIRST, SECOND = target("carrier:first"), target("carrier:second one")
BLAMED, PRAISED = "blamed", "praised"


def dialled(*targets: Target, now: float = 0.0) -> Hunt:
    hunt = Hunt(targets or (FIRST, SECOND), LIMITS)
    hunt.next_target()
    hunt.dialled(now)
    return hunt


def verdict(judged: list[JudgeCarrier]) -> str:
    if not judged:
        return ""
    (one,) = judged
    return BLAMED if one.fault else PRAISED


def test_targets_are_tried_in_their_order() -> None:
    hunt = dialled(now=10.0)
    assert hunt.current is FIRST
    assert hunt.deadline == 15.0
    hunt.failed(503, "Service Unavailable")
    assert hunt.may_go_on
    assert hunt.next_target() is SECOND
    assert hunt.deadline is None, "nothing is sent yet"
    hunt.dialled(20.0)
    assert (hunt.label, hunt.deadline) == ("carrier:second one", 25.0)
    hunt.failed(503, "Service Unavailable")
    assert not hunt.may_go_on
    assert hunt.next_target() is None


@pytest.mark.parametrize("status", [404, 410, 480, 484, 485, 486, 487, 600, 603, 604, 606, 607])
def test_the_called_partys_own_answer_ends_the_hunt_and_honours_the_carrier(status: int) -> None:
    hunt = dialled()
    assert verdict(hunt.failed(status, "")) == PRAISED
    assert not hunt.may_go_on


@pytest.mark.parametrize(
    "status", [400, 403, 415, 420, 482, 483, 488, 500, 501, 502, 504, 505, 513]
)
def test_what_only_this_way_cannot_do_goes_on_without_blame(status: int) -> None:
    hunt = dialled()
    assert verdict(hunt.failed(status, "")) == ""
    assert hunt.may_go_on


@pytest.mark.parametrize("status", [301, 302, 305, 380])
def test_a_redirection_is_not_followed_but_goes_on(status: int) -> None:
    assert then_after(status) is Then.NEXT


@pytest.mark.parametrize("status", [401, 402, 407, 408, 503])
def test_a_broken_carrier_is_left_and_blamed(status: int) -> None:
    hunt = dialled()
    assert verdict(hunt.failed(status, "")) == BLAMED
    assert hunt.may_go_on


@pytest.mark.parametrize(
    ("status", "class_of"), [(399, 300), (477, 400), (599, 500), (699, 600), (799, 600)]
)
def test_an_unknown_status_is_treated_as_its_class(status: int, class_of: int) -> None:
    """RFC 3261 §8.1.3.2."""
    assert then_after(status) is then_after(class_of)


@pytest.mark.parametrize("status", [408, 504])
def test_a_time_out_after_ringing_means_that_nobody_answered(status: int) -> None:
    hunt = dialled()
    assert verdict(hunt.progressed(180)) == PRAISED
    assert hunt.failed(status, "") == []
    assert not hunt.may_go_on


def test_a_carrier_that_rings_is_praised_once() -> None:
    hunt = dialled()
    assert verdict(hunt.progressed(183)) == PRAISED
    assert hunt.progressed(180) == []
    assert hunt.answered() == []
    assert hunt.deadline is None


def test_an_answer_without_ringing_praises_too() -> None:
    assert verdict(dialled().answered()) == PRAISED


def test_the_rest_asked_for_is_passed_on() -> None:
    (judged,) = dialled().failed(503, "Service Unavailable", 120.0)
    assert judged == JudgeCarrier(1, "503 Service Unavailable", 120.0)


def test_any_response_ends_the_response_limit() -> None:
    """A carrier that says 100 at once and rings after 8 s is not abandoned at 5."""
    hunt = dialled(now=10.0)
    assert hunt.progressed(100) == []
    assert hunt.deadline == 60.0
    hunt.progressed(180)
    assert hunt.deadline == 60.0, "the ring limit counts from the INVITE"


def test_the_ring_limit_holds_where_it_is_the_shorter_one() -> None:
    hunt = Hunt((FIRST,), HuntLimits(response_s=9.0, ring_s=2.0))
    hunt.next_target()
    hunt.dialled(1.0)
    assert hunt.deadline == 3.0


def test_a_carrier_may_have_a_response_limit_of_its_own() -> None:
    hunt = dialled(replace(FIRST, response_s=1.5))
    assert hunt.deadline == 1.5


def test_silence_goes_on_and_is_blamed() -> None:
    hunt = dialled()
    assert verdict(hunt.timed_out()) == BLAMED
    assert hunt.may_go_on


def test_a_100_and_then_nothing_goes_on_and_is_blamed() -> None:
    hunt = dialled()
    hunt.progressed(100)
    assert verdict(hunt.timed_out()) == BLAMED
    assert hunt.may_go_on


def test_ringing_too_long_ends_the_hunt_without_blame() -> None:
    hunt = dialled()
    hunt.progressed(180)
    assert hunt.timed_out() == []
    assert not hunt.may_go_on


def test_the_next_target_has_not_rung() -> None:
    hunt = dialled()
    hunt.progressed(180)
    hunt.failed(503, "")
    hunt.next_target()
    hunt.dialled(5.0)
    assert not hunt.rang


def test_every_attempt_is_kept() -> None:
    """Pain 5: all attempts recorded."""
    full, silent = target("carrier:full"), target("carrier:silent")
    hunt = dialled(FIRST, full, silent, SECOND)
    assert hunt.attempts == "first:cancelled", "as it would end now"
    hunt.failed(503, "")
    hunt.next_target()
    assert hunt.attempts == "first:503", "the next one is not dialled yet"
    hunt.dialled(1.0)
    hunt.full()
    assert hunt.may_go_on
    hunt.next_target()
    hunt.dialled(2.0)
    hunt.timed_out()
    hunt.next_target()
    hunt.dialled(3.0)
    hunt.answered()
    assert hunt.attempts == "first:503 full:full silent:silent second-one:200"


def test_a_pbx_is_nobodys_carrier() -> None:
    binding = replace(target("binding:sip:a b@h"), carrier_id=None)
    hunt = dialled(binding)
    assert hunt.progressed(180) == hunt.answered() == []
    assert hunt.attempts == "binding:200"


def test_without_a_target_nothing_is_blamed() -> None:
    hunt = Hunt((), LIMITS)
    assert hunt.answered() == []
    assert (hunt.attempts, hunt.label) == ("", "")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        (" 18000;duration=3600", 18000.0),
        ("5 (I am in a meeting)", 5.0),
        ("0", None),
        ("", None),
        (None, None),
        ("soon", None),
        ("-3", None),
        ("٣", None),
        ("9" * 400, None),
    ],
)
def test_retry_after_is_read(text: str | None, seconds: float | None) -> None:
    """RFC 3261 §20.33."""
    assert retry_after_s(text) == seconds


@pytest.mark.parametrize(
    ("status", "told"),
    [(302, 480), (401, 503), (402, 503), (407, 503), (486, 486), (500, 500), (503, 503)],
)
def test_what_the_caller_is_told_of_a_carrier(status: int, told: int) -> None:
    assert shown(status, "Whatever", by_carrier=True)[0] == told


@pytest.mark.parametrize(
    ("status", "told"),
    [(302, 480), (401, 480), (407, 480), (486, 486), (500, 500), (503, 480), (603, 603)],
)
def test_a_pbx_that_fails_does_not_speak_for_the_gateway(status: int, told: int) -> None:
    """RFC 3261 §16.7: the carrier hears no 503 of a PBX that cannot be reached."""
    assert shown(status, "Whatever", by_carrier=False)[0] == told
