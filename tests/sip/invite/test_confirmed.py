"""What both halves of an INVITE session share: RFC 3261 §12.2, §14, §15; RFC 3311."""

import pytest

from sip.invite.events import Acknowledged, Released, UpdateAnswered, Updated, UpdateRefused
from sip.invite.state import State
from tests.support.sip_stage import Stage
from tests.support.sip_text import SDP, UDP, request_bytes

NEW = b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\n"
CHALLENGE = ('WWW-Authenticate: Digest realm="carrier", nonce="n2", qop="auth"',)


def release(stage: Stage) -> Released:
    event = stage.events[-1]
    assert isinstance(event, Released)
    return event


# -- our offers


def test_a_reoffer_is_answered_and_acknowledged() -> None:
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.reoffer(NEW, 1.0))
    invite = stage.request()
    assert (invite.method, invite.cseq.number, invite.body) == ("INVITE", 2, NEW)
    assert invite.to.tag == "peer"
    assert invite.headers.get("Contact") == "<sip:us@192.0.2.1:5060>"
    assert stage.respond(invite, 100, tag="").names == []
    moved = "<sip:peer@192.0.2.10:5099>"
    assert stage.respond(invite, 200, body=NEW, contact=moved).names == ["ACK", "UpdateAnswered"]
    assert stage.request().uri == "sip:peer@192.0.2.10:5099"  # §12.2.1.2: target refresh
    assert stage.respond(invite, 200, body=NEW).names == ["ACK"]
    assert stage.request().cseq.number == 2


def test_a_reoffer_by_update_needs_no_ack() -> None:
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.reoffer(NEW, 1.0, method="UPDATE"))
    assert stage.respond(stage.request(), 200, body=NEW).names == ["UpdateAnswered"]
    assert isinstance(stage.events[0], UpdateAnswered)


def test_a_refused_reoffer_leaves_the_call_as_it_was() -> None:
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.reoffer(NEW, 1.0))
    assert stage.respond(stage.request(), 488).names == ["ACK", "UpdateRefused"]
    event = stage.events[0]
    assert isinstance(event, UpdateRefused)
    assert event.status == 488
    assert session.state is State.CONFIRMED
    assert stage.run(session.reoffer(NEW, 2.0)).names == ["INVITE"]


def test_one_offer_at_a_time() -> None:
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.reoffer(NEW, 1.0))
    assert stage.run(session.reoffer(NEW, 1.0)).names == ["UpdateRefused"]
    event = stage.events[0]
    assert isinstance(event, UpdateRefused)
    assert event.status == 491


def test_glare_is_tried_once_more_after_the_back_off_of_the_call_id_owner() -> None:
    """§14.1: 2.1 to 4 s."""
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.reoffer(NEW, 0.0))
    assert stage.respond(stage.request(), 491).names == ["ACK"]
    assert stage.advance(2.09).names == []
    stage.advance(2)
    assert stage.names == ["INVITE"]
    assert stage.request().cseq.number == 3
    assert stage.respond(stage.request(), 491).names == ["ACK", "UpdateRefused"]


def test_while_we_wait_out_a_glare_the_peers_offer_goes_first() -> None:
    """§14.1: that is what the back-off is for."""
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.reoffer(NEW, 0.0))
    stage.respond(stage.request(), 491)
    assert stage.towards(session, "INVITE", body=SDP).names == ["Updated"]
    assert stage.advance(4.1).names == ["100"]  # nothing of ours while theirs is open
    stage.run(session.accept_update(SDP, stage.now))
    stage.towards(session, "ACK")
    stage.advance(4.1)
    assert "INVITE" in stage.names
    assert stage.respond(stage.request(), 200, body=NEW).names == ["ACK", "UpdateAnswered"]


def test_the_other_side_backs_off_for_at_most_two_seconds() -> None:
    """§14.1: 0 to 2 s."""
    stage = Stage()
    session = stage.talking()
    stage.run(session.reoffer(NEW, 0.0))
    assert stage.respond(stage.request(), 491, tag="").names == ["ACK"]
    assert set(stage.advance(2.01).names) == {"INVITE"}
    assert stage.request().cseq.number == 2


def test_a_challenged_reoffer_is_sent_again_with_credentials() -> None:
    stage = Stage()
    session = stage.call(credentials=("us", "secret"))
    stage.respond(stage.request(), 200, body=SDP)
    stage.run(session.reoffer(NEW, 1.0))
    assert stage.respond(stage.request(), 401, extra=CHALLENGE).names == ["ACK", "INVITE"]
    again = stage.request(1)
    assert again.cseq.number == 3
    assert "Authorization" in again.headers
    assert stage.respond(again, 200, body=NEW).names == ["ACK", "UpdateAnswered"]


