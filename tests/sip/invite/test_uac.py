"""The caller's half of an INVITE session: RFC 3261 §13.2, §9.1, §22."""

import pytest

from sip.digest import verify_credentials
from sip.fields.auth import Credentials
from sip.flow import Flow
from sip.invite.events import Answered, Progressed, Refused
from sip.invite.state import State
from tests.support.sip_stage import Stage
from tests.support.sip_text import SDP

CHALLENGE = (
    'Proxy-Authenticate: Digest realm="carrier", nonce="n1", algorithm=SHA-256, qop="auth"',
)


def refused(stage: Stage) -> Refused:
    (event,) = stage.events
    assert isinstance(event, Refused)
    return event


def test_ringing_and_answer_are_told_and_the_answer_acknowledged() -> None:
    stage = Stage()
    session = stage.call()
    invite = stage.request()
    assert stage.respond(invite, 180).names == ["Progressed"]
    assert stage.respond(invite, 200, body=SDP).names == ["ACK", "Answered"]
    ack = stage.request()
    assert (ack.cseq.number, ack.cseq.method) == (1, "ACK")
    assert ack.uri == "sip:peer@192.0.2.10:5060"
    assert ack.to.tag == "peer"
    assert ack.via.branch != invite.via.branch
    assert session.state is State.CONFIRMED


def test_the_first_100_is_told_once_as_a_sign_of_life() -> None:
    stage = Stage()
    stage.call()
    invite = stage.request()
    (event,) = stage.respond(invite, 100, tag="").events
    assert isinstance(event, Progressed)
    assert event.response.status == 100
    assert stage.respond(invite, 100, tag="").names == []
    assert stage.respond(invite, 180).names == ["Progressed"]


def test_a_100_that_comes_after_ringing_says_nothing_new() -> None:
    stage = Stage()
    stage.call()
    invite = stage.request()
    assert stage.respond(invite, 180).names == ["Progressed"]
    assert stage.respond(invite, 100, tag="").names == []


def test_early_dialogs_of_a_fork_are_all_told() -> None:
    stage = Stage()
    stage.call()
    invite = stage.request()
    tags = []
    for tag in ("one", "two"):
        (event,) = stage.respond(invite, 183, tag=tag, body=SDP).events
        assert isinstance(event, Progressed)
        tags.append(event.response.to.tag)
    assert tags == ["one", "two"]


def test_an_ack_that_is_held_back_goes_out_when_the_tu_says_so() -> None:
    """R73: no dialog is confirmed before it is written down."""
    stage = Stage()
    session = stage.call()
    session.holds_ack = True
    invite = stage.request()
    assert stage.respond(invite, 200, body=SDP).names == ["Answered"]
    assert stage.respond(invite, 200, body=SDP).names == []
    assert session.dialog_state() != ""
    assert stage.run(session.acknowledge()).names == ["ACK"]
    assert stage.run(session.acknowledge()).names == []
    assert stage.respond(invite, 200, body=SDP).names == ["ACK"]


def test_a_call_given_up_before_its_ack_is_acknowledged_and_hung_up_on() -> None:
    """§15: BYE only in a dialog whose 2xx has its ACK."""
    stage = Stage()
    session = stage.call()
    session.holds_ack = True
    invite = stage.request()
    stage.respond(invite, 200, body=SDP)
    assert stage.run(session.bye(stage.now)).names == ["ACK", "BYE"]
    assert stage.respond(invite, 200, body=SDP).names == ["ACK"]


def test_a_200_that_crosses_a_cancel_is_acknowledged_at_once() -> None:
    stage = Stage()
    session = stage.call()
    session.holds_ack = True
    invite = stage.request()
    stage.respond(invite, 180)
    stage.run(session.cancel(stage.now))
    assert stage.respond(invite, 200, body=SDP).names == ["ACK", "BYE", "Refused"]


def test_a_repeated_200_gets_the_same_ack_and_no_second_event() -> None:
    """§13.2.2.4."""
    stage = Stage()
    session, invite = stage.answered()
    first = stage.request().to_bytes()
    assert stage.respond(invite, 200, body=SDP).names == ["ACK"]
    assert stage.request().to_bytes() == first
    stage.run(session.bye(stage.now))
    assert stage.respond(invite, 200, body=SDP).names == ["ACK"]


