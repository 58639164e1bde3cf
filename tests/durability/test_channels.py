"""One profile, 300 channels, everything at once: the real process under two load peers."""

import asyncio
import random
import resource

from tests.durability.conftest import Stage, StartStage
from tests.support.load_peer import PeerCall, after, ring_only

CALLS = 2_000
CHANNELS = 300
CALLEE_BUSY = 603  # told apart from the gateway's own 486 and 503


def whim(random_: random.Random):  # type: ignore[no-untyped-def]
    """What a called peer does: answer and wait, answer and hang up, refuse, or ring for ever."""

    def answers(call: PeerCall) -> None:
        call.ring()
        match random_.randrange(10):
            case 0:
                after(random_.random(), lambda: call.refuse(CALLEE_BUSY))
            case 1:
                pass  # the ring limit ends it
            case 2 | 3:
                after(random_.random(), call.answer)
                after(1.0 + random_.random(), call.bye)
            case _:
                after(random_.random(), call.answer)

    return answers


async def live(call: PeerCall, random_: random.Random) -> int:
    """A caller's life: cancel, hang up, cross the other's BYE, or leave the end to the other."""
    match random_.randrange(4):
        case 0:
            after(random_.random() / 2, call.cancel)
        case 1:
            after(1.0 + random_.random() / 10, call.bye)
    status = await call.final
    if status == 200:
        after(2.0, call.bye)
        await call.over
    return status


async def storm(stage: Stage, random_: random.Random) -> list[PeerCall]:
    calls = []
    for number in range(CALLS):
        calls.append(stage.dial() if number % 2 else stage.ring_in())
        if number % 100 == 99:
            await asyncio.sleep(0)
    async with asyncio.timeout(90):
        await asyncio.gather(*(live(call, random_) for call in calls))
    return calls


async def test_two_thousand_calls_at_once_never_take_channel_301(start: StartStage) -> None:
    """R24, R35, R36, R37"""
    stage: Stage = await start(channels=CHANNELS, tables="[calls]\nring_timeout_s = 3\n")
    random_ = random.Random(35)
    stage.pbx.answers = stage.carrier.answers = whim(random_)
    calls = await storm(stage, random_)
    await asyncio.sleep(1.5)
    await stage.settled()

    metrics = await stage.metrics()
    assert metrics["sipgw_channels_busiest"] == CHANNELS
    await stage.assert_nothing_held()
    stage.assert_money_adds_up()
    cdrs = {row["a_sip_call_id"]: row for row in stage.store.cdrs()}
    assert set(cdrs) == {call.sip_call_id for call in calls}
    assert len(stage.store.cdrs()) == CALLS

    refused = [call for call in calls if cdrs[call.sip_call_id]["refusal"].startswith("CHANNELS")]
    assert len(refused) > CALLS / 4
    for call in refused:
        told = cdrs[call.sip_call_id]["sip_status"]
        assert told == (503 if call.peer is stage.pbx else 486)
        if call.refusal is not None:  # else the caller had cancelled before
            assert "Retry-After" not in call.refusal
            assert call.final.result() in (told, 487)


async def test_with_every_channel_taken_the_next_call_is_refused_either_way(
    start: StartStage,
) -> None:
    """R24, R37: 503 without Retry-After to the PBX, 486 to the carrier."""
    stage: Stage = await start(channels=2)
    first, second = stage.dial(), stage.ring_in()
    assert [await first.final, await second.final] == [200, 200]
    out, into = stage.dial(), stage.ring_in()
    assert [await out.final, await into.final] == [503, 486]
    assert out.refusal is not None and "Retry-After" not in out.refusal
    assert "CHANNELS_FULL_PBX" in (out.refusal.get("Reason") or "")
    first.bye()
    await asyncio.sleep(0.3)
    stage.carrier.answers = ring_only
    third = stage.dial()
    await asyncio.sleep(0.3)
    third.cancel()
    assert await third.final == 487
    second.bye()
    await stage.settled()
    await stage.assert_nothing_held()


async def test_the_usual_limit_of_open_files_is_no_limit_of_calls(start: StartStage) -> None:
    """R24: 300 channels take 1,200 sockets, a shell gives 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, hard))
    try:
        stage = await start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    raised, _ = resource.prlimit(stage.gateway.pid, resource.RLIMIT_NOFILE)
    assert raised >= min(hard, 20_000)
