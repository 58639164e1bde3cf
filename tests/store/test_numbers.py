"""`store.numbers`: the inventory."""

import pytest

from gateway.model.online_number import OnlineNumber
from store import managers, numbers, profiles
from store.database import Database
from store.errors import Conflict
from store.vault import Vault
from tests.store.samples import MANAGER, PROFILE

STOCK = OnlineNumber("+12026555300", None)
RINGING = OnlineNumber("+12026555376", 1, suspended=True)


def test_a_number_is_stocked_assigned_and_removed(database: Database, vault: Vault) -> None:
    """R104, R108."""
    with database.editor() as connection:
        managers.add(connection, MANAGER)
        profiles.add(connection, vault, PROFILE)
        numbers.save(connection, STOCK)
        numbers.save(connection, OnlineNumber(RINGING.number, None))
        numbers.save(connection, RINGING)
    with database.editor() as connection:
        assert numbers.every(connection) == (STOCK, RINGING)
        assert numbers.every(connection, profile_id=1) == (RINGING,)
        assert numbers.get(connection, STOCK.number) == STOCK
        numbers.remove(connection, STOCK.number)
        assert numbers.get(connection, STOCK.number) is None


def test_a_number_rings_a_profile_that_exists(database: Database) -> None:
    with pytest.raises(Conflict), database.editor() as connection:
        numbers.save(connection, RINGING)
