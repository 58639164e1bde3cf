"""Non-INVITE server transaction: RFC 3261 §17.2.2, every state and edge."""

import pytest

from sip.effects import Ended, Send
from sip.flow import Flow
from sip.timers import SipTimers
from sip.transaction.server_non_invite import ServerNonInvite, State
from tests.support.ladder import Ladder
from tests.support.sip_text import TCP, UDP, request

BYE = request("BYE")


def ladder(flow: Flow = UDP) -> Ladder:
    return Ladder(ServerNonInvite("key", flow, SipTimers()))


def test_a_repetition_before_any_response_is_discarded() -> None:
    rung = ladder()
    rung.do("receive", BYE).expect()
    assert rung.machine.deadline is None


def test_a_repetition_gets_the_latest_response() -> None:
    rung = ladder()
    rung.do("respond", 100, b"100").expect(Send(b"100", UDP))
    rung.do("respond", 182, b"182").expect(Send(b"182", UDP))
    rung.do("receive", BYE).expect(Send(b"182", UDP))
    rung.do("respond", 200, b"200").expect(Send(b"200", UDP))
    rung.do("receive", BYE).expect(Send(b"200", UDP))


def test_the_final_response_lingers_until_timer_j() -> None:
    rung = ladder()
    rung.do("respond", 200, b"200")
    rung.do("respond", 500, b"500").expect()
    rung.advance(31.9).expect()
    rung.advance(0.2).expect(Ended())


def test_on_a_stream_nothing_lingers() -> None:
    ladder(TCP).do("respond", 200, b"200").expect(Send(b"200", TCP), Ended())


def test_a_tick_too_early_does_nothing() -> None:
    rung = ladder()
    rung.do("respond", 200, b"200")
    rung.do("tick").expect()


def test_a_move_that_the_rfc_does_not_know_is_an_assertion() -> None:
    machine = ladder().machine
    assert isinstance(machine, ServerNonInvite)
    machine._move(State.COMPLETED)
    with pytest.raises(AssertionError):
        machine._move(State.TRYING)
