"""`store.journal_nouns`: what records of configuration do to the tables."""

from dataclasses import replace

import pytest

from gateway.model.online_number import OnlineNumber
from gateway.model.record import (
    AccountSaved,
    CarrierRemoved,
    CarrierSaved,
    DeckOpened,
    NumberSaved,
    ProfileSaved,
    RatesAdded,
    TariffInForce,
)
from rating.tariff import Rate, Tariff
from store import carriers, managers, numbers, onnet, profiles, tariffs
from store.database import Database
from store.errors import Conflict, Unwritable
from store.vault import Vault
from tests.store.samples import ACCOUNT, AT, CARRIER, MANAGER, SECRET
from tests.store.samples import PROFILE as WITH_OLD_PASSWORDS

# Old passwords are written by PasswordChanged alone.
PROFILE = replace(WITH_OLD_PASSWORDS, old_passwords=())

RATES = (Rate("1", "United States", 6000), Rate("44", "United Kingdom", 12000, 50, 60, 1))


@pytest.fixture(autouse=True)
def company(database: Database) -> None:
    with database.editor() as connection:
        managers.add(connection, MANAGER)


def test_nouns_are_written_and_written_over(database: Database, vault: Vault) -> None:
    database.write([ProfileSaved(PROFILE), AccountSaved(ACCOUNT), CarrierSaved(CARRIER)], vault)
    database.write([NumberSaved(OnlineNumber("+12026555376", 1))], vault)
    with database.reader() as connection:
        assert profiles.every(connection, vault) == (PROFILE,)
        assert onnet.every(connection, vault) == (ACCOUNT,)
        assert carriers.every(connection, vault) == (CARRIER,)
        assert numbers.every(connection) == (OnlineNumber("+12026555376", 1),)
    changed = replace(PROFILE, name="Other", password="new", caller_id_by_country={}, address=None)
    database.write([ProfileSaved(changed), NumberSaved(OnlineNumber("+12026555376", None))], vault)
    with database.reader() as connection:
        assert profiles.every(connection, vault) == (changed,)
        assert numbers.every(connection) == (OnlineNumber("+12026555376", None),)
    database.write([CarrierRemoved(CARRIER.id), CarrierRemoved(99)], vault)
    with database.reader() as connection:
        assert carriers.every(connection, vault) == ()


def test_passwords_are_sealed_on_the_way(database: Database, vault: Vault) -> None:
    """R17: no page of the file holds one in clear."""
    database.write([ProfileSaved(PROFILE), AccountSaved(ACCOUNT), CarrierSaved(CARRIER)], vault)
    files = database.path.parent.glob("sipgw.db*")
    assert not [file.name for file in files if SECRET.encode() in file.read_bytes()]


def test_what_breaks_a_rule_of_the_schema_is_written_not_even_in_part(
    database: Database, vault: Vault
) -> None:
    """R96 and its like: the last fence."""
    database.write([ProfileSaved(PROFILE)], vault)
    twin = replace(PROFILE, id=2, username="other", address=None)  # the same name
    with pytest.raises(Conflict):
        database.write([CarrierSaved(CARRIER), ProfileSaved(twin)], vault)
    with database.reader() as connection:
        assert carriers.every(connection, vault) == ()


def test_a_deck_is_in_force_with_all_its_rates(database: Database, vault: Vault) -> None:
    """R67."""
    database.write([DeckOpened("new", "2", "EUR"), RatesAdded("new", "2", RATES[:1])], vault)
    database.write([RatesAdded("new", "2", RATES[1:])], vault)
    with database.reader() as connection:
        assert tariffs.in_force(connection, AT) is None
    database.write([TariffInForce("new", "2", 2, AT)], vault)
    with database.reader() as connection:
        tariff = tariffs.in_force(connection, AT)
    assert tariff is not None
    assert (tariff.name, tariff.version, tariff.currency) == ("new", "2", "EUR")
    assert tuple(tariff.rates()) == RATES
    assert len(Tariff("x", "1", "EUR", tariff.rates())) == 2


def test_half_a_deck_never_comes_into_force(database: Database, vault: Vault) -> None:
    """R67."""
    database.write([DeckOpened("new", "2", "EUR"), RatesAdded("new", "2", RATES[:1])], vault)
    with pytest.raises(Unwritable, match="1 of 2 rates"):
        database.write([TariffInForce("new", "2", 2, AT)], vault)
    with pytest.raises(Unwritable, match="no deck"):
        database.write([RatesAdded("new", "3", RATES)], vault)
