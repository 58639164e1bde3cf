"""`store.ledger`: balances and statements."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store import ledger
from store.database import Database
from store.errors import Conflict
from tests.store.samples import AT, entry

TOP_UP = entry("e-1", 500, "world:cash", "manager:1")
LATER = replace(entry("e-0", 200, "manager:1", "profile:1"), at=AT + timedelta(seconds=1))


def test_posted_entries_are_balances_and_statements(database: Database) -> None:
    with database.editor() as connection:
        assert ledger.post(connection, TOP_UP)
        assert ledger.post(connection, LATER)
        assert not ledger.post(connection, LATER)
    with database.reader() as connection:
        assert ledger.balances(connection) == {
            "world:cash": -500,
            "manager:1": 300,
            "profile:1": 200,
        }
        assert ledger.recent(connection) == [TOP_UP, LATER]
        assert ledger.recent(connection, limit=1) == [LATER]
        assert ledger.of_account(connection, "manager:1") == [TOP_UP, LATER]
        assert ledger.of_account(connection, "manager:1", limit=1) == [LATER]
        assert ledger.of_account(connection, "profile:1") == [LATER]


def test_an_overdraft_undoes_the_whole_edit(database: Database) -> None:
    def overdraw() -> None:
        with database.editor() as connection:
            ledger.post(connection, TOP_UP)
            ledger.post(connection, entry("e-2", 501, "manager:1", "profile:1"))

    with pytest.raises(Conflict):
        overdraw()
    with database.reader() as connection:
        assert ledger.balances(connection) == {}
        assert ledger.recent(connection) == []
