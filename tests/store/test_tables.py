"""`store.tables`: the schema keeps its own promises."""

from dataclasses import replace

import pytest
from sqlalchemy import insert

from store import managers, profiles
from store.database import Database
from store.errors import Conflict
from store.tables import accounts, metadata
from store.vault import Vault
from tests.store.samples import MANAGER, PROFILE


def test_no_account_but_the_worlds_falls_below_zero(database: Database) -> None:
    """R63, a second line of defence."""
    with database.editor() as connection:
        connection.execute(insert(accounts).values(name="world:cash", balance=-5))
    for name in ("profile:1", "manager:1", "worldly"):
        with pytest.raises(Conflict), database.editor() as connection:
            connection.execute(insert(accounts).values(name=name, balance=-1))


def test_a_profile_has_at_most_300_channels(database: Database, vault: Vault) -> None:
    """R25."""
    with database.editor() as connection:
        managers.add(connection, MANAGER)
    with pytest.raises(Conflict), database.editor() as connection:
        profiles.add(connection, vault, replace(PROFILE, channels=301))


def test_every_constraint_has_a_name_so_that_it_can_be_changed_later() -> None:
    for table in metadata.sorted_tables:
        for constraint in table.constraints:
            assert constraint.name is not None
