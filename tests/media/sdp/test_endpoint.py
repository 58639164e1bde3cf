"""An endpoint of our own offers, answers, holds and resumes (RFC 3264)."""

import os

import pytest

from media.errors import SdpError
from media.plane import MediaOpened, Side
from media.sdp.endpoint import OwnOffer
from media.sdp.model import MediaDirection
from media.sdp.offer_answer import RelayNegotiation, SidePolicy
from media.sdp.parser import parse_sdp

CALLER, CALLED = ("192.0.2.1", 4000), ("192.0.2.2", 5000)


@pytest.mark.parametrize("srtp", [False, True])
def test_two_endpoints_agree(srtp):
    caller, called = OwnOffer(CALLER, os.urandom, srtp=srtp), OwnOffer(CALLED, os.urandom)
    body, heard = called.answer(caller.body())
    got = caller.accept(body)
    assert (heard.end.remote, got.end.remote) == (CALLER, CALLED)
    assert heard.codec.name == got.codec.name == "PCMU"
    assert heard.telephone_event == got.telephone_event == 101
    assert heard.end.send_key == got.end.receive_key
    assert heard.end.receive_key == got.end.send_key
    assert (got.end.send_key is not None) is srtp


def test_a_hold_keeps_the_keys_and_turns_the_direction():
    caller, called = OwnOffer(CALLER, os.urandom, srtp=True), OwnOffer(CALLED, os.urandom)
    first = caller.accept(called.answer(caller.body())[0])
    body, heard = called.answer(caller.body(MediaDirection.SENDONLY))
    assert heard.direction is MediaDirection.SENDONLY
    assert parse_sdp(body).direction(0) is MediaDirection.RECVONLY
    assert caller.accept(body).end == first.end


@pytest.mark.parametrize("called_srtp", [False, True])
@pytest.mark.parametrize("caller_srtp", [False, True])
def test_two_endpoints_agree_through_a_relay(caller_srtp, called_srtp):
    """R93: each hop has its own keys."""
    caller = OwnOffer(CALLER, os.urandom, srtp=caller_srtp)
    called = OwnOffer(CALLED, os.urandom)
    policy_b = SidePolicy("required" if called_srtp else "none")
    relay = RelayNegotiation(SidePolicy(), policy_b, os.urandom)
    relay.receive_offer(Side.A, caller.body())
    relay.set_local(MediaOpened((("198.51.100.1", 20000),), (("198.51.100.2", 30000),)))
    body, heard = called.answer(relay.offer_for(Side.B))
    relay.receive_answer(Side.B, body)
    got = caller.accept(relay.answer_for(Side.A))
    assert got.end.remote == ("198.51.100.1", 20000)
    assert heard.end.remote == ("198.51.100.2", 30000)
    for side, seen in ((Side.A, got), (Side.B, heard)):
        assert relay.ends(side)[0].send_key == seen.end.receive_key
        assert relay.ends(side)[0].receive_key == seen.end.send_key
    assert (got.end.send_key is not None) is caller_srtp
    assert (heard.end.send_key is not None) is called_srtp


def test_only_the_audio_stream_is_answered():
    offer = (
        b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=video 4002 RTP/AVP 96\r\n"
        b"m=audio 4000 RTP/AVP 9 8\r\na=rtcp-mux\r\n"
    )
    body, agreed = OwnOffer(CALLED, os.urandom).answer(offer)
    answer = parse_sdp(body)
    assert [(each.media, each.port) for each in answer.media] == [("video", 0), ("audio", 5000)]
    assert answer.media[1].formats == ("8",)
    assert answer.media[1].has("rtcp-mux")
    assert agreed.end.rtcp_mux
    assert agreed.telephone_event is None


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        (b"m=audio 4000 RTP/AVP 9\r\n", "no-media"),
        (b"m=video 4000 RTP/AVP 0\r\n", "no-media"),
        (b"m=audio 0 RTP/AVP 0\r\n", "no-media"),
        (b"m=audio 4000 RTP/SAVP 0\r\n", "srtp-unusable"),
    ],
)
def test_what_cannot_be_answered_is_refused(media, reason):
    with pytest.raises(SdpError) as caught:
        OwnOffer(CALLED, os.urandom).answer(b"v=0\r\nc=IN IP4 192.0.2.9\r\n" + media)
    assert caught.value.reason == reason


def test_an_endpoint_with_srtp_takes_no_plain_offer_or_answer():
    caller = OwnOffer(CALLER, os.urandom, srtp=True)
    caller.body()
    with pytest.raises(SdpError, match="srtp-required"):
        caller.accept(OwnOffer(CALLED, os.urandom).body())
    with pytest.raises(SdpError, match="srtp-required"):
        caller.answer(OwnOffer(CALLED, os.urandom).body())