def test_the_first_200_of_a_fork_wins_and_the_others_get_ack_and_bye() -> None:
    """§13.2.2.4."""
    stage = Stage()
    session, invite = stage.answered()
    assert stage.respond(invite, 200, tag="late", body=SDP).names == ["ACK", "BYE"]
    ack, bye = stage.request(0), stage.request(1)
    assert ack.to.tag == bye.to.tag == "late"
    assert bye.cseq.number == 2
    assert stage.respond(invite, 200, tag="late", body=SDP).names == ["ACK"]
    assert stage.respond(bye, 200, tag="late").names == []
    assert session.state is State.CONFIRMED


def test_a_refusal_ends_the_session() -> None:
    stage = Stage()
    session = stage.call()
    assert stage.respond(stage.request(), 486).names == ["ACK", "Refused"]
    event = stage.events[0]
    assert isinstance(event, Refused)
    assert (event.status, event.session) == (486, session)
    assert event.response is not None
    assert stage.endpoint.counts["invite_sessions"] == 0


def test_silence_is_408() -> None:
    stage = Stage()
    stage.call()
    stage.advance(33)
    assert (refused(stage).status, refused(stage).response) == (408, None)
    assert stage.endpoint.counts["client_transactions"] == 0


def test_a_failed_flow_is_503() -> None:
    stage = Stage()
    stage.call()
    stage.run(stage.endpoint.flow_failed(stage.flow, 0.0))
    assert refused(stage).status == 503


def test_cancel_waits_for_a_provisional_response() -> None:
    """§9.1."""
    stage = Stage()
    session = stage.call()
    invite = stage.request()
    assert stage.run(session.cancel(0.1, (("Reason", "SIP;cause=487"),))).names == []
    assert stage.respond(invite, 100, tag="").names == ["CANCEL"]
    cancel = stage.request()
    assert cancel.via == invite.via
    assert cancel.uri == invite.uri
    assert (cancel.cseq.number, cancel.to.tag) == (1, "")
    assert cancel.headers.get("Reason") == "SIP;cause=487"
    assert stage.respond(invite, 180).names == []
    assert stage.respond(cancel, 200).names == []
    assert stage.respond(invite, 487).names == ["ACK", "Refused"]
    assert session.state is State.ENDED


def test_cancel_while_it_rings_goes_out_at_once_with_the_route_of_the_invite() -> None:
    stage = Stage()
    session = stage.call(extra=(("Route", "<sip:edge.example;lr>"),))
    stage.respond(stage.request(), 180)
    assert stage.run(session.cancel(1.0)).names == ["CANCEL"]
    assert stage.request().headers.all("Route") == ["<sip:edge.example;lr>"]
    assert stage.run(session.cancel(1.1)).names == []


def test_a_200_that_crosses_the_cancel_is_acknowledged_and_ended() -> None:
    stage = Stage()
    session = stage.call()
    invite = stage.request()
    stage.respond(invite, 180)
    stage.run(session.cancel(1.0, (("Reason", "SIP;cause=487"),)))
    assert stage.respond(invite, 200, body=SDP).names == ["ACK", "BYE", "Refused"]
    assert stage.request(1).headers.get("Reason") == "SIP;cause=487"
    bye = stage.request(1)
    event = stage.events[0]
    assert isinstance(event, Refused)
    assert event.status == 487
    assert stage.respond(invite, 200, body=SDP).names == ["ACK"]
    assert stage.respond(bye, 200).names == []
    assert stage.endpoint.counts["invite_sessions"] == 0


def test_a_200_instead_of_any_provisional_after_cancel_is_ended_too() -> None:
    stage = Stage()
    session = stage.call()
    invite = stage.request()
    stage.run(session.cancel(0.1))
    assert stage.respond(invite, 200, body=SDP).names == ["ACK", "BYE", "Refused"]
    assert session.state is State.ENDING


def test_a_cancelled_call_that_is_refused_otherwise_is_still_487() -> None:
    stage = Stage()
    session = stage.call(credentials=("us", "secret"))
    invite = stage.request()
    stage.run(session.cancel(0.1))
    stage.respond(invite, 407, extra=CHALLENGE)
    assert stage.names == ["ACK", "Refused"]
    event = stage.events[0]
    assert isinstance(event, Refused)
    assert event.status == 487


def test_after_a_cancel_nobody_answers_the_invite_is_given_up() -> None:
    """§9.1: 64*T1."""
    stage = Stage()
    session = stage.call()
    stage.respond(stage.request(), 180)
    stage.run(session.cancel(0.0))
    stage.advance(33)
    assert refused(stage).status == 487
    stage.advance(64)
    assert stage.endpoint.counts == {
        "client_transactions": 0,
        "server_transactions": 0,
        "invite_sessions": 0,
        "timers": 0,
    }


