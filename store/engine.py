"""Owns the name of the database engine (SQLite), its pragmas, its statements' text and what its
errors mean; no other file of the store knows it.

Which connections exist and what they are for is `store/database`'s.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql import ClauseElement

Driver = sqlite3.Connection
Cursor = sqlite3.Cursor
DriverError = sqlite3.Error
BrokenRule = sqlite3.IntegrityError
Insert = sqlite.Insert

_BUSY_TIMEOUT_MS = 5000
_BEGIN = "store_begin"  # execution option: how a transaction begins
_DIALECT = sqlite.dialect(paramstyle="named")

# What ends the whole transaction, not one statement. https://www.sqlite.org/rescode.html
_LOST = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_NOMEM,
}


def new_engine(path: Path) -> Engine:
    """Pooled connections for readers; transactions begin deferred."""
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def for_changes(engine: Engine) -> Engine:
    """The same pool; transactions take the write lock at once, so none fails half-way."""
    return engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})


def new_driver(path: Path) -> Driver:
    """A connection of its own, bare of SQLAlchemy; used by one thread at a time."""
    driver = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    _set_pragmas(driver)
    return driver


def driver_of(connection: Connection) -> Driver:
    """The driver's connection underneath, for statements of the journal."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, Driver)
    return driver


def insert(table: Table) -> Insert:
    """An INSERT that can say ON CONFLICT."""
    return sqlite.insert(table)


def text_of(statement: ClauseElement) -> str:
    """A statement as the driver's text with :named parameters."""
    return str(statement.compile(dialect=_DIALECT))


def ends_transaction(error: DriverError) -> bool:
    """True when the disk or the file failed: nothing of the transaction can be saved."""
    return _primary(error) in _LOST


def wants_reopening(error: DriverError) -> bool:
    """True when the connection itself is in doubt afterwards: not for a full or busy disk."""
    return _primary(error) in _LOST - {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}


def _primary(error: DriverError) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _on_connect(driver: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    assert isinstance(driver, Driver)
    driver.isolation_level = None  # the driver's own idea of transactions stays out of the way
    _set_pragmas(driver)


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql(str(connection.get_execution_options().get(_BEGIN, "BEGIN")))


def _set_pragmas(driver: Driver) -> None:
    driver.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT_MS}")
    with suppress(sqlite3.OperationalError):  # set already, and another process is writing
        driver.execute("PRAGMA journal_mode = WAL")
    driver.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
    driver.execute("PRAGMA foreign_keys = ON")
