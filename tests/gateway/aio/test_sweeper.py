"""The audit of leases and holds against live calls, and duties that survive each other."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

from gateway.aio.clock import SystemClock
from gateway.aio.sweeper import Sweeper
from gateway.model.call import Direction
from tests.support.factories import AT, hot_state
from tests.support.shell import KeptJournal, KeptLog, fresh_metrics


class Runner(list[Any]):
    """Live calls, as far as the sweeper looks at them."""

    def __init__(self, *call_ids: str) -> None:
        super().__init__(SimpleNamespace(call_id=call_id) for call_id in call_ids)
        self.beats = 0
        self.broken = False

    def beat(self, now: float) -> None:
        self.beats += 1
        if self.broken:
            raise RuntimeError("broken")


class Bench:
    def __init__(self, *live: str) -> None:
        self.hot, self.runner, self.log = hot_state(), Runner(*live), KeptLog()
        self.metrics = fresh_metrics()
        self.looks = 0
        idle = SimpleNamespace(
            flush=lambda: None, forget=lambda expired: None, sweep=lambda now: None
        )
        self.sweeper = Sweeper(
            self.hot, cast(Any, self.runner), cast(Any, idle), cast(Any, idle), KeptJournal(),
            SystemClock(), self.log, self.metrics, cast(Any, SimpleNamespace(look=self._look)),
        )  # fmt: skip

    def _look(self) -> None:
        self.looks += 1

    def count(self, name: str) -> float:
        return self.metrics.registry.get_sample_value(name) or 0.0


def test_a_channel_held_by_no_call_raises_the_alarm_at_the_second_look() -> None:
    """R35: an orphaned lease is an alarm."""
    bench = Bench()
    bench.hot.profile_by_id[1].lease("c-gone", Direction.OUTGOING, AT)
    bench.sweeper.sweep()
    assert bench.count("sipgw_orphaned_leases_total") == 0  # it may be on its way out
    bench.sweeper.sweep()
    assert bench.count("sipgw_orphaned_leases_total") == 1
    assert bench.log.lines[-1] == ("channel held by no call", {"profile": 1, "call": "c-gone"})


def test_credit_held_by_no_call_raises_the_alarm_too() -> None:
    """R63"""
    bench = Bench()
    bench.hot.ledger.hold("c-gone", "profile:1", 3_000, "USD")
    bench.sweeper.sweep()
    bench.sweeper.sweep()
    assert bench.count("sipgw_orphaned_holds_total") == 1
    assert bench.log.events == ["credit held by no call"]


def test_what_live_calls_hold_is_no_drift() -> None:
    bench = Bench("c-1")
    profile = bench.hot.profile_by_id[1]
    profile.lease("c-1", Direction.OUTGOING, AT)
    profile.lease("c-1/called", Direction.INCOMING, AT)
    bench.hot.ledger.hold("c-1", "profile:1", 3_000, "USD")
    bench.hot.ledger.hold("move:take-back-1", "profile:1", 3_000, "USD")
    bench.sweeper.sweep()
    bench.sweeper.sweep()
    assert bench.log.events == []
    assert (bench.runner.beats, bench.looks) == (2, 2)


async def test_a_duty_that_breaks_does_not_end_the_others_for_ever() -> None:
    """R73: without the sweeper there would be no heartbeat any more."""
    bench = Bench()
    bench.runner.broken = True
    running = asyncio.get_running_loop().create_task(bench.sweeper.run())
    async with asyncio.timeout(10):
        while bench.runner.beats < 2:
            await asyncio.sleep(0.05)
    assert bench.log.events[0] == "sweep failed"
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
