"""`store.carriers`: rows and values."""

from dataclasses import replace

from gateway.model.carrier import Carrier
from store import carriers
from store.database import Database
from store.vault import Vault
from tests.store.samples import CARRIER, SECRET

FIRST = Carrier(2, "first", "192.0.2.1", 5060)


def test_carriers_come_in_the_order_they_are_tried(database: Database, vault: Vault) -> None:
    with database.editor() as connection:
        assert carriers.add(connection, vault, replace(CARRIER, id=0)) == CARRIER
        assert carriers.add(connection, vault, replace(FIRST, id=0)) == FIRST
    with database.reader() as connection:
        assert carriers.every(connection, vault) == (FIRST, CARRIER)
    assert SECRET.encode() not in database.path.with_name("sipgw.db-wal").read_bytes()


def test_a_carrier_is_changed_and_removed(database: Database, vault: Vault) -> None:
    with database.editor() as connection:
        carriers.add(connection, vault, CARRIER)
        carriers.add(connection, vault, FIRST)
        carriers.save(connection, vault, replace(FIRST, priority=9, password="new"))
        assert carriers.every(connection, vault)[1] == replace(FIRST, priority=9, password="new")
        carriers.remove(connection, CARRIER.id)
        assert [carrier.name for carrier in carriers.every(connection, vault)] == ["first"]
