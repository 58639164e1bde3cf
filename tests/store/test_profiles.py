"""`store.profiles`: rows and values, passwords sealed (R17)."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.profile import AuthMode, SipProfile
from store import managers, profiles
from store.database import Database
from store.errors import Conflict, VaultError
from store.vault import Vault
from tests.store.samples import MANAGER, PROFILE, SECRET

REGISTERING = SipProfile(2, 1, "Engineering.Architects", "99051000100002", "pw", home_country="EE")


@pytest.fixture(autouse=True)
def company(database: Database, vault: Vault) -> None:
    with database.editor() as connection:
        managers.add(connection, MANAGER)
        assert profiles.add(connection, vault, replace(PROFILE, id=99)) == PROFILE
        assert profiles.add(connection, vault, replace(REGISTERING, id=0)) == REGISTERING


def test_a_profile_comes_back_whole_by_id_username_and_manager(
    database: Database, vault: Vault
) -> None:
    """R17: the same username and password are returned at any time."""
    with database.reader() as connection:
        assert profiles.get(connection, vault, 1) == PROFILE
        assert profiles.get(connection, vault, 9) is None
        assert profiles.by_username(connection, vault, "99051000100002") == REGISTERING
        assert profiles.by_username(connection, vault, "nobody") is None
        assert profiles.every(connection, vault) == (PROFILE, REGISTERING)
        assert profiles.every(connection, vault, manager_id=1) == (PROFILE, REGISTERING)
        assert profiles.every(connection, vault, manager_id=2) == ()


def test_a_profile_is_changed(database: Database, vault: Vault) -> None:
    changed = replace(
        PROFILE,
        password="new one",
        mode=AuthMode.REGISTRATION,
        address=None,
        old_passwords=PROFILE.old_passwords[1:],
    )
    with database.editor() as connection:
        profiles.save(connection, vault, changed)
    with database.reader() as connection:
        assert profiles.every(connection, vault) == (changed, REGISTERING)


def test_the_country_of_a_profile_is_its_managers(database: Database, vault: Vault) -> None:
    with database.editor() as connection:
        profiles.save(connection, vault, replace(PROFILE, home_country="FR"))
        found = profiles.get(connection, vault, 1)
    assert found is not None
    assert found.home_country == "EE"


@pytest.mark.parametrize("taken", ["name", "username", "address"])
def test_what_identifies_a_profile_belongs_to_one_only(
    database: Database, vault: Vault, taken: str
) -> None:
    values = {"name": PROFILE.name, "username": PROFILE.username, "address": PROFILE.address}
    other = SipProfile(0, 1, "Third.Architects", "99051000100003", "pw")
    setattr(other, taken, values[taken])
    with pytest.raises(Conflict), database.editor() as connection:
        profiles.add(connection, vault, other)


def test_a_profile_needs_a_manager_that_exists(database: Database, vault: Vault) -> None:
    """R1."""
    orphan = SipProfile(0, 7, "Third.Architects", "99051000100003", "pw")
    with pytest.raises(Conflict), database.editor() as connection:
        profiles.add(connection, vault, orphan)


def test_a_password_moved_to_another_row_does_not_open(database: Database, vault: Vault) -> None:
    with database.editor() as connection:
        connection.exec_driver_sql(
            "UPDATE profiles SET password = (SELECT password FROM profiles WHERE id = 1)"
        )
    with database.reader() as connection, pytest.raises(VaultError):
        profiles.get(connection, vault, 2)


def test_no_file_of_the_store_contains_a_password(database: Database) -> None:
    """R17."""
    files: list[Path] = list(database.path.parent.iterdir())
    contents = b"".join(file.read_bytes() for file in files)
    assert PROFILE.username.encode() in contents
    for secret in (SECRET, *(old.password for old in PROFILE.old_passwords)):
        assert secret.encode() not in contents
