"""The end of calls through the shell: money that was talked away is never forgotten."""

from dataclasses import replace

from gateway.aio.admitter import Admitter
from gateway.aio.clock import SystemClock
from gateway.aio.settler import Settler
from gateway.b2bua import effects as do
from gateway.b2bua.events import Admitted, HoldDenied, HoldExtended
from gateway.model.call import Admission, EndCause
from gateway.model.record import CallBeats, CallSettled
from gateway.model.record import HoldExtended as HoldRecord
from tests.support import factories as make
from tests.support.shell import KeptJournal, KeptLog, fresh_metrics


class Bench:
    """One admitted call of profile 1 to the United States at 0.006 a minute."""

    def __init__(self, balance: int = 10_000_000) -> None:
        self.hot = make.hot_state(balances={"profile:1": balance})
        self.journal, self.log, self.clock = KeptJournal(), KeptLog(), SystemClock()
        metrics = fresh_metrics()
        self.admitter = Admitter(
            self.hot, make.env(), self.journal, self.clock, self.log, metrics, 10
        )
        self.settler = Settler(
            self.hot, self.journal, self.admitter, self.clock, self.log, metrics
        )  # fmt: skip
        granted: list[Admitted] = []
        self.attempt = make.attempt()
        self.admitter.admit(self.attempt, granted.append)  # type: ignore[arg-type]
        self.admission: Admission = granted[0].admission
        self.journal.batches.clear()

    def settle(self, talked_s: float) -> CallSettled:
        now = self.clock.now()
        self.settler.settle(
            do.Settle(
                self.admission, now - talked_s, now, EndCause.CALLER_HUNG_UP, 200, "", "carrier", ""
            ),
            self.attempt,
            "b@gateway",
        )
        record = self.journal.records[-1]
        assert isinstance(record, CallSettled)
        return record


async def test_a_settled_call_is_charged_and_gives_everything_back() -> None:
    """R68, R69: 20 s are billed as 30 s at 0.006 a minute."""
    bench = Bench()
    record = bench.settle(20.0)
    assert (record.cdr.billed_s, record.cdr.charge_micros) == (30, 3_000)
    assert record.cdr.answered_at is not None
    assert bench.hot.ledger.balance("profile:1") == 10_000_000 - 3_000
    assert bench.hot.ledger.held("profile:1") == 0
    assert not bench.hot.profile_by_id[1].leases
    assert bench.admitter.live == 0
    assert bench.log.events[-1] == "call ended"


async def test_an_increment_is_granted_when_it_is_durable() -> None:
    """R63: persisted before the second is granted."""
    bench = Bench()
    bench.journal.durable = None
    answers: list[HoldExtended | HoldDenied] = []
    bench.settler.extend(do.ExtendHold(bench.admission, 36), answers.append)
    assert bench.hot.ledger.held("profile:1") == 3_600
    assert answers == []
    bench.journal.waiting[0](True)
    assert answers == [HoldExtended(36)]
    assert bench.journal.records == [HoldRecord("c-1", 3_600)]


async def test_an_increment_nobody_can_pay_is_denied_at_once() -> None:
    bench = Bench(balance=3_500)
    answers: list[HoldExtended | HoldDenied] = []
    bench.settler.extend(do.ExtendHold(bench.admission, 36), answers.append)
    assert answers == [HoldDenied()]
    assert bench.journal.records == []


async def test_an_increment_that_is_not_durable_is_not_granted_and_may_be_asked_again() -> None:
    bench = Bench()
    bench.journal.durable = False
    answers: list[HoldExtended | HoldDenied] = []
    bench.settler.extend(do.ExtendHold(bench.admission, 36), answers.append)
    bench.journal.durable = True
    bench.settler.extend(do.ExtendHold(bench.admission, 36), answers.append)
    assert answers == [HoldDenied(unwritten=True), HoldExtended(36)]
    assert bench.hot.ledger.held("profile:1") == 3_600


async def test_heartbeats_are_one_record_for_all_calls() -> None:
    """R73"""
    bench = Bench()
    bench.settler.beat(["c-1", "c-2"])
    bench.settler.beat([])
    (record,) = bench.journal.records
    assert isinstance(record, CallBeats)
    assert record.call_ids == ("c-1", "c-2")


async def test_an_unanswered_call_costs_nothing() -> None:
    """R70"""
    bench = Bench()
    effect = do.Settle(bench.admission, None, 1.0, EndCause.CANCELLED, 487, "", "carrier", "")
    bench.settler.settle(replace(effect, ended_now=bench.clock.now()), bench.attempt, "")
    record = bench.journal.records[-1]
    assert isinstance(record, CallSettled)
    assert (record.cdr.charge_micros, record.entry, record.cdr.answered_at) == (0, None, None)
