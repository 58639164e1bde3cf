"""`store.onnet`: rows and values."""

from dataclasses import replace

import pytest

from gateway.model.onnet_account import OnnetAccount
from store import managers, onnet, profiles
from store.database import Database
from store.errors import Conflict
from store.vault import Vault
from tests.store.samples import ACCOUNT, MANAGER, PROFILE

PLAIN = OnnetAccount(2, "Claude.Morel", "pw")


@pytest.fixture(autouse=True)
def company(database: Database, vault: Vault) -> None:
    with database.editor() as connection:
        managers.add(connection, MANAGER)
        profiles.add(connection, vault, PROFILE)
        assert onnet.add(connection, vault, replace(ACCOUNT, id=0)) == ACCOUNT
        assert onnet.add(connection, vault, replace(PLAIN, id=0)) == PLAIN


def test_an_account_is_found_by_name_whatever_its_capitals(
    database: Database, vault: Vault
) -> None:
    with database.reader() as connection:
        assert onnet.by_name(connection, vault, "architects.SALES") == ACCOUNT
        assert onnet.by_name(connection, vault, "nobody") is None
        assert onnet.every(connection, vault) == (ACCOUNT, PLAIN)


def test_an_account_moves_between_profiles_and_goes(database: Database, vault: Vault) -> None:
    """R23: an account is attached for a holiday and taken back."""
    attached = replace(PLAIN, profile_id=1, extension="7", password="new")
    with database.editor() as connection:
        onnet.save(connection, vault, attached)
        onnet.remove(connection, ACCOUNT.id)
    with database.reader() as connection:
        assert onnet.every(connection, vault) == (attached,)


def test_two_accounts_may_not_differ_by_capitals_only(database: Database, vault: Vault) -> None:
    with pytest.raises(Conflict), database.editor() as connection:
        onnet.add(connection, vault, OnnetAccount(0, "claude.morel", "pw"))
