"""kill -9 at random instants of a busy gateway, and a restart on the same store.

The peers outlive it and are asked what they saw. How many rounds: SIPGW_CRASH_ROUNDS, else a few.
"""

import asyncio
import os
import random
import socket
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rating.increments import billable_s
from tests.durability.conftest import Stage, StartStage
from tests.support.fast_room import MEDIA_PORTS
from tests.support.gateway_process import GatewayFailed, GatewayProcess
from tests.support.load_peer import LoadPeer, PeerCall, after
from tests.support.load_seed import CREDIT, DESTINATION, seed_load
from tests.support.store_reader import Row, StoreReader

ROUNDS = int(os.environ.get("SIPGW_CRASH_ROUNDS", "3"))
LONG_OUT, LONG_IN, RINGING = 35, 20, 10
CHURN_EVERY_S = 0.03
HEARTBEAT_S = 6.0
# What ended this shortly before the kill may not have been written down any more.
JUST_NOW_S = 0.5
RINGS = "+17035550199"


def micros(row_value: int) -> datetime:
    return datetime.fromtimestamp(row_value / 1_000_000, UTC)


@dataclass(slots=True)
class Crash:
    """What was there in the instant of the kill."""

    at: datetime
    talking: list[PeerCall]
    over: list[PeerCall]
    open_calls: dict[str, Row]
    byes: dict[str, int] = field(default_factory=dict)


def answers(call: PeerCall) -> None:
    """Ring, and answer unless asked to ring only; every third call is answered without ringing."""
    rings_only = call.number.lstrip("+") == RINGS.lstrip("+")
    if rings_only or random.randrange(3):
        call.ring()
    if not rings_only:
        after(random.random() / 5, call.answer)


async def churn(stage: Stage, stop: asyncio.Event) -> None:
    """Short calls all the while, some of them cancelled."""
    number = 0
    while not stop.is_set():
        number += 1
        call = stage.dial() if number % 2 else stage.ring_in()
        if number % 7 == 0:
            after(random.random() / 4, call.cancel)
        else:
            after(0.4 + random.random(), call.bye)
        await asyncio.sleep(CHURN_EVERY_S)


async def busy_until_killed(stage: Stage, lives_s: float) -> Crash:
    for _ in range(LONG_OUT):
        stage.dial()
    for _ in range(LONG_IN):
        stage.ring_in()
    for _ in range(RINGING):
        stage.dial(RINGS)
    stop = asyncio.Event()
    churning = asyncio.create_task(churn(stage, stop))
    await asyncio.sleep(lives_s)
    stage.gateway.kill()
    at = datetime.now(UTC)
    stop.set()
    await churning
    now = stage.pbx.now()
    # What was on its way through the sockets when the process died arrives first.
    await asyncio.sleep(0.1)
    every = stage.pbx.every() + stage.carrier.every()
    crash = Crash(
        at,
        [call for call in every if call.talking],
        [call for call in every if call.over.done() and call.ended_now < now - JUST_NOW_S],
        {row["call_id"]: row for row in stage.store.open_calls()},
    )
    for peer in (stage.pbx, stage.carrier):
        crash.byes |= dict(peer.byes)
    return crash


async def killed_while_it_starts(stage: Stage, lives_s: float) -> None:
    """A start that is killed somewhere between the interpreter's first line and the last BYE."""
    stage.gateway.launch()
    await asyncio.sleep(lives_s)
    stage.gateway.kill()


async def recovered(stage: Stage, crash: Crash) -> None:
    await asyncio.to_thread(stage.gateway.start)
    await stage.settled()
    deadline = time.monotonic() + 5
    while any(call.talking for call in crash.talking) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


def assert_hung_up(stage: Stage, crash: Crash) -> None:
    """R73: BYE on both dialogs of what was confirmed, none for what was over."""
    left = [call for call in crash.talking if call.talking]
    assert not left, f"{len(left)} of {len(crash.talking)} confirmed dialogs got no BYE"
    for call in crash.talking:
        assert call.over.result() in ("bye", "own bye")
        if call.over.result() == "bye":
            assert 'text="gateway-restart"' in call.reason
    before, byes = crash.byes, stage.pbx.byes + stage.carrier.byes
    again = [c for c in crash.over if byes[c.sip_call_id] > before.get(c.sip_call_id, 0)]
    assert not again, f"{len(again)} calls that were over got a BYE"


