"""`store.snapshot`: everything hot in one read."""

from dataclasses import replace

from gateway.model.online_number import OnlineNumber
from gateway.model.record import BindingSaved, EntryPosted, OpenCall
from gateway.ports import Snapshot
from rating.tariff import Rate, Tariff
from store import carriers, journal, managers, numbers, onnet, profiles, tariffs
from store.database import Database
from store.engine import driver_of
from store.snapshot import load
from store.vault import Vault
from tests.store.samples import (
    ACCOUNT,
    ADMITTED,
    AT,
    BINDING,
    CARRIER,
    MANAGER,
    PROFILE,
    entry,
)


def test_an_empty_store_is_an_empty_snapshot(database: Database, vault: Vault) -> None:
    with database.reader() as connection:
        assert load(connection, vault, 0.0, AT) == Snapshot((), (), (), (), (), (), {}, (), None)


def test_all_that_was_written_comes_back_as_it_was(database: Database, vault: Vault) -> None:
    number = OnlineNumber("+12026555376", 1)
    with database.editor() as connection:
        managers.add(connection, MANAGER)
        profiles.add(connection, vault, PROFILE)
        onnet.add(connection, vault, ACCOUNT)
        numbers.save(connection, number)
        carriers.add(connection, vault, CARRIER)
        deck = tariffs.add(connection, Tariff("d", "1", "USD", [Rate("1", "US", 6000)]))
        tariffs.put_in_force(connection, deck, AT)
        cursor = driver_of(connection).cursor()
        top_up = EntryPosted(entry("e-1", 500, "world:cash", "profile:1"))
        for record in (ADMITTED, BindingSaved(BINDING), top_up):
            journal.apply(cursor, record)
    with database.reader() as connection:
        found = load(connection, vault, now=1000.0, at=AT)
    tariff = found.tariff
    assert tariff is not None
    assert list(tariff.rates()) == [Rate("1", "US", 6000)]
    assert replace(found, tariff=None) == Snapshot(
        managers=(MANAGER,),
        profiles=(PROFILE,),
        onnet_accounts=(ACCOUNT,),
        numbers=(number,),
        carriers=(CARRIER,),
        bindings=(BINDING,),
        balances={"world:cash": -500, "profile:1": 500},
        open_calls=(OpenCall(ADMITTED, 3000, None, None, "", "", ""),),
        tariff=None,
    )
