"""Credit during a call, as deadlines."""

from gateway.b2bua.credit_watch import CreditWatch, Due
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
    assert asked == 4


def test_an_answer_that_never_comes_does_not_prolong_the_call() -> None:
    watch = CreditWatch(RATE, 0.0)
    assert watch.tick(28.0) is Due.EXTEND
    assert watch.deadline == 30.0
    assert watch.tick(30.0) is Due.CUT