def assert_billed(stage: Stage, crash: Crash) -> int:
    """Every open row became one CDR, billed to its heartbeat; how many had one."""
    cdrs = {row["call_id"]: row for row in stage.store.cdrs()}
    with_heartbeat = 0
    for call_id, row in crash.open_calls.items():
        cdr = cdrs[call_id]
        assert cdr["cause"] == "gateway-restart"
        if row["answered_at"] is None:
            assert (cdr["billed_s"], cdr["charge_micros"]) == (0, 0)
            continue
        proof = row["last_beat_at"] or row["answered_at"]
        with_heartbeat += row["last_beat_at"] is not None
        assert cdr["ended_at"] == proof
        assert micros(proof) <= crash.at
        if row["held_micros"]:
            assert cdr["billed_s"] == billable_s((proof - row["answered_at"]) / 1_000_000)
        assert cdr["charge_micros"] <= row["held_micros"]
        age_s = (crash.at - micros(proof)).total_seconds()
        assert age_s <= HEARTBEAT_S + 0.5, f"the proof of life is {age_s} s old"
    return with_heartbeat


@pytest.mark.slow
async def test_nothing_is_lost_or_doubled_by_kill_nine(start: StartStage) -> None:
    """R35, R36, R63, R66, R73"""
    random_ = random.Random(int.from_bytes(os.urandom(4), "big"))
    stage: Stage = await start()
    stage.pbx.answers = stage.carrier.answers = answers
    heartbeats = 0
    for number in range(ROUNDS):
        # The first rounds are long enough for a heartbeat of every long call.
        lives_s = 6.5 if number == 0 else random_.uniform(0.8, 7.5)
        crash = await busy_until_killed(stage, lives_s)
        assert len(crash.open_calls) >= 50
        if number % 2:
            await killed_while_it_starts(stage, random_.uniform(0.5, 1.2))
        await recovered(stage, crash)
        assert_hung_up(stage, crash)
        beats = assert_billed(stage, crash)
        heartbeats += beats
        stage.assert_money_adds_up()
        await stage.assert_nothing_held()
        print(
            f"round {number}: killed after {lives_s:.2f} s, {len(crash.open_calls)} open calls, "
            f"{len(crash.talking)} confirmed dialogs, {beats} heartbeats"
        )
    assert heartbeats >= LONG_OUT


async def test_a_start_that_fails_leaves_the_calls_to_the_next_one(start: StartStage) -> None:
    """R73: nobody is hung up on without a CDR, and nothing is forgotten."""
    stage = await start()
    calls = [stage.dial() for _ in range(5)]
    assert {await call.final for call in calls} == {200}
    stage.gateway.kill()
    settings = stage.gateway.settings_file.read_text()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free, blocked = (f'[http]\nbind = "127.0.0.1:{number}"' for number in (0, port))
        assert free in settings
        stage.gateway.settings_file.write_text(settings.replace(free, blocked))
        with pytest.raises(GatewayFailed, match="ended with 1"):
            await asyncio.to_thread(stage.gateway.start)
    assert len(stage.store.open_calls()) == 5
    assert all(call.talking for call in calls)
    stage.gateway.settings_file.write_text(settings)
    await asyncio.to_thread(stage.gateway.start)
    async with asyncio.timeout(5):
        assert {await call.over for call in calls} == {"bye"}
    await stage.settled()
    assert len(stage.store.cdrs()) == 5
    stage.assert_money_adds_up()


async def test_over_tcp_the_bye_is_dialled_to_the_address_the_pbx_gave(
    tmp_path: Path, processes: list[GatewayProcess]
) -> None:
    """R73: the connection died with the process, the address in the Contact did not."""
    async with LoadPeer(transport="tcp") as pbx, LoadPeer() as carrier:
        gateway = GatewayProcess(tmp_path, media=MEDIA_PORTS)
        seeded = seed_load(gateway.var, pbx.address, carrier.address, transport="tcp")
        await asyncio.to_thread(gateway.start)
        processes.append(gateway)
        call = pbx.call(DESTINATION, gateway.address("tcp"))
        async with asyncio.timeout(5):
            assert await call.final == 200
        stage = Stage(gateway, pbx, carrier, seeded, StoreReader(gateway.store_path), CREDIT)
        gateway.kill()
        await asyncio.to_thread(gateway.start)
        async with asyncio.timeout(5):
            assert await call.over == "bye"
            assert await carrier.offered[0].over == "bye"
        await stage.settled()
