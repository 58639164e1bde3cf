"""The hunt: which failures go on, and both time limits of an attempt."""

import pytest

from gateway.b2bua.hunt import Hunt, HuntLimits, shown
from tests.gateway.b2bua.test_call import target

LIMITS = HuntLimits(response_s=5.0, ring_s=50.0)


def test_targets_are_tried_in_their_order() -> None:
    one, two = target("carrier:one"), target("carrier:two")
    hunt = Hunt((one, two), LIMITS)
    assert hunt.next_target(10.0) is one
    assert hunt.deadline == 15.0
    assert hunt.may_go_on(503)
    assert hunt.next_target(20.0) is two
    assert (hunt.label, hunt.deadline) == ("carrier:two", 25.0)
    assert not hunt.may_go_on(503)
    assert hunt.next_target(30.0) is None


@pytest.mark.parametrize("status", [404, 480, 484, 486, 487, 488, 600, 603])
def test_the_called_partys_own_answer_ends_the_hunt(status: int) -> None:
    hunt = Hunt((target(), target()), LIMITS)
    hunt.next_target(0.0)
    assert not hunt.may_go_on(status)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_broken_peer_does_not_end_the_hunt(status: int) -> None:
    hunt = Hunt((target(), target()), LIMITS)
    hunt.next_target(0.0)
    assert hunt.may_go_on(status)


def test_ringing_time_counts_from_the_first_provisional() -> None:
    hunt = Hunt((target(),), LIMITS)
    hunt.next_target(0.0)
    hunt.progressed(100, 1.0)
    hunt.progressed(180, 20.0)
    assert hunt.deadline == 51.0
    hunt.answered()
    assert hunt.deadline is None


@pytest.mark.parametrize(
    ("status", "told"), [(302, 480), (401, 503), (407, 503), (486, 486), (500, 500), (603, 603)]
)
def test_what_the_caller_is_told(status: int, told: int) -> None:
    assert shown(status, "Whatever")[0] == told
