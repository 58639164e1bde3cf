"""INVITE client transaction: RFC 3261 §17.1.1 and RFC 6026 §7.2, every state and edge."""

import pytest

from sip.effects import Deliver, Ended, Send
from sip.flow import Flow
from sip.message import Response
from sip.timers import SipTimers
from sip.transaction.client_invite import MOVES, ClientInvite, State, ack_for
from tests.support.ladder import Ladder
from tests.support.sip_text import TCP, UDP, answer, parsed_request, parsed_response, request

INVITE = request(extra=("Route: <sip:edge.example;lr>",))
DATA = INVITE.to_bytes()


class Unowned:
    def on_response(self, *_: object) -> list[object]:
        return []

    def on_failure(self, *_: object) -> list[object]:
        return []


def ladder(flow: Flow = UDP) -> Ladder:
    return Ladder(
        ClientInvite("key", INVITE, DATA, flow, SipTimers(), Unowned())  # type: ignore[arg-type]
    )


def response(status: int) -> Response:
    return parsed_response(answer(INVITE, status))


TRYING, RINGING, OK, BUSY = (response(status) for status in (100, 180, 200, 486))
ACK = Send(ack_for(INVITE, BUSY).to_bytes(), UDP)


def state(rung: Ladder) -> State:
    assert isinstance(rung.machine, ClientInvite)
    return rung.machine.state


def test_over_udp_the_invite_is_repeated_at_doubling_intervals() -> None:
    """§17.1.1.2 Timer A: sent at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s."""
    rung = ladder()
    rung.do("start").expect(Send(DATA, UDP))
    rung.advance(0.49).expect()
    rung.advance(0.02).expect(Send(DATA, UDP))
    rung.advance(31.4).expect(*[Send(DATA, UDP)] * 5)


def test_without_any_answer_it_times_out_after_64_t1() -> None:
    rung = ladder()
    rung.do("start")
    rung.advance(31.9)
    rung.advance(0.2).expect(Ended("timeout"))
    assert state(rung) is State.TERMINATED
    assert rung.machine.deadline is None


def test_on_a_stream_the_invite_is_sent_once_and_still_times_out() -> None:
    rung = ladder(TCP)
    rung.do("start").expect(Send(DATA, TCP))
    rung.advance(31.9).expect()
    rung.advance(0.2).expect(Ended("timeout"))


def test_a_provisional_response_stops_every_timer() -> None:
    rung = ladder()
    rung.do("start")
    rung.do("receive", TRYING).expect(Deliver(TRYING))
    rung.advance(3600).expect()
    rung.do("receive", RINGING).expect(Deliver(RINGING))
    assert state(rung) is State.PROCEEDING


def test_busy_is_delivered_once_and_acknowledged_every_time() -> None:
    rung = ladder()
    rung.do("start")
    rung.do("receive", RINGING)
    rung.do("receive", BUSY).expect(ACK, Deliver(BUSY))
    rung.do("receive", BUSY).expect(ACK)
    rung.do("receive", RINGING).expect()
    rung.do("receive", OK).expect()
    rung.advance(31.9).expect()
    rung.advance(0.2).expect(Ended())


def test_on_a_stream_a_refusal_ends_it_at_once() -> None:
    """Timer D is zero on reliable transports."""
    rung = ladder(TCP)
    rung.do("start")
    ack = Send(ACK.data, TCP)
    rung.do("receive", BUSY).expect(ack, Deliver(BUSY), Ended())
    rung.do("receive", BUSY).expect()


def test_every_2xx_is_delivered_for_64_t1() -> None:
    """RFC 6026 §7.2: ACCEPTED passes repeated and forked 2xx up, until Timer M."""
    rung = ladder()
    rung.do("start")
    rung.do("receive", OK).expect(Deliver(OK))
    rung.do("receive", OK).expect(Deliver(OK))
    rung.do("receive", BUSY).expect()
    rung.do("receive", RINGING).expect()
    rung.advance(31.9).expect()
    rung.advance(0.2).expect(Ended())
    rung.do("receive", OK).expect()


@pytest.mark.parametrize("heard", [(), (TRYING,)])
def test_a_transport_failure_ends_it_while_it_waits(heard: tuple[Response, ...]) -> None:
    rung = ladder()
    rung.do("start")
    for one in heard:
        rung.do("receive", one)
    rung.call("fail").expect(Ended("transport"))
    rung.call("fail").expect()


def test_a_transport_failure_after_the_answer_changes_nothing() -> None:
    rung = ladder()
    rung.do("start")
    rung.do("receive", OK)
    rung.call("fail").expect()
    rung.call("abandon").expect()
    assert state(rung) is State.ACCEPTED


def test_abandoning_ends_it_without_a_cause() -> None:
    rung = ladder()
    rung.do("start")
    rung.do("receive", TRYING)
    rung.call("abandon").expect(Ended())


def test_the_ack_of_a_refusal_is_built_from_the_invite() -> None:
    """§17.1.1.3: one Via, Request-URI, From, Call-ID, Route of the INVITE; To of the response."""
    ack = parsed_request(ACK.data)
    assert ack.method == "ACK"
    assert ack.uri == INVITE.uri
    assert ack.headers.all("Via") == INVITE.headers.all("Via")
    assert ack.headers.all("Route") == ["<sip:edge.example;lr>"]
    assert ack.to.tag == "peer"
    assert (ack.cseq.number, ack.cseq.method) == (1, "ACK")
    assert "Contact" not in ack.headers


def test_a_move_that_the_rfc_does_not_know_is_an_assertion() -> None:
    rung = ladder(TCP)
    rung.do("start")
    rung.do("receive", BUSY)
    assert isinstance(rung.machine, ClientInvite)
    with pytest.raises(AssertionError):
        rung.machine._move(State.CALLING)
    assert MOVES[State.TERMINATED] == frozenset()
