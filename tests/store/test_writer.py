"""`store.writer`: group commit, durable when `done` says so (R66, R73)."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.record import CallBeats, CallRefused, EntryPosted, HoldExtended, Record
from store import cdrs, ledger, open_calls
from store.database import Database
from store.engine import Driver, new_driver
from store.errors import Unwritable
from store.writer import Writer, WriterLimits
from tests.store.samples import AT, CDR, admitted, cdr, entry


class Connector:
    """Opens the writer's connection; a test may look at it, or make opening fail."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.opened: list[Driver] = []
        self.pragmas: tuple[str, ...] = ()

    def __call__(self) -> Driver:
        driver = new_driver(self.path)
        for pragma in self.pragmas:
            driver.execute(f"PRAGMA {pragma}")
        self.opened.append(driver)
        return driver


@pytest.fixture
def connector(database: Database) -> Connector:
    return Connector(database.path)


@pytest.fixture
async def start(connector: Connector) -> AsyncIterator[Callable[..., Writer]]:
    """Starts writers on the test's loop and closes them after it."""
    writers: list[Writer] = []

    def start_one(
        limits: WriterLimits | None = None,
        on_error: Callable[[Exception], None] | None = None,
    ) -> Writer:
        loop = asyncio.get_running_loop()
        writers.append(Writer(connector, loop, limits=limits, on_error=on_error))
        return writers[-1]

    yield start_one
    for writer in writers:
        writer.close()


async def written(writer: Writer, *records: Record) -> bool:
    """Write one batch and wait for its answer."""
    answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    writer.write(records, answer.set_result)
    async with asyncio.timeout(10):
        return await answer


def recorded(database: Database) -> set[str]:
    with database.reader() as connection:
        return {found.call_id for found in cdrs.search(connection, cdrs.CdrFilter(), limit=10_000)}


Start = Callable[..., Writer]


async def test_another_connection_sees_the_batch_when_done_is_called(
    database: Database, start: Start
) -> None:
    seen: asyncio.Future[set[str]] = asyncio.get_running_loop().create_future()
    start().write([CallRefused(CDR)], lambda durable: seen.set_result(recorded(database)))
    assert await seen == {"c-1"}


async def test_done_is_called_on_the_thread_of_the_loop(start: Start) -> None:
    thread: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    start().write([CallRefused(CDR)], lambda _: thread.set_result(threading.get_ident()))
    assert await thread == threading.get_ident()


async def test_batches_that_come_together_share_a_commit(database: Database, start: Start) -> None:
    writer = start(WriterLimits(gather_s=0.05))
    async with asyncio.TaskGroup() as group:
        answers = [
            group.create_task(written(writer, CallRefused(cdr(f"c-{number}"))))
            for number in range(100)
        ]
    assert all(answer.result() for answer in answers)
    assert len(recorded(database)) == 100
    stats = writer.stats()
    assert stats.commits < 10
    assert (stats.records, stats.backlog, stats.failed_batches) == (100, 0, 0)


def test_all_answers_of_one_commit_come_in_one_call_of_the_loop(connector: Connector) -> None:
    class CountingLoop(asyncio.SelectorEventLoop):
        calls = 0

        def call_soon_threadsafe(self, *args: object, **kwargs: object) -> asyncio.Handle:
            self.calls += 1
            return super().call_soon_threadsafe(*args, **kwargs)  # type: ignore[arg-type]

    async def write_many() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        writer = Writer(connector, loop, limits=WriterLimits(gather_s=0.05))
        before = loop.calls
        answers = [loop.create_future() for _ in range(50)]
        for number, answer in enumerate(answers):
            writer.write([CallRefused(cdr(f"c-{number}"))], answer.set_result)
        await asyncio.gather(*answers)
        assert loop.calls - before == writer.stats().commits < 5
        writer.close()

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        runner.run(write_many())


async def test_a_batch_is_written_whole_or_not_at_all_and_fails_alone(
    database: Database, start: Start
) -> None:
    errors: list[Exception] = []
    writer = start(WriterLimits(gather_s=0.05), errors.append)
    good, bad, later = await asyncio.gather(
        written(writer, CallRefused(cdr("c-1"))),
        written(writer, CallRefused(cdr("c-2")), HoldExtended("c-unknown", 1)),
        written(writer, CallRefused(cdr("c-3"))),
    )
    assert (good, bad, later) == (True, False, True)
    assert recorded(database) == {"c-1", "c-3"}
    assert [type(error) for error in errors] == [Unwritable]
    assert (writer.stats().failed_batches, writer.stats().failed_commits) == (1, 0)