@pytest.mark.parametrize("status", [408, 481])
def test_a_reoffer_that_meets_no_dialog_releases_the_call(status: int) -> None:
    """§12.2.1.2."""
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.reoffer(NEW, 1.0))
    assert stage.respond(stage.request(), status).names == ["ACK", "BYE", "Released"]
    assert release(stage).reason == "lost"


def test_a_reoffer_without_any_answer_releases_the_call() -> None:
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.reoffer(NEW, 0.0))
    stage.advance(33)
    assert "BYE" in stage.names
    assert release(stage).reason == "lost"


def test_there_is_no_reoffer_without_a_dialog() -> None:
    stage = Stage()
    session = stage.call()
    stage.run(session.reoffer(NEW, 0.0))
    assert stage.names == ["UpdateRefused"]


# -- the peer's offers


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_the_peers_offer_is_told_and_accepted(method: str) -> None:
    stage = Stage()
    session = stage.talking()
    assert stage.in_dialog(method, session, body=NEW).names == ["Updated"]
    event = stage.events[0]
    assert isinstance(event, Updated)
    assert event.request.body == NEW
    stage.run(session.accept_update(SDP, 0.1))
    assert stage.names == ["200"]
    assert stage.response().body == SDP
    assert stage.response().headers.get("Contact") == session.contact


def test_the_200_of_a_reinvite_is_repeated_until_its_ack_which_is_not_told() -> None:
    """§14.2."""
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("INVITE", session, body=NEW)
    stage.run(session.accept_update(SDP, stage.now))
    assert stage.advance(1.6).names == ["200", "200"]
    assert stage.in_dialog("ACK", session, cseq=2).names == []
    assert stage.advance(60).names == []


def test_the_ack_that_brings_the_answer_of_an_offerless_reinvite_is_told() -> None:
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("INVITE", session)
    assert stage.names == ["Updated"]
    stage.run(session.accept_update(SDP, stage.now))
    stage.in_dialog("ACK", session, cseq=2, body=NEW)
    (event,) = stage.events
    assert isinstance(event, Acknowledged)
    assert event.request.body == NEW


def test_an_unacknowledged_reinvite_ends_the_call() -> None:
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("INVITE", session, body=NEW)
    stage.run(session.accept_update(SDP, stage.now))
    stage.advance(32.1)
    assert stage.names[-2:] == ["BYE", "Released"]
    assert release(stage).reason == "no-ack"


def test_a_rejected_offer_changes_nothing() -> None:
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("INVITE", session, body=NEW)
    assert stage.run(session.reject_update(488, 0.1)).names == ["488"]
    assert stage.run(session.accept_update(SDP, 0.1)).names == []
    assert stage.run(session.reject_update(488, 0.1)).names == []
    assert session.state is State.CONFIRMED


def test_an_update_without_offer_is_a_target_refresh_answered_here() -> None:
    stage = Stage()
    session = stage.talking()
    assert stage.in_dialog("UPDATE", session).names == ["200"]


def test_offers_that_cross_meet_491() -> None:
    """§14.2: glare."""
    stage = Stage()
    session = stage.talking()
    stage.run(session.reoffer(NEW, 0.0))
    assert stage.in_dialog("INVITE", session, body=SDP).names == ["491"]


def test_a_second_offer_while_the_first_is_unanswered_meets_500() -> None:
    """§14.2."""
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("INVITE", session, body=NEW)
    assert stage.in_dialog("INVITE", session, cseq=3, body=NEW).names == ["500"]
    assert "Retry-After" in stage.response().headers
    assert stage.run(session.reoffer(NEW, 0.2)).names == ["UpdateRefused"]


def test_a_withdrawn_reinvite_meets_487_and_a_late_answer_nobody() -> None:
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("INVITE", session, body=NEW, branch="z9hG4bKre")
    stage.in_dialog("CANCEL", session, branch="z9hG4bKre")
    assert stage.names == ["200", "487"]
    assert stage.run(session.accept_update(SDP, 0.1)).names == []


def test_a_target_refresh_moves_our_next_request() -> None:
    """§12.2.2."""
    stage = Stage()
    session = stage.talking()
    session.via_flow = False
    update = request_bytes("UPDATE", branch="z9hG4bKup", cseq=2, to_tag=session.local_tag)
    stage.hear(update.replace(b"<sip:pbx@192.0.2.10:5060>", b"<sip:pbx@192.0.2.77:5070>"))
    stage.run(session.bye(1.0))
    assert stage.request().uri == "sip:pbx@192.0.2.77:5070"
    assert stage.flows[0].remote == ("192.0.2.77", 5070)


# -- other requests