def test_a_call_that_cannot_even_be_cancelled_times_out_as_487() -> None:
    stage = Stage()
    session = stage.call()
    stage.run(session.cancel(0.1))
    stage.advance(33)
    assert refused(stage).status == 487


def test_cancel_after_the_answer_is_a_bye() -> None:
    stage = Stage()
    session, _ = stage.answered()
    assert stage.run(session.cancel(1.0)).names == ["BYE"]


def test_bye_before_the_answer_is_a_cancel() -> None:
    stage = Stage()
    session = stage.call()
    stage.respond(stage.request(), 180)
    assert stage.run(session.bye(1.0)).names == ["CANCEL"]


def test_a_challenge_is_answered_once_with_a_new_cseq_and_branch() -> None:
    """§22.2, §8.1.3.5."""
    stage = Stage()
    session = stage.call(credentials=("us", "secret"))
    first = stage.request()
    assert stage.respond(first, 407, extra=CHALLENGE).names == ["ACK", "INVITE"]
    again = stage.request(1)
    assert again.cseq.number == 2
    assert again.call_id == first.call_id
    assert again.from_.tag == first.from_.tag
    assert again.via.branch != first.via.branch
    assert again.body == first.body
    credentials = Credentials.parse(again.headers.get("Proxy-Authorization") or "")
    assert verify_credentials(credentials, "INVITE", "secret")
    stage.respond(again, 180)
    assert stage.respond(again, 200, body=SDP).names == ["ACK", "Answered"]
    ack = stage.request()
    assert ack.cseq.number == 2
    assert ack.headers.get("Proxy-Authorization") == again.headers.get("Proxy-Authorization")
    stage.run(session.bye(1.0))
    assert stage.request().cseq.number == 3


def test_wrong_credentials_are_not_tried_twice() -> None:
    stage = Stage()
    stage.call(credentials=("us", "wrong"))
    stage.respond(stage.request(), 407, extra=CHALLENGE)
    assert stage.respond(stage.request(1), 407, extra=CHALLENGE).names == ["ACK", "Refused"]


def test_a_challenge_without_credentials_is_a_refusal() -> None:
    stage = Stage()
    stage.call()
    assert stage.respond(stage.request(), 401, extra=CHALLENGE).names == ["ACK", "Refused"]


def test_a_challenge_we_cannot_answer_is_a_refusal() -> None:
    stage = Stage()
    stage.call(credentials=("us", "secret"))
    odd = ('Proxy-Authenticate: Digest realm="r", nonce="n", algorithm=SHA-512-256',)
    assert stage.respond(stage.request(), 407, extra=odd).names == ["ACK", "Refused"]


def test_by_flow_the_ack_goes_where_the_invite_went() -> None:
    stage = Stage()
    stage.call(via_flow=True)
    stage.respond(stage.request(), 200, contact="<sip:peer@10.0.0.7:5099>")
    assert stage.flows == [stage.flow]


def test_to_a_carrier_the_ack_goes_to_the_literal_next_hop() -> None:
    stage = Stage()
    stage.call(via_flow=False)
    stage.respond(stage.request(), 200, contact="<sip:peer@203.0.113.7:5099>")
    assert stage.flows == [Flow("udp", stage.flow.local, ("203.0.113.7", 5099))]


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        ("UPDATE", SDP, "491"),
        ("UPDATE", b"", "200"),
        ("INVITE", SDP, "491"),
        ("BYE", b"", "481"),
        ("PRACK", b"", "481"),
    ],
)
def test_requests_of_the_callee_before_its_answer(method: str, body: bytes, status: str) -> None:
    """RFC 3261 §15, RFC 3311 §5.2."""
    stage = Stage()
    session = stage.call()
    stage.respond(stage.request(), 180)
    assert stage.towards(session, method, body=body).names == [status]


def test_info_in_an_early_dialog_is_the_tus() -> None:
    stage = Stage()
    session = stage.call()
    stage.respond(stage.request(), 180)
    assert stage.towards(session, "INFO").names == ["RequestReceived"]


def test_an_answer_without_tag_or_contact_is_tolerated() -> None:
    stage = Stage()
    stage.call()
    stage.respond(stage.request(), 200, tag="", contact="")
    assert isinstance(stage.events[0], Answered)
    assert stage.request().uri == "sip:100@192.0.2.10"
