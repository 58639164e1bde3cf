"""Hold, resume, re-keying and hunting: agreements that change (RFC 3264 §8; R93, pain 9)."""

import pytest

from media.errors import SdpError
from media.plane import Side, SrtpKey
from media.sdp.crypto import SHA1_32, SHA1_80
from media.sdp.parser import parse_sdp
from tests.media.sdp.bodies import (
    ANSWER,
    NONE,
    OFFERING,
    OPTIONAL,
    PLAIN,
    REQUIRED,
    SECURE,
    crossed,
    crypto,
    lines,
    negotiation,
    reoffered,
    sdp,
    session_id,
    version,
)


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_hold_and_resume_keep_keys_and_ports(direction):
    """R93, pain 9."""
    made, to_b, to_a = crossed(sdp(*SECURE), ANSWER)
    ends = made.ends(Side.A), made.ends(Side.B)
    held_b, held_a = reoffered(
        made,
        Side.A,
        sdp(*SECURE, f"a={direction}"),
        sdp("m=audio 5000 RTP/AVP 0", "a=recvonly", host="203.0.113.9"),
    )
    assert f"a={direction}" in lines(held_b)
    assert "a=recvonly" in lines(held_a)
    assert made.is_hold(Side.A)
    assert not made.is_hold(Side.B)
    assert [made.ends(side)[0].expect_media for side in Side] == [False, False]
    assert made.ends(Side.A)[0].receive_key == ends[0][0].receive_key
    assert made.ends(Side.A)[0].send_key == ends[0][0].send_key
    back_b, back_a = reoffered(made, Side.A, sdp(*SECURE), ANSWER)
    assert (made.ends(Side.A), made.ends(Side.B)) == ends
    assert not made.is_hold(Side.A)
    assert [version(each) for each in (to_b, held_b, back_b)] == [1, 2, 3]
    assert [version(each) for each in (to_a, held_a, back_a)] == [1, 2, 3]
    assert len({session_id(each) for each in (to_b, held_b, back_b)}) == 1
    assert lines(to_a)[2:] == lines(back_a)[2:]


def test_a_refresh_with_the_same_body_keeps_the_version():
    """RFC 3264 §8; a session-timer refresh."""
    made, to_b, to_a = crossed(sdp(*SECURE), ANSWER)
    again = reoffered(made, Side.A, sdp(*SECURE), ANSWER)
    assert again == (to_b, to_a)


def test_the_old_hold_address_crosses_as_it_is():
    """RFC 3264 §8.4."""
    made, _, _ = crossed(PLAIN, ANSWER)
    held, _ = reoffered(made, Side.A, sdp("m=audio 4000 RTP/AVP 0", host="0.0.0.0"), ANSWER)
    assert "c=IN IP4 198.51.100.2" in lines(held)[:5]
    media = parse_sdp(held).media[0]
    assert media.port == 30000
    assert media.lines[0].value == "IN IP4 0.0.0.0"
    assert made.is_hold(Side.A)
    assert made.ends(Side.A)[0].remote is None
    assert made.ends(Side.A)[0].active


def test_hold_from_the_called_side_repeats_the_callers_keys():
    """Role reversal: we offer to the side whose offer we once answered."""
    made, _, to_a = crossed(sdp(*SECURE), ANSWER)
    keys = made.ends(Side.A)
    made.receive_offer(Side.B, sdp("m=audio 5000 RTP/AVP 0", "a=sendonly", host="203.0.113.9"))
    offered = made.offer_for(Side.A)
    mine = [line for line in lines(to_a) if line.startswith("a=crypto")]
    assert [line for line in lines(offered) if line.startswith("a=crypto")] == mine
    assert "m=audio 20000 RTP/SAVP 0" in lines(offered)
    made.receive_answer(Side.A, sdp(*SECURE[:2], "a=recvonly"))
    assert made.ends(Side.A)[0].send_key == keys[0].send_key
    assert made.ends(Side.A)[0].receive_key == keys[0].receive_key
    assert made.is_hold(Side.B)


def test_a_changed_key_in_an_offer_renews_both_directions():
    """RFC 3711 §3.3.1: the peer starts over with its rollover counter, so do we."""
    made, _, _ = crossed(sdp(*SECURE), ANSWER)
    before = made.ends(Side.A)[0]
    reoffered(made, Side.A, sdp("m=audio 4000 RTP/SAVP 0", crypto(1, SHA1_80, 77)), ANSWER)
    after = made.ends(Side.A)[0]
    assert after.receive_key == SrtpKey(SHA1_80, b"\x4d" * 30)
    assert after.send_key not in (None, before.send_key)


