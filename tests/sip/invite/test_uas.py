"""The callee's half of an INVITE session: RFC 3261 §13.3, §9.2, §15."""

import pytest

from sip.invite.events import Acknowledged, Cancelled, Offered, Released
from sip.invite.state import State
from tests.support.sip_stage import Stage
from tests.support.sip_text import SDP, TCP, request_bytes

OFFER = request_bytes(body=SDP)


def test_an_invite_is_offered_and_a_hundred_follows_after_200_ms() -> None:
    stage = Stage()
    session = stage.offered()
    assert stage.names == ["Offered"]
    event = stage.events[0]
    assert isinstance(event, Offered)
    assert event.request is session.request
    assert stage.advance(0.3).names == ["100"]


def test_ringing_shows_our_tag_contact_and_the_record_route() -> None:
    """§12.1.1."""
    stage = Stage()
    session = stage.offered(extra=("Record-Route: <sip:edge.example;lr>",))
    stage.run(session.progress(180, 0.1))
    ringing = stage.response()
    assert ringing.status == 180
    assert ringing.to.tag == session.local_tag != ""
    assert ringing.headers.all("Record-Route") == ["<sip:edge.example;lr>"]
    assert ringing.headers.get("Contact") == "<sip:100@192.0.2.1:5060>"
    assert ringing.headers.get("Server") == "test"
    assert "Content-Type" not in ringing.headers


def test_early_media_carries_its_body_and_later_responses_the_same_tag() -> None:
    stage = Stage()
    session = stage.offered()
    stage.run(session.progress(183, 0.1, reason="Early", body=SDP))
    early = stage.response()
    assert (early.reason, early.body) == ("Early", SDP)
    assert early.content_type == "application/sdp"
    stage.run(session.answer(SDP, 0.2))
    assert stage.response().to.tag == early.to.tag


def test_an_explicit_hundred_makes_no_dialog() -> None:
    stage = Stage()
    session = stage.offered()
    assert stage.run(session.progress(100, 0.0)).response().to.tag == ""
    assert session.dialog is None
    assert stage.endpoint.counts["invite_sessions"] == 0


def test_before_any_response_the_dialog_that_the_200_will_make_can_be_written_down() -> None:
    """R73: a call answered without ringing is hung up on after a crash too."""
    stage = Stage()
    session = stage.offered()
    before = session.dialog_state()
    stage.run(session.answer(SDP, 0.1))
    assert before == session.dialog_state()
    assert stage.response().to.tag in before


def test_a_repeated_invite_meets_the_last_response() -> None:
    stage = Stage()
    session = stage.offered()
    stage.run(session.progress(180, 0.1))
    assert stage.hear(OFFER).names == ["180"]
    stage.run(session.answer(SDP, 0.2))
    assert stage.hear(OFFER).names == []


def test_the_200_is_repeated_until_its_ack() -> None:
    """§13.3.1.4: T1, doubling up to T2."""
    stage = Stage()
    session = stage.offered()
    assert stage.run(session.answer(SDP, 0.0)).names == ["200"]
    assert stage.advance(3.6).names == ["200"] * 3
    stage.in_dialog("ACK", session, cseq=1)
    (event,) = stage.events
    assert isinstance(event, Acknowledged)
    assert session.state is State.CONFIRMED
    assert stage.advance(100).names == []
    assert stage.in_dialog("ACK", session, cseq=1).names == []


def test_the_200_is_repeated_on_a_stream_too() -> None:
    stage = Stage(TCP)
    session = stage.offered()
    stage.run(session.answer(SDP, 0.0))
    assert stage.advance(1.6).names == ["200"] * 2


def test_a_200_never_acknowledged_ends_in_bye_and_release() -> None:
    """§13.3.1.4: 64*T1."""
    stage = Stage()
    session = stage.offered()
    stage.run(session.answer(SDP, 0.0))
    stage.advance(31.9)
    assert stage.names == ["200"] * 10  # 0.5, 1.5, 3.5, 7.5 s, then every T2
    stage.advance(0.2)
    assert stage.names == ["BYE", "Released"]
    assert stage.reports[0].kind == "no-ack"
    event = stage.events[0]
    assert isinstance(event, Released)
    assert event.reason == "no-ack"
    stage.respond(stage.request(), 200)
    assert stage.endpoint.counts["invite_sessions"] == 0


def test_an_ack_with_another_cseq_or_tag_is_not_ours() -> None:
    stage = Stage()
    session = stage.offered()
    stage.run(session.answer(SDP, 0.0))
    assert stage.in_dialog("ACK", session, cseq=2).names == []
    stray = request_bytes("ACK", from_tag="other", to_tag=session.local_tag, branch="z9hG4bKx")
    assert stage.hear(stray).names == []
    assert session.state is State.ANSWERED


