"""A stop waits for calls, for BYEs and for the store, each for its time."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from gateway.aio import stopping
from gateway.aio.stopping import Stopping
from gateway.model.call import EndCause


class Runner:
    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.hung_up = 0

    def __len__(self) -> int:
        return self.calls

    def hang_up_all(self, cause: EndCause) -> None:
        assert cause is EndCause.SHUTDOWN
        self.hung_up, self.calls = self.calls, 0

    async def idle(self) -> None:
        assert not self.calls


class Bench:
    def __init__(self, calls: int = 2) -> None:
        self.stop, self.runner = Stopping(), Runner(calls)
        self.endpoint = SimpleNamespace(counts={"invite_sessions": 0})
        self.outbox = SimpleNamespace(unwritten=0)
        self.loop = asyncio.get_running_loop()

    async def drain(self, patience_s: float) -> float:
        """How long it took."""
        started = self.loop.time()
        drained = self.stop.drain(
            cast(Any, self.runner), cast(Any, self.endpoint), cast(Any, self.outbox), patience_s
        )
        async with asyncio.timeout(10):
            await drained
        return self.loop.time() - started


async def test_calls_that_end_by_themselves_are_not_hung_up_on() -> None:
    bench = Bench()
    bench.loop.call_later(0.1, setattr, bench.runner, "calls", 0)
    assert 0.1 <= await bench.drain(5) < 4
    assert bench.runner.hung_up == 0


async def test_after_its_patience_it_hangs_up() -> None:
    bench = Bench()
    assert 0.1 <= await bench.drain(0.1) < 4
    assert bench.runner.hung_up == 2


async def test_asked_twice_it_hurries() -> None:
    bench = Bench()
    assert not bench.stop.asked
    bench.stop.ask()
    await bench.stop.wait()
    bench.loop.call_later(0.05, bench.stop.ask)
    assert await bench.drain(600) < 5
    assert bench.runner.hung_up == 2


async def test_it_waits_for_the_answers_to_its_byes_and_for_the_store_but_not_for_ever() -> None:
    bench = Bench()
    bench.endpoint.counts["invite_sessions"] = 4
    bench.outbox.unwritten = 1
    bench.loop.call_later(0.2, bench.endpoint.counts.update, {"invite_sessions": 0})
    bench.loop.call_later(0.3, setattr, bench.outbox, "unwritten", 0)
    assert 0.3 <= await bench.drain(0) < stopping.FAREWELL_S
    bench.outbox.unwritten = 1
    assert await bench.drain(0) >= stopping.FAREWELL_S