@pytest.mark.parametrize(
    "record",
    [
        EntryPosted(entry("e-1", 5)),  # overdraws
        CallRefused(replace(CDR, call_id="c-2", charge_micros=2**63)),  # fits no column
        CallRefused(replace(CDR, call_id="c-2", media="\ud800")),  # no octet ever made this
        CallRefused(replace(CDR, call_id="c-2", started_at=AT.replace(tzinfo=None))),
        CallRefused(replace(CDR, call_id=None)),  # type: ignore[arg-type]
        CallRefused(replace(CDR, call_id=object())),  # type: ignore[arg-type]
        CallRefused(None),  # type: ignore[arg-type]
    ],
)
async def test_whatever_is_wrong_with_a_batch_the_thread_lives_on(
    database: Database, start: Start, record: Record
) -> None:
    writer = start()
    assert not await written(writer, CallRefused(cdr("c-1")), record)
    assert await written(writer, CallRefused(cdr("c-3")))
    assert recorded(database) == {"c-3"}


async def test_batches_take_effect_in_the_order_they_were_written(
    database: Database, start: Start
) -> None:
    writer = start(WriterLimits(batches=3))
    writer.write([admitted("c-1")])
    for held in range(1, 50):
        writer.write([HoldExtended("c-1", held)])
    assert await written(writer, CallBeats(("c-1",), AT))
    with database.reader() as connection:
        assert open_calls.every(connection)[0].held_micros == 49
    assert writer.stats().commits >= 17


async def test_a_full_disk_refuses_the_commit_and_writing_goes_on_when_there_is_room(
    database: Database, connector: Connector, start: Start
) -> None:
    errors: list[Exception] = []
    connector.pragmas = ("max_page_count = 1",)  # no growth beyond what the file has
    writer = start(WriterLimits(gather_s=0.05), errors.append)
    big = replace(CDR, call_id="c-big", media="x" * 1_000_000)
    answers = await asyncio.gather(
        written(writer, CallRefused(cdr("c-1"))), written(writer, CallRefused(big))
    )
    assert not any(answers)
    assert recorded(database) == set()
    assert (writer.stats().failed_commits, len(errors)) == (1, 1)
    assert "full" in str(errors[0])
    connector.opened[0].execute("PRAGMA max_page_count = 1000000")
    assert await written(writer, CallRefused(big))
    assert recorded(database) == {"c-big"}
    assert len(connector.opened) == 1


async def test_a_database_that_cannot_be_opened_is_tried_again_at_the_next_batch(
    database: Database, connector: Connector, start: Start
) -> None:
    there, connector.path = connector.path, connector.path / "nowhere"
    writer = start()
    assert not await written(writer, CallRefused(cdr("c-1")))
    connector.path = there
    assert await written(writer, CallRefused(cdr("c-2")))
    assert recorded(database) == {"c-2"}


async def test_a_lost_file_is_reopened(
    database: Database, connector: Connector, start: Start
) -> None:
    connector.pragmas = ("query_only = ON",)
    writer = start()
    assert not await written(writer, CallRefused(cdr("c-1")))
    connector.pragmas = ()
    assert await written(writer, CallRefused(cdr("c-2")))
    assert len(connector.opened) == 2
    assert recorded(database) == {"c-2"}


class UnwritableDisk(sqlite3.Connection):
    """Takes every statement; the disk fails when it matters."""

    def execute(self, sql: str, *rest: object) -> sqlite3.Cursor:
        if sql == "COMMIT":
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            raise error
        return super().execute(sql)


async def test_a_commit_that_the_disk_did_not_take_is_undone_and_the_file_reopened(
    database: Database,
) -> None:
    opened: list[Driver] = []

    def connect() -> Driver:
        if opened:
            opened.append(new_driver(database.path))
        else:
            bad = sqlite3.connect(
                database.path, isolation_level=None, check_same_thread=False, factory=UnwritableDisk
            )
            opened.append(bad)
        return opened[-1]

    writer = Writer(connect, asyncio.get_running_loop())
    assert not await written(writer, CallRefused(cdr("c-1")))
    assert recorded(database) == set()
    assert await written(writer, CallRefused(cdr("c-2")))
    assert recorded(database) == {"c-2"}
    writer.close()


