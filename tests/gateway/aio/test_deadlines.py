"""One heap for all machines."""

import asyncio

from gateway.aio.clock import SystemClock
from gateway.aio.deadlines import SPARE, Deadlines


async def test_keys_come_due_in_time_order_and_only_at_their_last_setting() -> None:
    due: list[str] = []
    over = asyncio.Event()

    def on_due(key: str, now: float) -> None:
        due.append(key)
        if key == "last":
            over.set()

    clock = SystemClock()
    deadlines: Deadlines[str] = Deadlines(asyncio.get_running_loop(), clock, on_due)
    start = clock.now()
    deadlines.set("moved", start + 0.01)
    deadlines.set("second", start + 0.03)
    deadlines.set("removed", start + 0.02)
    deadlines.set("last", start + 0.06)
    deadlines.set("moved", start + 0.04)
    deadlines.set("removed", None)
    await asyncio.wait_for(over.wait(), 5)
    assert due == ["second", "moved", "last"]
    assert len(deadlines) == 0


async def test_a_deadline_in_the_past_is_due_at_once() -> None:
    over = asyncio.Event()
    clock = SystemClock()
    deadlines: Deadlines[str] = Deadlines(
        asyncio.get_running_loop(), clock, lambda key, now: over.set()
    )
    deadlines.set("late", clock.now() - 1)
    await asyncio.wait_for(over.wait(), 5)


async def test_a_key_may_set_itself_again_when_it_is_due() -> None:
    over = asyncio.Event()
    clock = SystemClock()
    rounds: list[float] = []

    def on_due(key: str, now: float) -> None:
        rounds.append(now)
        if len(rounds) == 3:
            over.set()
        else:
            deadlines.set(key, now + 0.005)

    deadlines: Deadlines[str] = Deadlines(asyncio.get_running_loop(), clock, on_due)
    deadlines.set("again", clock.now())
    await asyncio.wait_for(over.wait(), 5)
    assert rounds == sorted(rounds)


async def test_closing_forgets_everything() -> None:
    clock = SystemClock()
    deadlines: Deadlines[str] = Deadlines(asyncio.get_running_loop(), clock, lambda key, now: None)
    deadlines.set("never", clock.now() + 60)
    deadlines.close()
    assert len(deadlines) == 0


async def test_what_was_removed_does_not_pile_up() -> None:
    """The longest duration of a call lies 12 hours ahead; most calls end within minutes."""
    clock = SystemClock()
    deadlines: Deadlines[int] = Deadlines(asyncio.get_running_loop(), clock, lambda key, now: None)
    for key in range(5_000):
        deadlines.set(key, clock.now() + 43_200)
        deadlines.set(key, None)
    assert len(deadlines) == 0
    assert deadlines.entries <= 2 * SPARE
    deadlines.close()


async def test_the_heap_may_be_rebuilt_by_what_is_due() -> None:
    """What comes due first may set and remove many others; the rest still comes due once."""
    over = asyncio.Event()
    clock = SystemClock()
    due: list[int] = []

    def on_due(key: int, now: float) -> None:
        due.append(key)
        if key == 0:
            for other in range(10, 2_000):
                deadlines.set(other, now + 43_200)
                deadlines.set(other, None)
        if key == 2:
            over.set()

    deadlines: Deadlines[int] = Deadlines(asyncio.get_running_loop(), clock, on_due)
    start = clock.now()
    for key in range(3):
        deadlines.set(key, start + 0.005)
    await asyncio.wait_for(over.wait(), 5)
    assert due == [0, 1, 2]
    assert len(deadlines) == 0
