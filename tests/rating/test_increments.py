"""`rating.increments`: the first 30 seconds, then steps of 6 (R68)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.increments import billable_s, whole_seconds
from rating.tariff import Rate

MICROSECONDS = st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("duration_s", "billed_s"),
    [
        (0, 0),
        (0.001, 30),
        (1, 30),
        (29.999, 30),
        (30, 30),
        (30.001, 36),
        (31, 36),
        (36, 36),
        (37, 42),
        (57, 60),
        (61, 66),
        (75, 78),
        (3600, 3600),
    ],
)
def test_the_table_of_durations_and_billed_seconds(duration_s: float, billed_s: int) -> None:
    """R68."""
    assert billable_s(duration_s) == billed_s


@given(MICROSECONDS)
def test_billed_seconds_cover_the_talk_and_are_the_least_that_do(microseconds: int) -> None:
    billed = billable_s(microseconds / 1_000_000)
    assert billed == 0 or (billed >= 30 and (billed - 30) % 6 == 0)
    assert billed * 1_000_000 >= microseconds
    less = 0 if billed == 30 else billed - 6
    assert billed == 0 or less * 1_000_000 < microseconds


@given(st.floats(0, 10**7), st.integers(0, 1000))
def test_the_noise_of_subtracting_two_clock_readings_starts_no_new_step(
    answered: float, steps: int
) -> None:
    talk_s = 30 + 6 * steps
    assert billable_s((answered + talk_s) - answered) == talk_s


def test_the_shortest_answered_call_is_still_a_call() -> None:
    assert whole_seconds(1e-9) == 1
    assert billable_s(1e-9) == 30


def test_a_clock_that_went_backwards_bills_nothing() -> None:
    assert billable_s(-1.0) == 0


@given(MICROSECONDS, st.integers(1, 120), st.integers(1, 60))
def test_other_increments_follow_the_same_rule(
    microseconds: int, first_s: int, step_s: int
) -> None:
    billed = billable_s(microseconds / 1_000_000, first_s, step_s)
    assert billed == 0 or (billed >= first_s and (billed - first_s) % step_s == 0)
    assert billed * 1_000_000 >= microseconds


def test_a_rate_has_the_same_increments_unless_it_says_otherwise() -> None:
    rate = Rate("1", "United States", 6000)
    for duration_s in range(200):
        assert billable_s(duration_s) == billable_s(duration_s, rate.first_s, rate.step_s)
