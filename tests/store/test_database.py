"""`store.database`: one file, one gateway."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from store import ledger, managers
from store.database import Database
from store.errors import Conflict, SchemaMismatch, StoreBusy
from tests.store.samples import MANAGER, entry

HOLDER = """
import sys
from pathlib import Path
from store.database import Database
Database.open(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def test_a_second_gateway_on_the_database_is_told_who_holds_it(path: Path) -> None:
    database = Database.open(path)
    with pytest.raises(StoreBusy) as caught:
        Database.open(path)
    assert caught.value.pid == os.getpid()
    database.close()
    Database.open(path).close()


def test_the_lock_of_a_killed_gateway_is_free_again(path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(StoreBusy) as caught:
            Database.open(path)
        assert caught.value.pid == holder.pid
        holder.kill()
    Database.open(path).close()


def test_a_busy_database_can_still_be_read_and_configured(path: Path) -> None:
    gateway = Database.open(path)
    beside = Database(path)
    with beside.editor() as connection:
        managers.add(connection, MANAGER)
    with gateway.reader() as connection:
        assert managers.every(connection) == (MANAGER,)
    beside.close()
    gateway.close()


def test_the_files_belong_to_their_owner_alone(path: Path) -> None:
    database = Database.open(path)
    with database.editor() as connection:
        managers.add(connection, MANAGER)
        files = sorted(path.parent.iterdir())
        assert [file.suffix for file in files] == [".db", ".db-shm", ".db-wal", ".lock"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    database.close()


def test_a_database_of_another_schema_is_refused_and_not_kept_locked(path: Path) -> None:
    database = Database(path)
    with database.editor() as connection:
        connection.execute(text("UPDATE meta SET value = '99'"))
    database.close()
    with pytest.raises(SchemaMismatch, match="schema 99"):
        Database.open(path)
    with pytest.raises(SchemaMismatch):
        Database.open(path)


def test_an_edit_that_fails_leaves_nothing_behind(database: Database) -> None:
    def add_twice() -> None:
        with database.editor() as connection:
            managers.add(connection, MANAGER)
            managers.add(connection, MANAGER)

    with pytest.raises(Conflict, match=r"managers\.name"):
        add_twice()
    with database.reader() as connection:
        assert managers.every(connection) == ()


def test_a_charge_that_overdraws_is_a_conflict_of_the_edit(database: Database) -> None:
    with pytest.raises(Conflict, match="CHECK"), database.editor() as connection:
        ledger.post(connection, entry("e-1", 5))


def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(database: Database) -> None:
    with database.reader() as reader:
        assert managers.every(reader) == ()
        with database.editor() as editor:
            managers.add(editor, MANAGER)
        assert managers.every(reader) == ()
    with database.reader() as reader:
        assert managers.every(reader) == (MANAGER,)
