"""`store.engine`: pragmas and the meaning of errors."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select, text

from store import engine
from store.database import Database
from store.tables import managers

PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_every_connection_is_durable_and_checks_references(database: Database) -> None:
    driver = engine.new_driver(database.path)
    with database.reader() as connection:
        for name, value in PRAGMAS.items():
            assert driver.execute(f"PRAGMA {name}").fetchone()[0] == value
            assert connection.scalar(text(f"PRAGMA {name}")) == value
        assert isinstance(engine.driver_of(connection), sqlite3.Connection)
    driver.close()


def test_statements_become_text_with_named_parameters() -> None:
    statement = select(managers.c.id).where(managers.c.name == "x")
    assert ":name_1" in engine.text_of(statement)


def caught(driver: sqlite3.Connection, sql: str) -> sqlite3.Error:
    with pytest.raises(sqlite3.Error) as error:
        driver.execute(sql)
    return error.value


def test_a_broken_rule_spares_the_transaction_and_a_full_disk_does_not(path: Path) -> None:
    driver = sqlite3.connect(path, isolation_level=None)
    driver.execute("CREATE TABLE t (x UNIQUE)")
    driver.execute("INSERT INTO t VALUES (1)")
    twice = caught(driver, "INSERT INTO t VALUES (1)")
    assert not engine.ends_transaction(twice)
    driver.execute("PRAGMA max_page_count = 3")
    full = caught(driver, "INSERT INTO t VALUES (zeroblob(100000))")
    assert engine.ends_transaction(full)
    assert not engine.wants_reopening(full)
    driver.close()


def test_after_a_damaged_file_the_connection_is_opened_anew(path: Path) -> None:
    path.write_bytes(b"this is no database at all, " * 100)
    driver = sqlite3.connect(path)
    damaged = caught(driver, "SELECT * FROM sqlite_master")
    assert engine.ends_transaction(damaged)
    assert engine.wants_reopening(damaged)
    driver.close()


def test_an_error_of_the_binding_layer_has_no_code_and_spares_the_transaction() -> None:
    driver = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.Error) as error:
        driver.execute("SELECT :x", {"y": 1})
    assert not engine.ends_transaction(error.value)
    driver.close()
