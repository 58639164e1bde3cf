"""`store.tariffs`: versions of decks (R67)."""

from datetime import timedelta

import pytest

from rating.tariff import Rate, Tariff
from store import tariffs
from store.database import Database
from store.errors import Conflict
from tests.store.samples import AT

RATES = (Rate("1", "United States", 6000), Rate("44", "United Kingdom", 9500, 50_000, 60, 1))


def found(tariff: Tariff | None) -> tuple[object, ...] | None:
    if tariff is None:
        return None
    return (tariff.name, tariff.version, tariff.currency, *tariff.rates())


def test_a_deck_prices_calls_from_the_moment_it_is_put_in_force(database: Database) -> None:
    """R67: deck version by call start."""
    day = timedelta(days=1)
    with database.editor() as connection:
        first = tariffs.add(connection, Tariff("d", "1", "USD", RATES))
        second = tariffs.add(connection, Tariff("d", "2", "EUR", RATES[:1]))
        tariffs.add(connection, Tariff("d", "3", "EUR", ()))
        tariffs.put_in_force(connection, first, AT)
        tariffs.put_in_force(connection, second, AT + day)
    with database.reader() as connection:
        assert tariffs.in_force(connection, AT - day) is None
        assert found(tariffs.in_force(connection, AT)) == ("d", "1", "USD", *RATES)
        assert found(tariffs.in_force(connection, AT + 2 * day)) == ("d", "2", "EUR", RATES[0])
        assert found(tariffs.get(connection, "d", "1")) == ("d", "1", "USD", *RATES)
        assert tariffs.get(connection, "d", "4") is None
        assert tariffs.every(connection) == (
            (3, "d", "3", None),
            (2, "d", "2", AT + day),
            (1, "d", "1", AT),
        )


def test_a_version_is_loaded_once(database: Database) -> None:
    with database.editor() as connection:
        tariffs.add(connection, Tariff("d", "1", "USD", RATES))
    with pytest.raises(Conflict), database.editor() as connection:
        tariffs.add(connection, Tariff("d", "1", "USD", ()))
