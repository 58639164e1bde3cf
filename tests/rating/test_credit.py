"""`rating.credit`: what must be held, and how far credit reaches (R63 to R65)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.credit import HORIZON_S, affordable_s, first_hold, hold_for, next_cover_s
from rating.rater import price
from rating.tariff import Rate

RATES = st.builds(
    Rate,
    st.just("1"),
    st.just("Somewhere"),
    st.integers(0, 10_000_000),
    st.integers(0, 1_000_000),
    st.integers(1, 120),
    st.integers(1, 60),
)
US = Rate("1", "United States", 6000)


@given(RATES, st.integers(-10, 10**9))
def test_affordable_seconds_are_the_greatest_coverage_that_can_be_paid(
    rate: Rate, available: int
) -> None:
    """R63, R65: nothing beyond the credit, and no payable increment left unused."""
    seconds = affordable_s(rate, available)
    if seconds:
        assert hold_for(rate, seconds) <= available
    more_s = next_cover_s(rate, seconds)
    assert price(rate, more_s) > available or more_s > HORIZON_S


@given(RATES, st.integers(0, 200))
def test_exactly_the_price_pays_and_one_micro_unit_less_does_not(rate: Rate, steps: int) -> None:
    covered_s = rate.first_s + steps * rate.step_s
    needed = hold_for(rate, covered_s)
    assert affordable_s(rate, needed) >= covered_s
    assert affordable_s(rate, needed - 1) < covered_s or needed == 0


def test_credit_for_less_than_the_first_increment_reaches_nowhere() -> None:
    """R64."""
    assert first_hold(US) == 3000
    assert affordable_s(US, 2999) == 0
    assert affordable_s(US, 3000) == 30
    assert affordable_s(US, 3599) == 30
    assert affordable_s(US, 3600) == 36


def test_a_free_destination_reaches_the_horizon_with_no_credit_at_all() -> None:
    free = Rate("1800", "Toll-free", 0)
    assert affordable_s(free, 0) == HORIZON_S
    assert hold_for(free, HORIZON_S) == 0
    assert affordable_s(Rate("1800", "Fee only", 0, 5), 4) == 0


def test_cover_grows_by_the_first_increment_and_then_by_steps() -> None:
    assert next_cover_s(US, 0) == 30
    assert next_cover_s(US, 30) == 36
    assert next_cover_s(US, 36) == 42


@pytest.mark.parametrize("seconds", [0, 29, 31, 35, 37])
def test_a_hold_is_only_asked_for_whole_increments(seconds: int) -> None:
    with pytest.raises(AssertionError):
        hold_for(US, seconds)
