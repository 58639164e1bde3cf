"""`store.managers`: rows and values."""

from dataclasses import replace

from store import managers
from store.database import Database
from tests.store.samples import MANAGER


def test_a_manager_is_added_changed_and_found(database: Database) -> None:
    with database.editor() as connection:
        added = managers.add(connection, replace(MANAGER, id=99))
        second = managers.add(connection, replace(MANAGER, name="Builders"))
        managers.save(connection, replace(second, verified=False, zone="UTC"))
    with database.reader() as connection:
        assert added == MANAGER
        assert managers.get(connection, added.id) == MANAGER
        assert managers.get(connection, 99) is None
        assert managers.every(connection) == (
            MANAGER,
            replace(second, verified=False, zone="UTC"),
        )
