"""`rating.money`: exact amounts, one rounding rule (R66)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.errors import CurrencyMismatch, InvalidAmount
from rating.money import Money, decimal_text, parse_micros, price_micros

MICROS = st.integers(-(10**17), 10**17)


def usd(micros: int) -> Money:
    return Money(micros, "USD")


@given(MICROS, st.integers(2, 6))
def test_what_is_printed_reads_back_as_the_same_amount(micros: int, places: int) -> None:
    assert parse_micros(decimal_text(micros, places)) == micros


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("10.00", "10.00 USD"),
        ("10", "10.00 USD"),
        ("0.0060", "0.006 USD"),
        ("-0.5", "-0.50 USD"),
        ("+1.234567", "1.234567 USD"),
        ("0", "0.00 USD"),
    ],
)
def test_amounts_print_at_least_two_decimals_and_no_needless_zeros(text: str, printed: str) -> None:
    assert str(Money.parse(text, "USD")) == printed


@pytest.mark.parametrize(
    "text",
    ["", ".5", "1.", "1e3", "0.0000001", "1,50", "1_000", " 1", "NaN", "--1", "\u0661", "1\n"],
)
def test_what_is_no_exact_decimal_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount):
        Money.parse(text, "USD")


@pytest.mark.parametrize("currency", ["", "usd", "US", "USDX", "U5D"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(InvalidAmount):
        Money.parse("1", currency)


@given(MICROS, MICROS)
def test_money_adds_subtracts_and_compares_like_its_micros(left: int, right: int) -> None:
    assert usd(left) + usd(right) == usd(left + right)
    assert usd(left) - usd(right) == usd(left - right)
    assert -usd(left) == Money.zero("USD") - usd(left)
    assert (usd(left) < usd(right)) == (left < right)
    assert (usd(left) <= usd(right)) == (left <= right)
    assert (usd(left) > usd(right)) == (left > right)
    assert (usd(left) >= usd(right)) == (left >= right)


def test_two_currencies_never_meet() -> None:
    dollars, euros = Money(1, "USD"), Money(1, "EUR")
    assert dollars != euros
    for meet in (
        lambda: dollars + euros,
        lambda: dollars - euros,
        lambda: dollars < euros,
        lambda: dollars <= euros,
        lambda: dollars > euros,
        lambda: dollars >= euros,
    ):
        with pytest.raises(CurrencyMismatch):
            meet()


@given(st.integers(0, 10**7), st.integers(0, 10**9))
def test_a_price_is_the_exact_price_rounded_half_up_once(seconds: int, per_min: int) -> None:
    exact = Fraction(seconds * per_min, 60)
    rounded = price_micros(seconds, per_min)
    assert -Fraction(1, 2) < rounded - exact <= Fraction(1, 2)


def test_half_a_micro_unit_rounds_up() -> None:
    assert price_micros(30, 1) == 1
    assert price_micros(29, 1) == 0
    assert price_micros(90, 1) == 2