async def test_somebody_who_keeps_the_write_lock_too_long_costs_one_commit(
    database: Database, connector: Connector, start: Start
) -> None:
    connector.pragmas = ("busy_timeout = 20",)
    writer = start()
    with database.editor():
        assert not await written(writer, CallRefused(cdr("c-1")))
    assert await written(writer, CallRefused(cdr("c-2")))
    assert len(connector.opened) == 1


async def test_a_backlog_beyond_the_limit_is_refused_at_once(
    database: Database, connector: Connector, start: Start
) -> None:
    writer = start(WriterLimits(backlog=3))
    with database.editor():  # the writer has to wait
        accepted = asyncio.create_task(
            written(writer, CallRefused(cdr("c-1")), CallRefused(cdr("c-2")))
        )
        await asyncio.sleep(0)
        assert not await written(writer, CallRefused(cdr("c-3")), CallRefused(cdr("c-4")))
        assert writer.stats().backlog == 2
    assert await accepted
    assert await written(writer, CallRefused(cdr("c-5")))
    assert recorded(database) == {"c-1", "c-2", "c-5"}


async def test_close_writes_what_is_queued_and_refuses_what_comes_later(
    database: Database, start: Start
) -> None:
    writer = start(WriterLimits(batches=10))
    answers: list[bool] = []
    for number in range(35):
        writer.write([CallRefused(cdr(f"c-{number}"))], answers.append)
    writer.write([CallRefused(cdr("c-unasked"))])
    writer.close()
    assert len(recorded(database)) == 36
    assert not await written(writer, CallRefused(cdr("c-late")))
    writer.write([CallRefused(cdr("c-later"))])
    assert answers == [True] * 35
    assert writer.flush()
    writer.close()


async def test_flush_waits_until_everything_is_on_disk(database: Database) -> None:
    writer = database.writer(asyncio.get_running_loop(), limits=WriterLimits(gather_s=0.05))
    writer.write([CallRefused(CDR)])
    assert writer.flush()
    assert recorded(database) == {"c-1"}
    writer.close()


def test_a_loop_that_is_gone_is_no_reason_to_lose_the_last_commit(
    database: Database, connector: Connector
) -> None:
    loop = asyncio.new_event_loop()
    writer = Writer(connector, loop)
    writer.write([CallRefused(CDR)], lambda durable: None)
    loop.close()
    writer.close()
    assert recorded(database) == {"c-1"}


ACKNOWLEDGER = """
import asyncio, itertools, sys
from pathlib import Path
from gateway.model.record import CallSettled, EntryPosted
from store.database import Database
from tests.store.samples import admitted, cdr, entry

async def main():
    database = Database.open(Path(sys.argv[1]))
    writer = database.writer(asyncio.get_running_loop())
    writer.write([EntryPosted(entry("top-up", 10**9, "world:cash", "profile:1"))])
    def acknowledge(call_id, durable):
        assert durable
        print(call_id, flush=True)
    for number in itertools.count():
        call_id = f"c-{number}"
        settled = CallSettled(cdr(call_id), entry(f"call:{call_id}", 7800))
        writer.write([admitted(call_id)])
        writer.write([settled], lambda durable, call_id=call_id: acknowledge(call_id, durable))
        if number % 20 == 0:
            await asyncio.sleep(0.001)

asyncio.run(main())
"""


def test_whatever_was_acknowledged_before_kill_9_is_there_afterwards(path: Path) -> None:
    """R66, R73: each acknowledged call has its record, its charge, and no open row."""
    command = [sys.executable, "-c", ACKNOWLEDGER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        acknowledged = [child.stdout.readline().strip() for _ in range(300)]
        child.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in child.stdout if line.endswith("\n")]
    assert child.returncode == -signal.SIGKILL
    database = Database.open(path)
    with database.reader() as connection:
        found = {call.call_id for call in cdrs.search(connection, cdrs.CdrFilter(), limit=10**6)}
        balances = ledger.balances(connection)
        still_open = {call.admitted.call_id for call in open_calls.every(connection)}
    database.close()
    assert len(acknowledged) >= 300
    assert found >= set(acknowledged)
    assert still_open.isdisjoint(found)
    assert balances["world:calls"] == 7800 * len(found)
    assert sum(balances.values()) == 0