def test_a_changed_key_in_an_answer_renews_the_receiving_direction():
    made, opened = negotiation(OPTIONAL, REQUIRED)
    made.receive_offer(Side.A, PLAIN)
    made.set_local(opened)
    made.offer_for(Side.B)
    made.receive_answer(Side.B, sdp("m=audio 5000 RTP/SAVP 0", crypto(1, SHA1_80, 1)))
    before = made.ends(Side.B)[0]
    reoffered(made, Side.A, PLAIN, sdp("m=audio 5000 RTP/SAVP 0", crypto(1, SHA1_80, 2)))
    after = made.ends(Side.B)[0]
    assert after.send_key == before.send_key
    assert after.receive_key == SrtpKey(SHA1_80, b"\2" * 30)


def test_the_same_key_under_another_tag_is_the_same_key():
    made, _, _ = crossed(sdp(*SECURE), ANSWER)
    before = made.ends(Side.A)[0]
    _, to_a = reoffered(made, Side.A, sdp("m=audio 4000 RTP/SAVP 0", crypto(4, SHA1_80, 1)), ANSWER)
    assert f"a=crypto:4 {SHA1_80}".encode() in to_a
    assert made.ends(Side.A)[0] == before


def test_an_abandoned_update_leaves_what_was_agreed():
    """RFC 3261 §14.1."""
    made, _, _ = crossed(sdp(*SECURE), ANSWER)
    before = made.ends(Side.A), made.ends(Side.B)
    made.receive_offer(Side.A, sdp("m=audio 4444 RTP/SAVP 0", crypto(1, SHA1_80, 50), "a=inactive"))
    made.offer_for(Side.B)
    made.abandon()
    assert (made.ends(Side.A), made.ends(Side.B)) == before
    assert not made.is_hold(Side.A)


def test_early_media_may_be_followed_by_a_different_answer():
    made, opened = negotiation(OPTIONAL, REQUIRED)
    made.receive_offer(Side.A, PLAIN)
    made.set_local(opened)
    made.offer_for(Side.B)
    made.receive_answer(Side.B, sdp("m=audio 5000 RTP/SAVP 0", crypto(1, SHA1_80, 1)))
    first = made.answer_for(Side.A)
    made.receive_answer(Side.B, sdp("m=audio 6000 RTP/SAVP 0", crypto(2, SHA1_32, 2)))
    assert made.answer_for(Side.A) == first
    assert made.ends(Side.B)[0].remote == ("10.0.0.1", 6000)
    assert made.ends(Side.B)[0].receive_key == SrtpKey(SHA1_32, b"\2" * 30)


def test_the_next_target_of_a_hunt_gets_keys_and_an_origin_of_its_own():
    made, opened = negotiation(OPTIONAL, REQUIRED)
    made.receive_offer(Side.A, PLAIN)
    made.set_local(opened)
    first = made.offer_for(Side.B)
    made.receive_answer(Side.B, sdp("m=audio 0 RTP/SAVP 0"))
    made.forget(Side.B, OFFERING)
    second = made.offer_for(Side.B)
    assert session_id(first) != session_id(second)
    assert version(second) == 1
    inline = {line.split()[2] for line in lines(first + second) if line.startswith("a=crypto")}
    assert len(inline) == 4
    made.forget(Side.B, NONE)
    assert b"RTP/AVP" in made.offer_for(Side.B)


def test_a_fax_is_not_offered_to_a_side_where_all_must_be_protected():
    made, opened = negotiation(OPTIONAL, REQUIRED)
    made.receive_offer(Side.A, sdp("m=image 4000 udptl t38"))
    made.set_local(opened)
    with pytest.raises(SdpError) as caught:
        made.offer_for(Side.B)
    assert caught.value.reason == "srtp-required"
    made.receive_offer(Side.A, sdp("m=audio 4000 RTP/AVP 0", "m=image 4002 udptl t38"))
    assert [each.port for each in parse_sdp(made.offer_for(Side.B)).media] == [30000, 0]


def test_an_answer_to_an_earlier_offer_is_not_given_again():
    made, _, _ = crossed(PLAIN, ANSWER)
    made.receive_offer(Side.A, PLAIN)
    made.offer_for(Side.B)
    with pytest.raises(SdpError) as caught:
        made.answer_for(Side.A)
    assert caught.value.reason == "no-answer"
    made.receive_answer(Side.B, ANSWER)
    made.answer_for(Side.A)
    made.forget(Side.B)
    with pytest.raises(SdpError):
        made.answer_for(Side.A)
