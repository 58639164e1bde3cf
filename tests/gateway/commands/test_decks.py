"""Commands about rate decks."""

from typing import Any

import pytest

from gateway.commands import decks
from gateway.commands.base import Args
from gateway.model.record import DeckOpened, RatesAdded, TariffInForce
from rating.tariff import Rate, Tariff
from tests.support import factories as make
from tests.support.asking import call, yes
from tests.support.commands import KeptArchive, carry_out, do, env, refused
from tests.support.commands import code as refusal_code

DECK = "prefix,destination,per_minute\n1,United States,0.01\n44,United Kingdom,0.02,0.05\n"


def parsed(text: str) -> Tariff:
    return decks.parse(text, name="new", version="2", currency="USD")


def test_a_deck_prices_the_next_call_and_running_ones_keep_their_rate() -> None:
    """R67."""
    hot = make.hot_state()
    before = yes(call(hot, call_id="c-1"))
    change = decks.load(hot, parsed(DECK), env())
    carry_out(hot, change)
    after = yes(call(hot, call_id="c-2"))
    assert before.rate is not None
    assert after.rate is not None
    assert (before.rate.per_min_micros, after.rate.per_min_micros) == (6_000, 10_000)


def test_it_is_written_in_parts_and_in_force_with_the_last() -> None:
    """A long deck keeps no call waiting, and half a deck prices nothing."""
    rates = [Rate(str(10_000 + i), "x", 1) for i in range(2 * decks.RATES_A_BATCH + 1)]
    change = decks.load(make.hot_state(), Tariff("big", "1", "USD", rates), env())
    first, *parts, last = change.batches
    assert first == (DeckOpened("big", "1", "USD"),)
    added = [record.rates for (record,) in parts if isinstance(record, RatesAdded)]
    assert [len(each) for each in added] == [decks.RATES_A_BATCH, decks.RATES_A_BATCH, 1]
    assert last == (TariffInForce("big", "1", len(rates), make.AT),)


def test_every_bad_row_is_told_with_its_line_and_nothing_is_loaded() -> None:
    """R67."""
    error = refused(lambda: parsed("1,US,0.01\nx,Bad,1\n44,,0.02\n49,De,-1\n"))
    assert error.code == "BAD_DECK"
    assert error.sentence == "3 bad rows: nothing was loaded"
    lines: Any = error.details
    assert [each["line"] for each in lines] == [2, 3, 4]


def test_a_deck_is_named_versioned_and_in_a_currency_somebody_keeps() -> None:
    hot, archive = make.hot_state(), KeptArchive()
    archive.decks.add(("old", "1"))
    environment = env(archive)

    def heading(**args: object) -> tuple[str, str, str]:
        return decks.heading(hot, Args(args), environment)

    assert heading(name="new") == ("new", "2026-01-05T10:00:00.000000Z", "USD")
    assert heading(name="old", version="2", currency="USD") == ("old", "2", "USD")
    assert refused(lambda: heading(name="old", version="1")).code == "TAKEN"
    assert refused(lambda: heading(name="new", currency="EUR")).code == "BAD_ARGUMENT"
    assert refused(lambda: heading(name="n" * 65)).code == "BAD_ARGUMENT"
    two = make.hot_state(managers=(make.manager(1), make.manager(2, "EUR")))
    assert refused(lambda: decks.heading(two, Args({"name": "x"}), environment)).code == (
        "BAD_ARGUMENT"
    )


def test_the_rate_of_a_number_and_the_rates_below_a_prefix_are_shown() -> None:
    hot = make.hot_state()
    carry_out(hot, decks.load(hot, parsed(DECK + "4420,London,0.03\n"), env()))
    told: Any = do(hot, "deck.show", prefix="+442079460123")
    assert told["applies"]["destination"] == "London"
    assert told["rates"] == []
    told = do(hot, "deck.show", prefix="44", limit=1)
    assert told["applies"]["connection"]["text"] == "0.05 USD"
    assert (len(told["rates"]), told["matching"]) == (1, 2)
    assert do(hot, "deck.show")["applies"] is None


@pytest.mark.parametrize("prefix", ["abc", "1-2"])
def test_a_prefix_is_digits(prefix: str) -> None:
    assert refusal_code(make.hot_state(), "deck.show", prefix=prefix) == "BAD_ARGUMENT"


def test_without_a_deck_there_is_nothing_to_show() -> None:
    assert refusal_code(make.hot_state(tariff=None), "deck.show") == "NOT_FOUND"