def test_an_ack_with_the_branch_of_the_invite_counts() -> None:
    """RFC 6026 §7.1: some peers reuse the branch."""
    stage = Stage()
    session = stage.offered()
    stage.run(session.answer(SDP, 0.0))
    stage.in_dialog("ACK", session, cseq=1, branch="z9hG4bKpbx1")
    assert stage.names == ["Acknowledged"]


def test_cancel_is_answered_and_ends_the_invite_with_487() -> None:
    """§9.2."""
    stage = Stage()
    session = stage.offered()
    stage.hear(request_bytes("CANCEL"))
    assert stage.names == ["200", "487", "Cancelled"]
    assert stage.response(0).to.tag == stage.response(1).to.tag == session.local_tag
    assert stage.response(0).cseq.method == "CANCEL"
    event = stage.events[0]
    assert isinstance(event, Cancelled)
    assert event.request.method == "CANCEL"
    assert stage.hear(request_bytes("ACK", to_tag=session.local_tag)).names == []
    assert stage.run(session.answer(SDP, 1.0)).names == []


def test_cancel_while_ringing_leaves_no_session_behind() -> None:
    stage = Stage()
    session = stage.offered()
    stage.run(session.progress(180, 0.1))
    assert stage.hear(request_bytes("CANCEL")).names == ["200", "487", "Cancelled"]
    assert stage.endpoint.counts["invite_sessions"] == 0


def test_cancel_after_the_answer_is_answered_and_changes_nothing() -> None:
    stage = Stage()
    session = stage.offered()
    stage.run(session.answer(SDP, 0.1))
    assert stage.hear(request_bytes("CANCEL")).names == ["200"]
    assert session.state is State.ANSWERED


def test_cancel_for_nothing_is_481() -> None:
    assert Stage().hear(request_bytes("CANCEL")).names == ["481"]


def test_bye_in_the_early_dialog_ends_the_invite_with_487() -> None:
    """§15.1.2."""
    stage = Stage()
    session = stage.offered()
    stage.run(session.progress(180, 0.1))
    assert stage.in_dialog("BYE", session).names == ["200", "487", "Cancelled"]


def test_an_offer_before_our_answer_is_put_off() -> None:
    """RFC 3311 §5.2, RFC 3261 §14.2."""
    stage = Stage()
    session = stage.offered()
    stage.run(session.progress(180, 0.1))
    stage.in_dialog("UPDATE", session, body=SDP)
    assert stage.names == ["500"]
    assert 0 <= int(stage.response().headers.get("Retry-After") or "-1") <= 10
    assert stage.in_dialog("UPDATE", session, cseq=3).names == ["200"]


@pytest.mark.parametrize("status", [302, 407, 486, 603])
def test_a_refusal_leaves_nothing_but_its_transaction(status: int) -> None:
    stage = Stage()
    session = stage.offered()
    headers = (("Proxy-Authenticate", 'Digest realm="r", nonce="n"'),)
    stage.run(session.refuse(status, 0.0, reason="No", headers=headers))
    refusal = stage.response()
    assert (refusal.status, refusal.reason) == (status, "No")
    assert refusal.to.tag != ""
    assert refusal.headers.get("Proxy-Authenticate") is not None
    assert stage.endpoint.counts["invite_sessions"] == 0
    assert session.dialog is None
    assert stage.run(session.refuse(500, 0.1)).names == []
    assert stage.run(session.progress(180, 0.1)).names == []
    stage.hear(request_bytes("ACK", to_tag=refusal.to.tag))
    stage.advance(6)
    assert stage.endpoint.counts["server_transactions"] == 0


def test_bye_before_our_answer_is_a_refusal() -> None:
    stage = Stage()
    session = stage.offered()
    assert stage.run(session.bye(0.1)).names == ["480"]


def test_bye_waits_for_the_ack_of_our_200() -> None:
    """§15: the callee sends no BYE before."""
    stage = Stage()
    session = stage.offered()
    stage.run(session.answer(SDP, 0.0))
    assert stage.run(session.bye(0.1, (("Reason", "Q.850;cause=16"),))).names == []
    assert stage.in_dialog("ACK", session, cseq=1).names == ["BYE"]
    assert stage.request().headers.get("Reason") == "Q.850;cause=16"


def test_bye_asked_for_goes_out_when_the_ack_never_comes_and_is_not_told() -> None:
    stage = Stage()
    session = stage.offered()
    stage.run(session.answer(SDP, 0.0))
    stage.run(session.bye(0.1))
    stage.advance(32.1)
    assert stage.names[-1] == "BYE"
    assert stage.events == []


def test_the_peers_bye_before_its_ack_ends_the_call() -> None:
    stage = Stage()
    session = stage.offered()
    stage.run(session.answer(SDP, 0.0))
    assert stage.in_dialog("BYE", session).names == ["200", "Released"]
    assert stage.advance(40).names == []
