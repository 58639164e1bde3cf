"""INVITE server transaction: RFC 3261 §17.2.1 and RFC 6026 §7.1, every state and edge."""

import pytest

from sip.effects import Deliver, Ended, Report, Send
from sip.flow import Flow
from sip.timers import SipTimers
from sip.transaction.server_invite import ServerInvite, State
from tests.support.ladder import Ladder
from tests.support.sip_text import TCP, UDP, parsed_response, request

INVITE = request(extra=("Timestamp: 54",))
ACK = request("ACK")


def ladder(flow: Flow = UDP) -> Ladder:
    rung = Ladder(ServerInvite("key", INVITE, flow, SipTimers()))
    rung.do("start").expect()
    return rung


def test_a_hundred_goes_out_after_200_ms_when_the_tu_is_silent() -> None:
    """§17.2.1; §8.2.6.1: the Timestamp is copied, no To tag."""
    rung = ladder()
    rung.advance(0.19).expect()
    rung.advance(0.02)
    (sent,) = rung.effects
    assert isinstance(sent, Send)
    trying = parsed_response(sent.data)
    assert (trying.status, trying.to.tag) == (100, "")
    assert trying.headers.get("Timestamp") == "54"
    rung.advance(60).expect()


def test_an_answer_within_200_ms_saves_the_hundred() -> None:
    rung = ladder()
    rung.do("respond", 180, b"180").expect(Send(b"180", UDP))
    rung.advance(60).expect()


def test_an_impatient_caller_gets_the_hundred_at_once() -> None:
    rung = ladder()
    assert rung.do("receive", INVITE).kinds() == ["Send"]
    assert rung.advance(1).effects == []


def test_a_repeated_invite_gets_the_latest_provisional_response() -> None:
    rung = ladder()
    rung.do("respond", 180, b"180")
    rung.do("respond", 183, b"183")
    rung.do("receive", INVITE).expect(Send(b"183", UDP))


def test_a_refusal_is_repeated_until_its_ack() -> None:
    """Timer G: 0.5, 1.5, 3.5, 7.5, then every T2."""
    rung = ladder()
    rung.do("respond", 486, b"486").expect(Send(b"486", UDP))
    rung.advance(3.6).expect(*[Send(b"486", UDP)] * 3)
    rung.advance(4).expect(Send(b"486", UDP))
    rung.advance(4).expect(Send(b"486", UDP))
    rung.do("receive", INVITE).expect(Send(b"486", UDP))
    rung.do("receive", ACK).expect()
    rung.do("receive", ACK).expect()
    rung.do("receive", INVITE).expect()
    rung.advance(4.9).expect()
    rung.advance(0.2).expect(Ended())


def test_a_refusal_never_acknowledged_is_given_up_and_reported() -> None:
    rung = ladder()
    rung.do("respond", 486, b"486")
    rung.advance(31.9)
    rung.advance(0.2).expect(Report("no-ack", "key", UDP), Ended("timeout"))


def test_on_a_stream_a_refusal_is_sent_once_and_its_ack_ends_it() -> None:
    rung = ladder(TCP)
    rung.do("respond", 486, b"486").expect(Send(b"486", TCP))
    rung.advance(30).expect()
    rung.do("receive", ACK).expect(Ended())


def test_after_a_2xx_repeated_invites_are_absorbed_and_acks_passed_up() -> None:
    """RFC 6026 §7.1: ACCEPTED until Timer L; the TU repeats the 2xx."""
    rung = ladder()
    rung.do("respond", 200, b"200").expect(Send(b"200", UDP))
    rung.do("receive", INVITE).expect()
    rung.do("receive", ACK).expect(Deliver(ACK))
    rung.do("respond", 486, b"486").expect()
    rung.advance(31.9).expect()
    rung.advance(0.2).expect(Ended())


def test_an_ack_before_any_final_response_is_ignored() -> None:
    ladder().do("receive", ACK).expect()


def test_after_the_final_response_request_and_owner_are_forgotten() -> None:
    machine = ladder().do("respond", 407, b"407").machine
    assert isinstance(machine, ServerInvite)
    assert machine.request is None
    assert machine.owner is None
    assert not machine.pending


def test_a_move_that_the_rfc_does_not_know_is_an_assertion() -> None:
    machine = ladder().do("respond", 200, b"200").machine
    assert isinstance(machine, ServerInvite)
    with pytest.raises(AssertionError):
        machine._move(State.COMPLETED)
