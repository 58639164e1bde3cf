"""What must reach the store waits for it, however long (pain 5)."""

import asyncio
from dataclasses import replace

from gateway.aio import outbox
from gateway.aio.outbox import Outbox
from gateway.model.record import CallBeats, CallRefused, CallSettled
from tests.store.samples import AT, CDR
from tests.support.shell import KeptJournal, KeptLog, fresh_metrics

SETTLED = CallSettled(CDR, None)


def refused(number: int) -> CallRefused:
    return CallRefused(replace(CDR, call_id=f"c-{number}"))


class Bench:
    def __init__(self, durable: bool | None = True) -> None:
        self.journal, self.log, self.metrics = KeptJournal(durable), KeptLog(), fresh_metrics()
        loop = asyncio.get_running_loop()
        self.outbox = Outbox(self.journal, self.log, self.metrics, loop, most_refusals=3)

    async def until_written(self) -> None:
        async with asyncio.timeout(5 * outbox.RETRY_S):
            while self.outbox.unwritten:
                await asyncio.sleep(0.01)


async def test_a_settlement_the_store_cannot_take_is_offered_again_until_it_can() -> None:
    """R73"""
    bench = Bench(durable=False)
    bench.outbox.write([SETTLED])
    assert bench.outbox.unwritten == 1
    bench.journal.durable = True
    await bench.until_written()
    assert bench.journal.records == [SETTLED, SETTLED]


async def test_while_the_store_fails_one_is_offered_at_a_time_and_then_all() -> None:
    bench = Bench(durable=False)
    bench.outbox.write([refused(0)])
    bench.outbox.store_down = True
    for number in range(1, 3):
        bench.outbox.write([refused(number)])
    assert len(bench.journal.batches) == 1
    assert bench.outbox.unwritten == 3
    bench.journal.durable = True
    await bench.until_written()
    assert len(bench.journal.batches) == 4
    assert set(bench.journal.records[1:]) == {refused(0), refused(1), refused(2)}


async def test_a_record_that_can_never_be_written_holds_up_nobody() -> None:
    bench = Bench()
    bad = [refused(0)]
    write = bench.journal.write

    def writing(records, done=None):  # type: ignore[no-untyped-def]
        bench.journal.durable = list(records) != bad and bench.outbox.unwritten > 1
        write(records, done)

    bench.journal.write = writing  # type: ignore[method-assign]
    bench.outbox.write(bad)
    bench.outbox.store_down = True
    bench.outbox.write([SETTLED])
    async with asyncio.timeout(5 * outbox.RETRY_S):
        while bench.outbox.unwritten > 1:
            await asyncio.sleep(0.01)
    assert SETTLED in bench.journal.records


async def test_refusals_are_kept_up_to_a_limit_and_settlements_without_one() -> None:
    bench = Bench()
    bench.outbox.store_down = True
    for number in range(5):
        bench.outbox.write([refused(number)])
    assert bench.outbox.unwritten == 3
    assert bench.log.events.count("refused attempt not recorded: too many wait for the store") == 2
    bench.outbox.write([SETTLED])
    assert bench.outbox.unwritten == 4


async def test_what_somebody_waits_for_passes_through() -> None:
    bench = Bench(durable=False)
    bench.outbox.store_down = True
    answers: list[bool] = []
    bench.outbox.write([SETTLED], answers.append)
    bench.outbox.write([CallBeats(("c-1",), AT)])
    assert answers == [False]
    assert len(bench.journal.batches) == 2
    assert bench.outbox.unwritten == 0


async def test_closing_offers_what_is_left_a_last_time() -> None:
    bench = Bench(durable=False)
    bench.outbox.write([SETTLED])
    assert bench.outbox.close() == 1
    assert bench.journal.records == [SETTLED, SETTLED]
    assert Bench().outbox.close() == 0
