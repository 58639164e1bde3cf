"""`store.archive`: what is too old for memory."""

from rating.tariff import Tariff
from store import ledger, tariffs
from store.archive import StoreArchive
from store.database import Database
from tests.store.samples import entry


def test_an_old_entry_is_found_whole(database: Database) -> None:
    """R66: a replay is known however long ago it was."""
    first = entry("top-up:key-1", 10_000, "world:cash", "profile:1")
    with database.editor() as connection:
        ledger.post(connection, first)
    archive = StoreArchive(database)
    assert archive.entry("top-up:key-1") == first
    assert archive.entry("top-up:key-2") is None


def test_a_version_of_a_deck_is_known(database: Database) -> None:
    with database.editor() as connection:
        tariffs.add(connection, Tariff("standard", "1", "USD", ()))
    archive = StoreArchive(database)
    assert archive.has_deck("standard", "1")
    assert not archive.has_deck("standard", "2")
