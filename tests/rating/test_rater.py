"""`rating.rater`: golden prices (R69) and one price function (R66, R75)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.credit import first_hold, hold_for
from rating.increments import billable_s
from rating.money import Money, parse_micros, price_micros
from rating.rater import price, rate_call
from rating.tariff import Rate

US = Rate("1", "United States", 6000)
RATES = st.builds(
    Rate,
    st.just("1"),
    st.just("Somewhere"),
    st.integers(0, 10_000_000),
    st.integers(0, 1_000_000),
    st.integers(1, 120),
    st.integers(1, 60),
)
DURATIONS = st.floats(0, 100_000)


@pytest.mark.parametrize(
    ("duration_s", "charge"), [(32, "0.0036"), (57, "0.0060"), (75, "0.0078"), (0, "0")]
)
def test_golden_prices_at_0_006_a_minute(duration_s: float, charge: str) -> None:
    """R69."""
    assert rate_call(duration_s, US, "USD").charge == Money.parse(charge, "USD")


def test_an_unanswered_call_is_free_even_with_a_connection_fee() -> None:
    """R70."""
    rating = rate_call(0.0, Rate("1", "United States", 6000, 50_000), "USD")
    assert (rating.billed_s, rating.charge) == (0, Money.zero("USD"))
    assert rating.derivation == "never answered: 0 s billed = 0.00 USD"


@given(RATES, DURATIONS)
def test_what_was_held_for_the_billed_seconds_is_what_the_bill_says(
    rate: Rate, duration_s: float
) -> None:
    """R75: quote(d) == final(d)."""
    final = rate_call(duration_s, rate, "USD")
    billed_s = billable_s(duration_s, rate.first_s, rate.step_s)
    assert final.billed_s == billed_s
    if billed_s:
        assert hold_for(rate, billed_s) == final.charge.micros


@given(RATES, st.integers(0, 50))
def test_increments_add_up_to_the_price_of_the_whole(rate: Rate, steps: int) -> None:
    """R66: increment k costs price(k) - price(k-1); no rounding is lost on the way."""
    paid = first_hold(rate)
    for step in range(1, steps + 1):
        covered_s = rate.first_s + step * rate.step_s
        increment = price(rate, covered_s) - price(rate, covered_s - rate.step_s)
        assert increment >= 0
        paid += increment
    assert paid == price(rate, rate.first_s + steps * rate.step_s)


@pytest.mark.parametrize(
    ("duration_s", "rate", "text"),
    [
        (
            75,
            US,
            "75 s -> 78 s billed (30 + 8x6) x 0.0060 USD/min, prefix 1 United States = 0.0078 USD",
        ),
        (
            30.001,
            Rate("1", "US", 6001, 10_000),
            "30.001 s -> 31 s -> 36 s billed (30 + 1x6) x 0.006001 USD/min"
            " + 0.0100 USD connection, prefix 1 US = 0.013601 USD, rounded half up",
        ),
        (
            12.0,
            Rate("1800", "Toll-free", 0),
            "12 s -> 30 s billed (30 + 0x6) x 0.0000 USD/min, prefix 1800 Toll-free = 0.0000 USD",
        ),
    ],
)
def test_the_derivation_reads_as_the_sum_it_is(duration_s: float, rate: Rate, text: str) -> None:
    assert rate_call(duration_s, rate, "USD").derivation == text


@given(RATES, st.floats(0.001, 100_000))
def test_a_reader_can_recompute_the_charge_from_the_derivation(
    rate: Rate, duration_s: float
) -> None:
    """R75."""
    rating = rate_call(duration_s, rate, "USD")
    match = re.search(
        r"(\d+) s -> (\d+) s billed \((\d+) \+ (\d+)x(\d+)\) x ([0-9.]+) USD/min"
        r"(?: \+ ([0-9.]+) USD connection)?, prefix 1 Somewhere = ([0-9.]+) USD",
        rating.derivation,
    )
    assert match is not None
    whole_s, billed_s, first_s, steps, step_s = (int(part) for part in match.groups()[:5])
    assert whole_s >= duration_s - 1e-6
    assert billed_s == first_s + steps * step_s >= whole_s
    connect = parse_micros(match[7]) if match[7] else 0
    assert price_micros(billed_s, parse_micros(match[6])) + connect == parse_micros(match[8])
    assert parse_micros(match[8]) == rating.charge.micros
