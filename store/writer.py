"""Owns the writer, one thread with group commit and full sync (R66, R73): `gateway.ports.Journal`.

Batches are committed in the order they came, many in one transaction. A batch that cannot be
written fails alone: then the transaction is written again, each batch in its own savepoint. When
the disk fails, all batches of that commit fail and the thread goes on with the next. What a record
does to the tables is the journal's.
"""

import logging
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import sleep
from typing import TypeVar

from gateway.model.record import Record
from store import journal
from store.engine import Driver, DriverError, ends_transaction, wants_reopening
from store.errors import StoreError
from store.vault import Vault

Done = Callable[[bool], None]
_Value = TypeVar("_Value")

_log = logging.getLogger(__name__)

# What one bad batch may raise without taking its neighbours along: the driver's errors and values
# that no column takes.
_BAD_BATCH = (
    DriverError,
    StoreError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    LookupError,
    AssertionError,
)


@dataclass(frozen=True, slots=True)
class WriterLimits:
    gather_s: float = 0.003  # how long the first batch of a commit waits for company
    batches: int = 512  # of one commit
    backlog: int = 100_000  # records that may wait; more are refused


@dataclass(frozen=True, slots=True)
class WriterStats:
    """Counters since the start, for the metrics."""

    commits: int
    records: int
    failed_batches: int
    failed_commits: int
    backlog: int  # records waiting now


class _Batch:
    __slots__ = ("committed", "done", "records")

    def __init__(
        self, records: Sequence[Record], done: Done | None, committed: Event | None = None
    ) -> None:
        self.records = records
        self.done = done
        self.committed = committed


class Writer:
    """The journal's thread. `write`, `flush` and `close` belong to the thread of the event loop."""

    def __init__(
        self,
        connect: Callable[[], Driver],
        loop: AbstractEventLoop,
        *,
        limits: WriterLimits | None = None,
        on_error: Callable[[Exception], None] | None = None,
        vault: Vault | None = None,
    ) -> None:
        """`connect` opens the driver's connection; `on_error` is called on the loop.

        Without a vault no record that holds a secret can be written.
        """
        self._vault = vault
        self._connect = connect
        self._loop = loop
        self._limits = limits or WriterLimits()
        self._on_error = on_error
        self._queue: SimpleQueue[_Batch | None] = SimpleQueue()
        self._driver: Driver | None = None
        # Each counter is written by one thread only, so none needs a lock.
        self._queued = 0
        self._taken = 0
        self._commits = self._records = self._failed_batches = self._failed_commits = 0
        self._closed = False
        self._thread = Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, records: Sequence[Record], done: Done | None = None) -> None:
        """Queue one atomic batch; `done(durable)` is called on the event loop after its commit."""
        if self._closed or self._queued - self._taken + len(records) > self._limits.backlog:
            if done is not None:
                self._loop.call_soon_threadsafe(done, False)
            return
        self._queued += len(records)
        self._queue.put(_Batch(records, done))

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Block until all that was queued is committed or refused; False when it took longer."""
        committed = Event()
        if self._closed:
            return True
        self._queue.put(_Batch((), None, committed))
        return committed.wait(timeout_s)

    def close(self) -> None:
        """Write what is queued, then end the thread; later batches are refused."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join()

    def stats(self) -> WriterStats:
        return WriterStats(
            self._commits,
            self._records,
            self._failed_batches,
            self._failed_commits,
            self._queued - self._taken,
        )

    def _run(self) -> None:
        last = False
        try:
            while not last:
                batches, last = self._gather()
                if batches:
                    self._report(batches, self._commit(batches))
        finally:
            self._closed = True  # nobody waits for a thread that is gone
            if self._driver is not None:
                self._driver.close()

    def _gather(self) -> tuple[list[_Batch], bool]:
        """The batches of one commit, and whether the thread shall end after it."""
        first = self._queue.get()
        if first is None:
            return [], True
        batches = [first]
        # One sleep instead of one wake-up for each batch: the event loop keeps the interpreter.
        if self._queue.qsize() < self._limits.batches and first.committed is None:
            sleep(self._limits.gather_s)
        while len(batches) < self._limits.batches:
            try:
                batch = self._queue.get_nowait()
            except Empty:
                break
            if batch is None:
                return batches, True
            batches.append(batch)
        return batches, False

    def _commit(self, batches: list[_Batch]) -> list[bool]:
        """Write the batches in one transaction; which of them are durable."""
        try:
            if self._driver is None:
                self._driver = self._connect()
            self._driver.execute("BEGIN IMMEDIATE")
            if self._write_together(self._driver, batches):
                written = [True] * len(batches)
            else:
                self._driver.execute("ROLLBACK")
                self._driver.execute("BEGIN IMMEDIATE")
                written = [self._write(self._driver, batch) for batch in batches]
            self._driver.execute("COMMIT")
        except DriverError as error:
            self._failed_commits += 1
            self._give_up(error)
            _log.error("commit of %d batches failed: %s", len(batches), error)
            self._tell(error)
            return [False] * len(batches)
        self._commits += 1
        self._records += sum(
            len(batch.records) for batch, ok in zip(batches, written, strict=True) if ok
        )
        return written

    def _write_together(self, driver: Driver, batches: list[_Batch]) -> bool:
        """All batches without savepoints, a third of the statements; False when one is bad."""
        cursor = driver.cursor()
        try:
            for batch in batches:
                for record in batch.records:
                    journal.apply(cursor, record)
        except _BAD_BATCH as error:
            if isinstance(error, DriverError) and ends_transaction(error):
                raise
            return False
        return True

    def _write(self, driver: Driver, batch: _Batch) -> bool:
        """One batch in its savepoint; raises only what ends the whole transaction."""
        cursor = driver.cursor()
        cursor.execute("SAVEPOINT batch")
        try:
            for record in batch.records:
                journal.apply(cursor, record, self._vault)
        except _BAD_BATCH as error:
            if isinstance(error, DriverError) and ends_transaction(error):
                raise
            cursor.execute("ROLLBACK TO batch")
            cursor.execute("RELEASE batch")
            self._failed_batches += 1
            kinds = ", ".join(type(record).__name__ for record in batch.records)
            _log.error("batch of %s refused: %s: %s", kinds, type(error).__name__, error)
            self._tell(error)
            return False
        cursor.execute("RELEASE batch")
        return True

    def _give_up(self, error: DriverError) -> None:
        """Undo the transaction; the next one starts afresh."""
        if self._driver is None:
            return
        with suppress(DriverError):
            if self._driver.in_transaction:
                self._driver.execute("ROLLBACK")
        if wants_reopening(error) or self._driver.in_transaction:
            with suppress(DriverError):
                self._driver.close()
            self._driver = None

    def _report(self, batches: list[_Batch], durable: list[bool]) -> None:
        self._taken += sum(len(batch.records) for batch in batches)
        answers = [
            (batch.done, ok)
            for batch, ok in zip(batches, durable, strict=True)
            if batch.done is not None
        ]
        if answers:
            self._call(_answer, answers)
        for batch in batches:
            if batch.committed is not None:
                batch.committed.set()

    def _tell(self, error: Exception) -> None:
        if self._on_error is not None:
            self._call(self._on_error, error)

    def _call(self, callback: Callable[[_Value], None], value: _Value) -> None:
        # The loop may be closed when the last commit of a shutdown is done: nobody waits then.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, value)


def _answer(answers: list[tuple[Done, bool]]) -> None:
    """All callbacks of one commit, in one turn of the loop."""
    for done, durable in answers:
        done(durable)
