"""`store.demo`: the example company (R23)."""

import hashlib
from itertools import count
from pathlib import Path

import pytest

from gateway.credentials import ALPHABET, PASSWORD_LENGTH
from gateway.model.online_number import OnlineNumber
from gateway.model.profile import Subscription
from rating.e164 import E164
from rating.errors import BadDeck
from store import ledger
from store.database import Database
from store.demo import DemoCompany, seed_demo
from store.snapshot import load
from store.vault import Vault
from tests.store.samples import AT

DECK = Path(__file__).parents[2] / "config" / "tariffs" / "demo.csv"


class CountedIds:
    """Entropy that a test can foretell."""

    def __init__(self) -> None:
        self._count = count(1)

    def octets(self, count: int) -> bytes:
        return hashlib.shake_256(str(next(self._count)).encode()).digest(count)

    def token(self, octets: int = 8) -> str:
        return self.octets(octets).hex()


def seeded(database: Database, vault: Vault) -> DemoCompany | None:
    return seed_demo(database, vault, DECK, CountedIds(), AT)


def test_the_company_is_ready_to_call(database: Database, vault: Vault) -> None:
    """R23."""
    company = seeded(database, vault)
    assert company is not None
    with database.reader() as connection:
        found = load(connection, vault, 0.0, AT)
    assert found.managers == (company.manager,)
    assert found.profiles == (company.sales, company.engineering)
    for profile, name in zip(found.profiles, ("Sales", "Engineering"), strict=True):
        assert profile.name == f"{name}.Architects"
        assert (profile.channels, profile.subscription) == (10, Subscription.ACTIVE)
        assert found.balances[profile.account] == 10_000_000
    assert [profile.username for profile in found.profiles] == ["99051000100001", "99051000100002"]
    assert found.numbers == (
        OnlineNumber("+12026555300", company.sales.id),
        OnlineNumber("+12026555376", company.engineering.id),
    )
    assert company.sales.caller_id == "+12026555300"
    accounts = {account.name: account for account in found.onnet_accounts}
    assert accounts["Architects.Sales"].extension == "200"
    assert accounts["Architects.Engineering"].extension == "300"
    assert accounts["Hiroshi.Tanaka"].profile_id == company.engineering.id
    assert accounts["Claude.Morel"].profile_id is None
    assert found.tariff is not None
    assert found.tariff.rate_for(E164.parse("+12025550123")).per_min_micros == 6000


def test_its_credit_came_by_the_ledger(database: Database, vault: Vault) -> None:
    """R55: every cent has its entry."""
    company = seeded(database, vault)
    assert company is not None
    with database.reader() as connection:
        balances = ledger.balances(connection)
        entries = ledger.of_account(connection, company.manager.account)
    assert balances["world:cash"] == -100_000_000
    assert balances[company.manager.account] == 80_000_000
    assert sum(balances.values()) == 0
    assert sorted(entry.kind for entry in entries) == ["allocation", "allocation", "top-up"]


def test_every_secret_is_its_own(database: Database, vault: Vault) -> None:
    """R82: made by the one function."""
    company = seeded(database, vault)
    assert company is not None
    passwords = [company.sales.password, company.engineering.password]
    passwords += [account.password for account in company.accounts]
    assert len(set(passwords)) == len(passwords) == 7
    for password in passwords:
        assert len(password) == PASSWORD_LENGTH
        assert set(password) <= set(ALPHABET)


def test_a_store_with_a_company_is_left_alone(database: Database, vault: Vault) -> None:
    seeded(database, vault)
    with database.reader() as connection:
        before = load(connection, vault, 0.0, AT)
    assert seeded(database, vault) is None
    with database.reader() as connection:
        after = load(connection, vault, 0.0, AT)
    assert (after.managers, after.profiles, after.balances) == (
        before.managers,
        before.profiles,
        before.balances,
    )


def test_a_bad_deck_leaves_the_store_empty(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    deck = tmp_path / "bad.csv"
    deck.write_text("1,United States,cheap\n")
    with pytest.raises(BadDeck):
        seed_demo(database, vault, deck, CountedIds(), AT)
    with database.reader() as connection:
        assert load(connection, vault, 0.0, AT).managers == ()
