"""Admission through the shell: taken at once, granted when durable, given back when not."""

from gateway.aio.admitter import Admitter
from gateway.aio.clock import SystemClock
from gateway.b2bua.events import Admitted, Denied
from gateway.hot_state import HotState
from gateway.model.record import CallAdmitted, CallRefused
from gateway.refusal import refuse
from tests.support import factories as make
from tests.support.shell import KeptJournal, KeptLog, fresh_metrics


class Bench:
    def __init__(self, durable: bool | None = True, max_calls: int = 10) -> None:
        self.hot: HotState = make.hot_state()
        self.journal, self.log = KeptJournal(durable), KeptLog()
        self.admitter = Admitter(
            self.hot, make.env(), self.journal, SystemClock(), self.log, fresh_metrics(), max_calls
        )
        self.answers: list[Admitted | Denied] = []

    def ask(self, call_id: str = "c-1", called: str = "12025550123") -> Admitted | Denied | None:
        self.admitter.admit(make.attempt(called, call_id=call_id), self.answers.append)
        return self.answers[-1] if self.answers else None

    def code(self) -> str:
        answer = self.answers[-1]
        assert isinstance(answer, Denied)
        return answer.refusal.code


def test_a_call_is_granted_only_when_its_journal_row_is_durable() -> None:
    """R63: decided and taken at once, dialled later."""
    bench = Bench(durable=None)
    assert bench.ask() is None
    assert list(bench.hot.profile_by_id[1].leases) == ["c-1"]
    assert bench.hot.ledger.held("profile:1") == 3_000
    bench.journal.waiting[0](True)
    assert isinstance(bench.answers[-1], Admitted)
    (record,) = bench.journal.records
    assert isinstance(record, CallAdmitted)
    assert (record.held_micros, record.called) == (3_000, "+12025550123")


def test_a_call_that_cannot_be_recorded_holds_nothing() -> None:
    bench = Bench(durable=False)
    bench.ask()
    assert bench.code() == "STORE_UNAVAILABLE"
    assert not bench.hot.profile_by_id[1].leases
    assert bench.hot.ledger.held("profile:1") == 0
    assert bench.admitter.live == 0


def test_a_gateway_that_stops_takes_no_new_calls() -> None:
    bench = Bench()
    bench.admitter.closing = True
    bench.ask()
    assert bench.code() == "SHUTTING_DOWN"


def test_the_whole_gateway_has_a_limit_too() -> None:
    bench = Bench(max_calls=1)
    bench.ask("c-1")
    bench.ask("c-2")
    assert bench.code() == "CALLS_FULL"


def test_every_refused_attempt_leaves_a_line_and_a_cdr() -> None:
    """R133, pain 5: all attempts are recorded."""
    bench = Bench()
    bench.admitter.record_refusal(make.attempt(), refuse("CREDIT"))
    (record,) = bench.journal.records
    assert isinstance(record, CallRefused)
    assert record.cdr.refusal == "CREDIT"
    ((event, facts),) = bench.log.lines
    assert (event, facts["code"], facts["call"]) == ("call refused", "CREDIT", "c-1")
