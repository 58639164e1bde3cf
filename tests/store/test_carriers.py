"""`store.carriers`: rows and values."""

from dataclasses import replace

import pytest

from gateway.model.carrier import Carrier
from store import carriers
from store.database import Database
from store.errors import Conflict
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


@pytest.mark.parametrize(
    "other",
    [
        replace(FIRST, name="other"),
        replace(FIRST, name="other", host="192.0.2.2", port=5070, match_port=False),
        replace(FIRST, name="other", host="192.0.2.2", transport="tls"),
    ],
)
def test_a_carrier_that_could_not_be_told_from_another_is_refused(
    database: Database, vault: Vault, other: Carrier
) -> None:
    any_port = Carrier(3, "any", "192.0.2.2", 5060, match_port=False)
    with database.editor() as connection:
        carriers.add(connection, vault, FIRST)
        carriers.add(connection, vault, any_port)
    with database.editor() as connection, pytest.raises(Conflict, match="could not be told apart"):
        carriers.add(connection, vault, other)
    with database.editor() as connection:
        carriers.add(connection, vault, replace(other, enabled=False))
        kept = carriers.add(connection, vault, replace(FIRST, name="by port", port=5070))
        carriers.save(connection, vault, replace(kept, weight=3))
        with pytest.raises(Conflict):
            carriers.save(connection, vault, replace(kept, port=5060))


@pytest.mark.parametrize("bad", [{"weight": -1}, {"max_calls": -1}, {"response_timeout_s": 0.0}])
def test_numbers_out_of_bounds_are_refused(
    database: Database, vault: Vault, bad: dict[str, float]
) -> None:
    with pytest.raises(Conflict), database.editor() as connection:
        carriers.add(connection, vault, replace(FIRST, **bad))
