"""Owns the database file: creating, opening and locking it, and handing out its connections.

Readers and the rare changes of configuration take connections here; calls and money go through the
writer.
"""

import fcntl
import os
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from store import engine, tables
from store.errors import Conflict, SchemaMismatch, StoreBusy
from store.vault import Vault
from store.writer import Writer, WriterLimits

__all__ = ["Database", "StoreBusy"]


class Database:
    """One database file; created, private to its owner, when it is missing."""

    def __init__(self, path: Path) -> None:
        """Open it beside whoever serves from it; a gateway takes `open`."""
        self.path = path
        self._lock_fd: int | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        # Created here because the engine would leave it readable to everybody; its companions
        # (-wal, -shm) take the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._readers = engine.new_engine(path)
        self._editors = engine.for_changes(self._readers)
        try:
            self._prepare()
        except BaseException:
            self._readers.dispose()
            raise

    @classmethod
    def open(cls, path: Path) -> "Database":
        """Open it as the one gateway that serves from it; raises StoreBusy."""
        lock_fd = _lock(path)
        try:
            database = cls(path)
        except BaseException:
            os.close(lock_fd)
            raise
        database._lock_fd = lock_fd
        return database

    @contextmanager
    def reader(self) -> Iterator[Connection]:
        """A connection whose reads all see the same moment."""
        with self._readers.connect() as connection:
            yield connection

    @contextmanager
    def editor(self) -> Iterator[Connection]:
        """A connection whose changes are committed together at the end; raises Conflict."""
        try:
            with self._editors.begin() as connection:
                yield connection
        except IntegrityError as error:
            raise Conflict(str(error.orig)) from error
        except engine.BrokenRule as error:  # of a journal's statement
            raise Conflict(str(error)) from error

    def writer(
        self,
        loop: AbstractEventLoop,
        on_error: Callable[[Exception], None] | None = None,
        limits: WriterLimits | None = None,
        vault: Vault | None = None,
    ) -> Writer:
        """Start the journal's thread; close it before the database."""
        return Writer(
            lambda: engine.new_driver(self.path),
            loop,
            limits=limits,
            on_error=on_error,
            vault=vault,
        )

    def close(self) -> None:
        self._readers.dispose()
        if self._lock_fd is not None:
            os.close(self._lock_fd)  # the kernel lets go of the lock, after a crash too
            self._lock_fd = None

    def _prepare(self) -> None:
        with self.editor() as connection:
            tables.metadata.create_all(connection)
            version = str(tables.SCHEMA_VERSION)
            row = {"key": "schema_version", "value": version}
            connection.execute(engine.insert(tables.meta).values(row).on_conflict_do_nothing())
            found = connection.scalar(
                select(tables.meta.c.value).where(tables.meta.c.key == "schema_version")
            )
        if found != version:
            raise SchemaMismatch(f"{self.path} has schema {found}, this gateway wants {version}")


def _lock(path: Path) -> int:
    """The descriptor that holds the lock; a second holder raises StoreBusy with the first's id."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock_fd = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock_fd, 20)
        os.close(lock_fd)
        raise StoreBusy(str(path), int(holder) if holder.isdigit() else 0) from None
    os.ftruncate(lock_fd, 0)
    os.write(lock_fd, str(os.getpid()).encode())
    return lock_fd
