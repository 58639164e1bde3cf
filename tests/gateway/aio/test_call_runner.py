"""The supervision of calls: one that breaks is ended with its money right, the others go on."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from gateway.aio.admitter import Admitter
from gateway.aio.call_runner import CallRunner
from gateway.aio.clock import SystemClock
from gateway.aio.media_control import MediaControl
from gateway.aio.settler import Settler
from gateway.b2bua.call import CallLimits
from gateway.b2bua.crossing import InvitePlan
from gateway.model.call import Source
from gateway.model.record import CallAnswered, CallSettled
from media.plane import MediaOpened, MediaReport, Side
from sip.effects import Deliver, Send
from sip.endpoint import Endpoint
from sip.flow import Flow
from sip.invite.events import Answered, Offered
from sip.message import Request, response_to
from sip.parser import parse_message
from sip.target import LocalNames
from tests.support import factories as make
from tests.support.load_peer import sdp
from tests.support.shell import KeptJournal, KeptLog, KeptSip, fresh_metrics
from tests.support.sip_text import request_bytes

ADDRESSES = (("127.0.0.1", 20000),)


class Plane:
    """Opens when told to, and remembers what is open."""

    def __init__(self) -> None:
        self.open_now: set[str] = set()
        self.waiting: list[Callable[[], None]] = []
        self.at_once = True

    def open(self, session_id: str, streams: int, done: Any, **_: object) -> None:
        def opened() -> None:
            self.open_now.add(session_id)
            done(MediaOpened(ADDRESSES, ADDRESSES))

        if self.at_once:
            opened()
        else:
            self.waiting.append(opened)

    def update(self, session_id: str, side: Side, ends: object) -> None: ...

    def close(self, session_id: str, done: Callable[[MediaReport], None]) -> None:
        self.open_now.discard(session_id)
        done(MediaReport((), ()))


class Carriers:
    def take(self, *_: object) -> bool:
        return True

    def judge(self, *_: object) -> None: ...

    def give_back(self, *_: object) -> None: ...


class Ids(make.CountingIds):
    """Entropy that can fail: the machine breaks where it asks for some."""

    broken = False

    def octets(self, count: int) -> bytes:
        if self.broken:
            raise RuntimeError("no entropy")
        return super().octets(count)


class Bench:
    def __init__(self, durable: bool | None = True) -> None:
        self.hot, self.journal, self.log = make.hot_state(), KeptJournal(durable), KeptLog()
        self.sip, self.plane, self.ids = KeptSip(), Plane(), Ids()
        clock, metrics = SystemClock(), fresh_metrics()
        names = cast(Any, LocalNames())
        admitter = Admitter(self.hot, make.env(), self.journal, clock, self.log, metrics, 10)
        settler = Settler(self.hot, self.journal, admitter, clock, self.log, metrics)
        self.runner = CallRunner(
            self.sip, admitter, settler, MediaControl(cast(Any, self.plane), names), names,
            cast(Any, Carriers()), clock, self.ids, self.log, metrics, CallLimits(),
            InvitePlan("test", ("INVITE",)), asyncio.get_running_loop(),
        )  # fmt: skip

    @property
    def endpoint(self) -> Endpoint:
        return self.sip.endpoint

    def call(self, call_id: str = "c-1") -> None:
        flow = Flow("udp", make.GATEWAY, make.PBX)
        invite = request_bytes("INVITE", body=sdp(), call_id=call_id, branch=f"z9hG4bK{call_id}")
        effects = self.endpoint.receive(invite, flow, 0.0)
        (offered,) = (each.event for each in effects if isinstance(each, Deliver))
        assert isinstance(offered, Offered)
        attempt = make.attempt("12025550123", call_id=call_id, source=Source.PROFILE)
        self.runner.open(attempt, offered.session, offered.request)

    def sent(self) -> list[str]:
        """What went out since the last look: methods and statuses."""
        sends = [each for each in self.sip.effects if isinstance(each, Send)]
        self.sip.effects.clear()
        messages = [parse_message(each.data) for each in sends]
        self.last = messages[-1] if messages else None
        return [m.method if isinstance(m, Request) else str(m.status) for m in messages]

    def carrier_answers(self) -> None:
        assert isinstance(self.last, Request)
        contact = ("Contact", "<sip:carrier@192.0.2.50:5060>")
        fields = (contact, ("Content-Type", "application/sdp"))
        answer = response_to(self.last, 200, None, fields, sdp(), "carrier")
        flow = Flow("udp", make.GATEWAY, make.CARRIER)
        effects = self.endpoint.receive(answer.to_bytes(), flow, 0.1)
        self.sip.effects += [each for each in effects if isinstance(each, Send)]
        for each in effects:
            if isinstance(each, Deliver) and isinstance(each.event, Answered):
                self.runner.handlers[Answered](each.event)

    def assert_nothing_held(self) -> None:
        assert len(self.runner) == 0
        assert not self.hot.profile_by_id[1].leases
        assert self.hot.ledger.held("profile:1") == 0
        assert self.plane.open_now == set()
        (settled,) = (each for each in self.journal.records if isinstance(each, CallSettled))
        assert (settled.cdr.cause, settled.cdr.charge_micros) == ("internal-error", 0)


async def test_a_machine_that_breaks_at_an_event_gives_everything_back() -> None:
    """R35, R63: no channel, credit or port stays behind, and the caller has an answer."""
    bench = Bench()
    bench.plane.at_once = False
    bench.call()
    bench.ids.broken = True
    bench.plane.waiting[0]()
    assert "call broke" in bench.log.events
    bench.ids.broken = False
    bench.assert_nothing_held()
    assert "500" in bench.sent()
    bench.plane.at_once = True
    bench.call("c-2")
    assert "INVITE" in bench.sent()


@pytest.mark.parametrize("late", ["admission", "media"])
async def test_what_comes_after_the_machine_broke_goes_back_too(late: str) -> None:
    """R35"""
    bench = Bench(durable=None if late == "admission" else True)
    bench.plane.at_once = late == "admission"
    bench.call()
    (live,) = bench.runner
    bench.runner._broken(live, RuntimeError("broken"))
    bench.runner._forget(live)
    for waiting in (*bench.journal.waiting, *bench.plane.waiting):
        cast(Any, waiting)(*([True] if late == "admission" else []))
    bench.assert_nothing_held()


async def test_neither_side_is_told_of_the_answer_before_it_is_written_down() -> None:
    """R73: a crash finds every dialog that anybody believes in."""
    bench = Bench()
    bench.call()
    assert bench.sent() == ["INVITE"]
    bench.journal.durable = None
    bench.carrier_answers()
    assert bench.sent() == []
    record = bench.journal.records[-1]
    assert isinstance(record, CallAnswered)
    assert record.a_dialog and record.b_dialog
    bench.journal.waiting[-1](True)
    assert bench.sent() == ["ACK", "200"]


async def test_an_answer_that_cannot_be_written_down_is_taken_back_on_both_sides() -> None:
    bench = Bench()
    bench.call()
    bench.sent()
    bench.journal.durable = None
    bench.carrier_answers()
    bench.journal.waiting[-1](False)
    assert bench.sent() == ["ACK", "BYE", "503"]
