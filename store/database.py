"""Owns the database file: creating and opening it, its pragmas, its lock, and every line that names
the engine (SQLite).

Readers and the rare writers of configuration take connections here; calls and money go through
`store/writer`.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Table, create_engine, event, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql import ClauseElement

from store import tables
from store.errors import Conflict, SchemaMismatch, StoreBusy

Driver = sqlite3.Connection
Cursor = sqlite3.Cursor
DriverError = sqlite3.Error
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


class Database:
    """One database file; created, private to its owner, when it is missing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_fd: int | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        # Created here because SQLite would leave it readable to everybody; -wal and -shm follow it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
        event.listen(self._engine, "connect", _on_connect)
        event.listen(self._engine, "begin", _on_begin)
        self._writing_engine = self._engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
        try:
            self._prepare()
        except BaseException:
            self._engine.dispose()
            raise

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection whose reads all see the same moment."""
        with self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection whose changes are committed together at the end; raises Conflict."""
        try:
            with self._writing_engine.begin() as connection:
                yield connection
        except IntegrityError as error:
            raise Conflict(str(error.orig)) from error

    def driver(self) -> Driver:
        """A connection of its own for the writer thread, bare of SQLAlchemy."""
        # Opened by the thread that uses it; a test may look in from another.
        driver = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        _set_pragmas(driver)
        return driver

    def lock(self) -> None:
        """Be the one gateway on this database until `close`; raises StoreBusy."""
        path = f"{self.path}.lock"
        lock_fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(lock_fd, 20)
            os.close(lock_fd)
            raise StoreBusy(str(self.path), int(holder) if holder.isdigit() else 0) from None
        os.ftruncate(lock_fd, 0)
        os.write(lock_fd, str(os.getpid()).encode())
        self._lock_fd = lock_fd

    def close(self) -> None:
        self._engine.dispose()
        if self._lock_fd is not None:
            os.close(self._lock_fd)  # the kernel lets go of the lock, after a crash too
            self._lock_fd = None

    def _prepare(self) -> None:
        with self.writing() as connection:
            tables.metadata.create_all(connection)
            version = str(tables.SCHEMA_VERSION)
            row = {"key": "schema_version", "value": version}
            connection.execute(insert(tables.meta).values(row).on_conflict_do_nothing())
            found = connection.scalar(
                select(tables.meta.c.value).where(tables.meta.c.key == "schema_version")
            )
        if found != version:
            raise SchemaMismatch(f"{self.path} has schema {found}, this gateway wants {version}")


def driver_of(connection: Connection) -> Driver:
    """The driver's connection underneath, for statements of the journal."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, Driver)
    return driver


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
