"""Non-INVITE client transaction: RFC 3261 §17.1.2, every state and edge."""

import pytest

from sip.effects import Deliver, Ended, Send
from sip.flow import Flow
from sip.message import Response
from sip.timers import SipTimers
from sip.transaction.client_non_invite import ClientNonInvite, State
from tests.support.ladder import Ladder
from tests.support.sip_text import TCP, UDP, answer, parsed_response, request

OPTIONS = request("OPTIONS")
DATA = OPTIONS.to_bytes()


class Unowned:
    def on_response(self, *_: object) -> list[object]:
        return []

    def on_failure(self, *_: object) -> list[object]:
        return []


def ladder(flow: Flow = UDP) -> Ladder:
    return Ladder(
        ClientNonInvite("key", OPTIONS, DATA, flow, SipTimers(), Unowned())  # type: ignore[arg-type]
    )


def response(status: int) -> Response:
    return parsed_response(answer(OPTIONS, status))


TRYING, OK = response(100), response(200)


def test_over_udp_the_request_is_repeated_up_to_every_t2() -> None:
    """§17.1.2.2 Timer E: 0.5, 1.5, 3.5, then every 4 s: eleven sendings in all."""
    rung = ladder()
    rung.do("start").expect(Send(DATA, UDP))
    rung.advance(3.6).expect(*[Send(DATA, UDP)] * 3)
    rung.advance(3.8).expect()
    rung.advance(0.2).expect(Send(DATA, UDP))
    rung.advance(24.2).expect(*[Send(DATA, UDP)] * 6)


def test_without_any_answer_it_times_out_after_64_t1() -> None:
    rung = ladder()
    rung.do("start")
    rung.advance(31.9)
    rung.advance(0.2).expect(Ended("timeout"))


def test_after_a_provisional_response_it_is_repeated_every_t2_and_still_times_out() -> None:
    rung = ladder()
    rung.do("start")
    rung.do("receive", TRYING).expect(Deliver(TRYING))
    rung.do("receive", TRYING).expect(Deliver(TRYING))
    rung.advance(0.6).expect(Send(DATA, UDP))
    rung.advance(3.8).expect()
    rung.advance(0.2).expect(Send(DATA, UDP))
    rung.advance(30)
    assert rung.effects[-1] == Ended("timeout")


def test_the_final_response_is_delivered_once_and_repetitions_absorbed_until_timer_k() -> None:
    rung = ladder()
    rung.do("start")
    rung.do("receive", OK).expect(Deliver(OK))
    rung.do("receive", OK).expect()
    rung.advance(4.9).expect()
    rung.advance(0.2).expect(Ended())


def test_on_a_stream_nothing_is_repeated_and_nothing_lingers() -> None:
    rung = ladder(TCP)
    rung.do("start").expect(Send(DATA, TCP))
    rung.advance(20).expect()
    rung.do("receive", TRYING).expect(Deliver(TRYING))
    rung.do("receive", OK).expect(Deliver(OK), Ended())


def test_a_transport_failure_counts_only_while_it_waits() -> None:
    rung = ladder()
    rung.do("start")
    rung.do("receive", OK)
    rung.call("fail").expect()
    waiting = ladder()
    waiting.do("start")
    waiting.call("fail").expect(Ended("transport"))


def test_a_move_that_the_rfc_does_not_know_is_an_assertion() -> None:
    machine = ladder().machine
    assert isinstance(machine, ClientNonInvite)
    machine._move(State.COMPLETED)
    with pytest.raises(AssertionError):
        machine._move(State.PROCEEDING)
