"""Credit during a call, as deadlines."""

from gateway.b2bua.credit_watch import GRACE_S, CreditWatch, Due
from rating.tariff import Rate

RATE = Rate("44", "United Kingdom", 6_000)


def test_the_first_thirty_seconds_are_paid_when_the_call_is_answered() -> None:
    """R68: 30 seconds first, then steps of 6."""
    watch = CreditWatch(RATE, 100.0)
    assert (watch.covered_s, watch.cut_at, watch.wanted_s) == (30, 130.0, 36)


def test_each_increment_is_asked_for_once_before_it_starts() -> None:
    watch = CreditWatch(RATE, 0.0)
    assert watch.tick(27.9) is Due.NOTHING
    assert watch.tick(28.0) is Due.EXTEND
    assert watch.tick(28.1) is Due.NOTHING
    watch.extended(36)
    assert (watch.cut_at, watch.deadline) == (36.0, 34.0)


def test_a_denied_increment_is_asked_for_again_until_the_cut() -> None:
    """R61, R65"""
    watch = CreditWatch(RATE, 0.0)
    asked = 0
    now = 28.0
    while (due := watch.tick(now)) is not Due.CUT:
        if due is Due.EXTEND:
            asked += 1
            watch.denied(now)
        now = watch.deadline
    assert now == 30.0
    assert asked == 5  # at 28, 28.5, 29, 29.5 and a last time at 30
    assert not watch.unwritten


def test_credit_that_comes_free_at_the_very_last_moment_is_used() -> None:
    """R63: no balance is left over that could have paid an increment a running call needed."""
    watch = CreditWatch(RATE, 0.0)
    for now in (28.0, 28.5, 29.0, 29.5):
        assert watch.tick(now) is Due.EXTEND
        watch.denied(now)
    assert watch.deadline == 30.0
    assert watch.tick(30.0) is Due.EXTEND
    watch.extended(36)
    assert watch.tick(30.1) is Due.NOTHING
    assert watch.deadline == 34.0


def test_a_commit_that_never_comes_prolongs_the_call_by_no_more_than_the_grace() -> None:
    """R65: cut within 200 ms of the paid second."""
    watch = CreditWatch(RATE, 0.0)
    assert watch.tick(28.0) is Due.EXTEND
    assert watch.deadline == 30.0 + GRACE_S < 30.2
    assert watch.tick(30.0) is Due.NOTHING
    assert watch.tick(watch.deadline) is Due.CUT
    assert watch.unwritten


def test_credit_that_cannot_be_written_down_is_told_apart_from_no_credit() -> None:
    watch = CreditWatch(RATE, 0.0)
    watch.tick(28.0)
    watch.denied(28.1, unwritten=True)
    assert watch.tick(30.0) is Due.EXTEND
    watch.denied(30.0, unwritten=True)
    assert (watch.tick(30.0), watch.unwritten) == (Due.CUT, True)
