"""Prepaid credit under many calls at once: the whole gateway in this process, in faster time."""

import asyncio
from pathlib import Path

import pytest

from gateway.model.record import EntryPosted
from rating.credit import hold_for
from tests.durability.conftest import Stage, StartStage
from tests.support.fast_room import Room, in_fast_time, room
from tests.support.load_seed import FIRST_INCREMENT
from tests.support.seed import GOLDEN_RATES

RATE = GOLDEN_RATES[0]
STEP = hold_for(RATE, 36) - hold_for(RATE, 30)


def watch_balance(room: Room) -> list[int]:
    """Every value that the available credit takes, looked at all the time."""
    seen: list[int] = []
    loop = asyncio.get_running_loop()

    def look() -> None:
        seen.append(room.ledger.available(room.seeded.account))
        loop.call_later(0.2, look)

    look()
    return seen


def test_of_three_hundred_calls_at_once_seven_are_paid_for(tmp_path: Path) -> None:
    """R63, R64: the others are refused before any carrier hears of them."""

    async def work() -> None:
        async with room(tmp_path, credit_micros=7 * FIRST_INCREMENT + STEP // 2) as stage:
            calls = [stage.dial() for _ in range(300)]
            statuses = await asyncio.gather(*(call.final for call in calls))
            assert (statuses.count(200), statuses.count(403)) == (7, 293)
            assert len(stage.carrier.offered) == 7
            await asyncio.gather(*(call.over for call in calls))
            cdrs = await stage.settled()
            refused = [row for row in cdrs if row["refusal"]]
            assert {row["refusal"] for row in refused} == {"CREDIT"}
            cut = [row for row in cdrs if row["cause"] == "credit-exhausted"]
            assert [row["billed_s"] for row in cut] == [30] * 7
            assert len(refused) == 293
            assert stage.credit() == STEP // 2

    in_fast_time(work)


@pytest.mark.parametrize("odd_micros", [0, STEP - 1])
def test_credit_is_used_to_the_last_increment_and_never_below_zero(
    tmp_path: Path, odd_micros: int
) -> None:
    """R63, R65, R66: 20 calls that nobody ends, on credit for some minutes of talk in all."""

    async def work() -> None:
        credit = 20 * FIRST_INCREMENT + 31 * STEP + odd_micros
        async with room(tmp_path, credit_micros=credit) as stage:
            seen = watch_balance(stage)
            calls = [stage.dial() for _ in range(20)]
            await asyncio.gather(*(call.final for call in calls))
            await asyncio.gather(*(call.over for call in calls))
            cdrs = await stage.settled()
            assert min(seen) >= 0
            assert {row["cause"] for row in cdrs} == {"credit-exhausted"}
            for row in cdrs:
                talked_s = (row["ended_at"] - row["answered_at"]) / 1e6
                assert talked_s == pytest.approx(row["billed_s"], abs=1e-3)
                assert (row["billed_s"] - 30) % 6 == 0
            assert sum((row["billed_s"] - 30) // 6 for row in cdrs) == 31
            # Fair: nobody got more than two increments more than another.
            steps = sorted((row["billed_s"] - 30) // 6 for row in cdrs)
            assert steps[-1] - steps[0] <= 2
            balance = stage.credit()
            assert balance == odd_micros
            assert stage.store.postings_sum() == 0
            assert stage.ledger.held(stage.seeded.account) == 0

    in_fast_time(work)


def test_what_a_call_did_not_need_keeps_another_one_talking(tmp_path: Path) -> None:
    """R63: a channel hung up early gives its increment to the one that is about to be cut."""

    async def work() -> None:
        async with room(tmp_path, credit_micros=2 * FIRST_INCREMENT + STEP) as stage:
            first, second = stage.dial(), stage.dial()
            await asyncio.gather(first.final, second.final)
            await asyncio.sleep(29)  # one of them holds the increment by now
            first.bye()
            await second.over
            await asyncio.sleep(1)
            cdrs = await stage.settled()
            assert sorted(row["billed_s"] for row in cdrs) == [30, 36]
            assert stage.credit() == 0

    in_fast_time(work)


def test_a_recharge_at_the_last_moment_prolongs_the_call(tmp_path: Path) -> None:
    """R61"""

    async def work() -> None:
        async with room(tmp_path, credit_micros=FIRST_INCREMENT) as stage:
            call = stage.dial()
            await call.final
            await asyncio.sleep(29.0)
            entry = stage.ledger.transfer(
                "world:cash", stage.seeded.account, 2 * STEP, "USD", "again", "top-up",
                stage.clock.at(), "test",
            )  # fmt: skip
            stage.gateway._journal.write([EntryPosted(entry)])
            await call.over
            (row,) = await stage.settled()
            assert (row["billed_s"], row["cause"]) == (42, "credit-exhausted")
            assert stage.credit() == 0

    in_fast_time(work)


@pytest.mark.slow
async def test_the_cut_comes_within_200_ms_of_the_paid_second(start: StartStage) -> None:
    """R65: real time, the real process: 20 calls that can pay 30 s, and one increment for one."""
    stage: Stage = await start(credit_micros=20 * FIRST_INCREMENT + STEP)
    calls = [stage.dial() for _ in range(20)]
    assert [await call.final for call in calls] == [200] * 20
    heard = {}
    for call in calls:
        await call.over
        heard[call.sip_call_id] = call.ended_now - call.answered_now
    await stage.settled()
    billed = []
    for row in stage.store.cdrs():
        billed.append(row["billed_s"])
        assert row["cause"] == "credit-exhausted"
        talked_s = (row["ended_at"] - row["answered_at"]) / 1e6
        assert abs(talked_s - row["billed_s"]) <= 0.2
        assert abs(heard[row["a_sip_call_id"]] - row["billed_s"]) <= 0.2
    assert sorted(billed) == [30] * 19 + [36]
    stage.assert_money_adds_up()
