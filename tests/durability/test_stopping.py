"""SIGTERM with calls running: none is taken, none is forgotten."""

import asyncio
import signal

from tests.durability.conftest import Stage, StartStage
from tests.support.load_peer import ring_only

DRAIN = "[calls]\ndrain_timeout_s = {}\n"


def terminate(stage: Stage) -> None:
    assert stage.gateway.process is not None
    stage.gateway.process.send_signal(signal.SIGTERM)


async def ended(stage: Stage, timeout_s: float) -> int:
    assert stage.gateway.process is not None
    return await asyncio.to_thread(stage.gateway.process.wait, timeout_s)


async def until_stopping(stage: Stage) -> None:
    async with asyncio.timeout(5):
        while (await stage.health())["status"] != "stopping":
            await asyncio.sleep(0.02)


def assert_all_settled(stage: Stage, calls: int) -> None:
    assert stage.store.open_calls() == []
    assert len(stage.store.cdrs()) == calls
    stage.assert_money_adds_up()


async def test_a_stop_lets_running_calls_end_and_takes_no_new_ones(start: StartStage) -> None:
    """R73"""
    stage = await start(tables=DRAIN.format(20))
    running, ringing_in = stage.dial(), stage.ring_in()
    assert [await running.final, await ringing_in.final] == [200, 200]
    terminate(stage)
    await until_stopping(stage)
    late = stage.dial()
    assert await late.final == 503
    assert late.refusal is not None
    assert "SHUTTING_DOWN" in (late.refusal.get("Reason") or "")
    await asyncio.sleep(1.0)
    assert running.talking and ringing_in.talking
    running.bye()
    ringing_in.bye()
    assert await ended(stage, 5) == 0
    assert_all_settled(stage, 3)
    causes = sorted(row["cause"] for row in stage.store.cdrs())
    assert causes == ["caller-hung-up", "caller-hung-up", "refused"]


async def test_after_its_patience_a_stop_hangs_up_on_both_sides(start: StartStage) -> None:
    """R73: with a Reason; talking, ringing and incoming calls alike."""
    stage = await start(tables=DRAIN.format(1))
    talking = [stage.dial() for _ in range(30)] + [stage.ring_in() for _ in range(20)]
    assert {await call.final for call in talking} == {200}
    stage.carrier.answers = ring_only
    ringing = [stage.dial() for _ in range(5)]
    await asyncio.sleep(0.5)
    terminate(stage)
    assert {await call.final for call in ringing} == {503}
    assert await ended(stage, 5) == 0
    for call in stage.pbx.every() + stage.carrier.every():
        assert call.over.done()
        if call.confirmed:
            assert 'text="shutdown"' in call.reason
    assert_all_settled(stage, 55)
    assert {row["cause"] for row in stage.store.cdrs()} == {"shutdown", "refused"}


async def test_a_second_signal_hurries(start: StartStage) -> None:
    stage = await start(tables=DRAIN.format(600))
    call = stage.dial()
    assert await call.final == 200
    terminate(stage)
    await until_stopping(stage)
    terminate(stage)
    assert await call.over == "bye"
    assert await ended(stage, 5) == 0
    assert_all_settled(stage, 1)


async def test_heartbeats_go_on_while_the_gateway_drains(start: StartStage) -> None:
    """R73: a crash during a long drain still finds a proof of life."""
    stage = await start(tables=DRAIN.format(600))
    call = stage.dial()
    assert await call.final == 200
    terminate(stage)
    async with asyncio.timeout(8):
        while not stage.store.open_calls()[0]["last_beat_at"]:
            await asyncio.sleep(0.1)
    terminate(stage)
    await call.over
    assert await ended(stage, 5) == 0
