"""A store that is locked or full: running calls go on, new ones are refused, nothing is lost."""

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.durability.conftest import Stage, StartStage
from tests.support.fast_room import in_fast_time, room
from tests.support.load_peer import ring_only
from tests.support.load_seed import FIRST_INCREMENT

REFUSED = 40  # enough log lines for more than the last page of a disk


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else keeps the write lock."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


async def until_health(stage: Stage, status: str) -> dict[str, object]:
    async with asyncio.timeout(15):
        while (health := await stage.health())["status"] != status:
            await asyncio.sleep(0.1)
    return health


async def assert_refused_for_the_store(stage: Stage) -> None:
    call = stage.dial()
    assert await call.final == 503
    assert call.refusal is not None
    assert "STORE_UNAVAILABLE" in (call.refusal.get("Reason") or "")


async def assert_all_is_well_again(stage: Stage, refused: int, talked: int) -> None:
    """The store is back: calls are taken, and what was kept is written once."""
    assert (await until_health(stage, "ok"))["code"] == 200
    call = stage.dial()
    assert await call.final == 200
    call.bye()
    async with asyncio.timeout(15):
        while len(stage.store.cdrs()) < refused + talked + 1:
            await asyncio.sleep(0.1)
    await stage.settled()
    codes = [row["refusal"] for row in stage.store.cdrs()]
    assert codes.count("STORE_UNAVAILABLE") == refused
    assert len(codes) == refused + talked + 1
    metrics = await stage.metrics()
    assert (metrics["sipgw_store_ok"], metrics["sipgw_unwritten_records"]) == (1, 0)
    stage.assert_money_adds_up()
    await stage.assert_nothing_held()


async def trouble(stage: Stage, begin: Callable[[], object], end: Callable[[], object]) -> None:
    """Two calls run when it begins; one is hung up on meanwhile, the other afterwards."""
    first, second = stage.dial(), stage.ring_in()
    assert [await first.final, await second.final] == [200, 200]
    begin()
    await assert_refused_for_the_store(stage)  # this one finds it out
    health = await until_health(stage, "degraded")
    assert (health["store"], health["code"]) == ("cannot write", 503)
    assert (await stage.metrics())["sipgw_store_ok"] == 0
    for _ in range(REFUSED):
        async with asyncio.timeout(1):  # these are refused at once
            await assert_refused_for_the_store(stage)
    assert first.talking and second.talking
    first.bye()
    await asyncio.sleep(0.5)
    metrics = await stage.metrics()
    assert metrics["sipgw_channels_in_use"] == 1
    assert metrics["sipgw_unwritten_records"] >= 1
    end()
    second.bye()
    await assert_all_is_well_again(stage, refused=1 + REFUSED, talked=2)


async def test_a_locked_store_costs_new_calls_only(start: StartStage) -> None:
    """R63, R66, R73"""
    stage = await start()
    lock = locked(stage.gateway.store_path)
    await trouble(stage, lock.__enter__, lambda: lock.__exit__(None, None, None))


async def test_an_answer_that_cannot_be_written_down_is_taken_back(start: StartStage) -> None:
    """R70, R73: the callee is hung up on, the caller refused, and nobody pays."""
    stage = await start()
    stage.carrier.answers = ring_only
    call = stage.dial()
    while not stage.carrier.offered:
        await asyncio.sleep(0.02)
    (callee,) = stage.carrier.offered
    with locked(stage.gateway.store_path):
        callee.answer()
        async with asyncio.timeout(10):
            assert await callee.over == "bye"
            assert await call.final == 503
    assert call.refusal is not None
    assert "STORE_UNAVAILABLE" in (call.refusal.get("Reason") or "")
    await stage.settled()
    (row,) = stage.store.cdrs()
    assert (row["refusal"], row["charge_micros"], row["duration_us"]) == ("STORE_UNAVAILABLE", 0, 0)
    await stage.assert_nothing_held()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small file system needs root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


async def test_a_full_disk_costs_new_calls_only(start: StartStage, small_disk: Path) -> None:
    """R63, R66, R73: the log cannot be written either."""
    stage = await start(directory=small_disk)
    filler = small_disk / "filler"

    def fill() -> None:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(512)):
                pass
        assert os.statvfs(small_disk).f_bavail == 0

    await trouble(stage, fill, filler.unlink)
    assert "log lines could not be written" in stage.gateway.log()


def test_a_running_call_goes_on_to_its_last_paid_second(tmp_path: Path) -> None:
    """R63, R65: an increment that cannot be written is not granted, and not charged."""

    async def work() -> None:
        async with room(tmp_path, credit_micros=10 * FIRST_INCREMENT) as stage:
            call = stage.dial()
            await call.final
            await asyncio.sleep(20)
            with locked(tmp_path / "var" / "sipgw.db"):
                await call.over
            assert 'text="store-unavailable"' in call.reason
            (row,) = await stage.settled()
            assert (row["billed_s"], row["cause"]) == (30, "store-unavailable")
            assert row["ended_at"] - row["answered_at"] == pytest.approx(30e6, abs=1e3)
            assert stage.credit() == 9 * FIRST_INCREMENT
            assert stage.ledger.held(stage.seeded.account) == 0

    in_fast_time(work)
