"""`rating.tariff`: longest prefix (R67) and reading decks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rating.e164 import E164
from rating.errors import BadDeck, NoRate
from rating.tariff import Rate, Tariff, read_deck

DIGITS = st.text(alphabet="123", min_size=1, max_size=8)


def tariff(*prefixes: str) -> Tariff:
    return Tariff("t", "1", "USD", [Rate(prefix, f"to {prefix}", 1) for prefix in prefixes])


def deck(*lines: str) -> Tariff:
    return read_deck(lines, name="deck", version="2", currency="EUR")


@given(st.sets(DIGITS, max_size=40), st.text(alphabet="123", min_size=8, max_size=15))
def test_the_longest_prefix_wins_as_by_trying_all(prefixes: set[str], digits: str) -> None:
    """R67."""
    matching = [prefix for prefix in prefixes if digits.startswith(prefix)]
    prices = tariff(*prefixes)
    if matching:
        assert prices.rate_for(E164(digits)).prefix == max(matching, key=len)
    else:
        with pytest.raises(NoRate):
            prices.rate_for(E164(digits))


def test_a_number_without_any_rate_is_named() -> None:
    with pytest.raises(NoRate, match=r"\+442079460123"):
        tariff("1").rate_for(E164("442079460123"))


def test_a_deck_of_200_000_prefixes_is_searched_by_length_not_by_line() -> None:
    prices = tariff(*(str(prefix) for prefix in range(100_000, 300_000)))
    assert len(prices) == 200_000
    assert prices.rate_for(E164("299999123456")).prefix == "299999"
    assert prices._lengths == (6,)


def test_a_tariff_lists_its_lines_and_finds_each_again() -> None:
    prices = tariff("1", "44", "447")
    assert [rate.prefix for rate in prices.rates()] == ["1", "44", "447"]
    assert prices.with_prefix("44") == Rate("44", "to 44", 1)
    assert prices.with_prefix("4") is None


def test_the_same_prefix_twice_is_a_violation() -> None:
    with pytest.raises(AssertionError):
        tariff("1", "1")


def test_a_deck_is_read_with_heading_comments_quotes_and_fees() -> None:
    prices = deck(
        "\ufeff# invented\n",
        "Prefix,Destination,Per_Minute,Connect_Fee\n",
        "\n",
        "1,United States,0.0060\n",
        '+44,"United Kingdom, landline",0.0125,0.05\n',
        "447,United Kingdom mobile,0.03,\n",
    )
    assert (prices.name, prices.version, prices.currency) == ("deck", "2", "EUR")
    assert list(prices.rates()) == [
        Rate("1", "United States", 6000),
        Rate("44", "United Kingdom, landline", 12500, 50000),
        Rate("447", "United Kingdom mobile", 30000),
    ]


def test_every_bad_row_of_a_deck_is_reported_with_its_line() -> None:
    with pytest.raises(BadDeck) as caught:
        deck(
            "prefix,destination,per_minute\n",
            "1,United States,0.006\n",
            "01,Nowhere,0.006\n",
            "44,,0.01\n",
            "49,Germany,cheap\n",
            "33,France\n",
            "39,Italy,-0.01,0.0000001\n",
            "+1,America,0.007\n",
            "46,Sweden,\n",
        )
    lines = [line for line, _ in caught.value.errors]
    assert lines == [3, 4, 5, 6, 7, 7, 8, 9]
    assert "line 8: prefix +1 stands in line 2 already" in str(caught.value)


def test_a_deck_without_rates_is_bad() -> None:
    with pytest.raises(BadDeck, match="no rates"):
        deck("prefix,destination,per_minute\n")


def test_text_that_is_no_csv_is_bad() -> None:
    with pytest.raises(BadDeck, match="line 1"):
        deck("1,United States,0.006\0" + "x" * 200_000)


def test_a_quoted_row_over_two_lines_is_reported_at_its_end() -> None:
    with pytest.raises(BadDeck, match="line 2"):
        deck('1,"United\n', 'States",much\n')