def test_info_is_the_tus_to_answer() -> None:
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("INFO", session)
    assert stage.names == ["RequestReceived"]
    handle = stage.events[0].handle  # type: ignore[attr-defined]
    assert handle.session is session
    assert stage.run(stage.endpoint.respond(handle, 405, now=0.1)).names == ["405"]
    assert stage.response().to.tag == session.local_tag


def test_a_cseq_going_backwards_meets_500() -> None:
    """§12.2.2."""
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("INFO", session, cseq=9)
    assert stage.in_dialog("INFO", session, cseq=8, branch="z9hG4bKlow").names == ["500"]


def test_another_from_tag_is_another_dialog() -> None:
    stage = Stage()
    session, _ = stage.answered()
    assert stage.towards(session, "BYE", tag="stranger").names == ["481"]
    assert session.state is State.CONFIRMED


def test_prack_for_what_was_never_reliable_meets_481() -> None:
    stage = Stage()
    session = stage.talking()
    assert stage.in_dialog("PRACK", session).names == ["481"]


def test_the_latest_source_of_the_peer_is_where_our_requests_go() -> None:
    stage = Stage()
    session = stage.talking()
    moved = UDP._replace(remote=("192.0.2.10", 61000))
    stage.in_dialog("INFO", session, flow=moved)
    assert session.flow == moved
    stage.run(session.bye(1.0))
    assert stage.flows == [moved]


# -- the end


def test_the_peers_bye_is_answered_and_told() -> None:
    stage = Stage()
    session = stage.talking()
    assert stage.in_dialog("BYE", session).names == ["200", "Released"]
    assert release(stage).reason == "bye"
    assert release(stage).request is not None
    assert stage.in_dialog("BYE", session).names == ["200"]  # the repetition
    assert stage.in_dialog("BYE", session, cseq=3).names == ["481"]


def test_the_peers_bye_ends_its_own_unanswered_reinvite() -> None:
    """§15.1.2."""
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("INVITE", session, body=NEW)
    assert stage.in_dialog("BYE", session, cseq=3).names == ["200", "487", "Released"]


def test_our_bye_ends_the_call_without_an_event() -> None:
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.bye(1.0, (("Reason", "Q.850;cause=16"),)))
    bye = stage.request()
    assert (bye.method, bye.cseq.number) == ("BYE", 2)
    assert bye.headers.get("Reason") == "Q.850;cause=16"
    assert bye.headers.get("User-Agent") == "test"
    assert stage.respond(bye, 200).names == []
    assert session.state is State.ENDED
    assert stage.endpoint.counts["invite_sessions"] == 0
    assert stage.run(session.bye(2.0)).names == []


@pytest.mark.parametrize("end", ["timeout", "481"])
def test_a_bye_without_success_ends_the_call_too(end: str) -> None:
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.bye(stage.now))
    if end == "timeout":
        stage.advance(33)
    else:
        stage.respond(stage.request(), 481)
    assert stage.events == []
    assert session.state is State.ENDED


def test_bye_crossing_bye_is_answered_on_both_sides() -> None:
    stage = Stage()
    session, _ = stage.answered()
    stage.run(session.bye(1.0))
    ours = stage.request()
    assert stage.towards(session, "BYE").names == ["200"]
    assert stage.towards(session, "INFO", cseq=2).names == ["481"]
    assert stage.respond(ours, 481).names == []
    assert session.state is State.ENDED


def test_a_challenged_bye_carries_credentials_the_second_time() -> None:
    stage = Stage()
    session = stage.call(credentials=("us", "secret"))
    stage.respond(stage.request(), 200, body=SDP)
    stage.run(session.bye(1.0))
    bye = stage.request()
    assert stage.respond(bye, 100, tag="").names == []
    assert stage.respond(bye, 401, extra=CHALLENGE).names == ["BYE"]
    again = stage.request()
    assert again.cseq.number == bye.cseq.number + 1
    assert "Authorization" in again.headers
    stage.respond(again, 200)
    assert session.state is State.ENDED


def test_bye_refuses_the_peers_unanswered_offer_first() -> None:
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("INVITE", session, body=NEW)
    assert stage.run(session.bye(1.0)).names == ["487", "BYE"]


def test_a_written_dialog_state_is_enough_for_a_bye_after_a_crash() -> None:
    stage = Stage()
    session, _ = stage.answered()
    state = session.dialog_state()
    fresh = Stage()
    fresh.run(fresh.endpoint.release_restored(state, 0.0, (("Reason", "SIP;cause=500"),)))
    bye = fresh.request()
    assert (bye.method, bye.call_id, bye.to.tag) == ("BYE", session.call_id, "peer")
    assert bye.cseq.number > 1
    assert fresh.flows == [stage.flow]
    assert fresh.respond(bye, 200).names == []
