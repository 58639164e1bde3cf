"""Offer and answer carried through the gateway (RFC 3264, RFC 4568, RFC 8643; R88, R92, R93)."""

from base64 import b64encode

import pytest

from media.errors import SdpError
from media.plane import MediaOpened, Side, SrtpKey, StreamEnd
from media.sdp.crypto import SHA1_32, SHA1_80
from media.sdp.model import MediaDirection
from media.sdp.offer_answer import RelayNegotiation
from media.sdp.parser import parse_sdp
from tests.media.sdp.bodies import (
    ANSWER,
    NONE,
    OFFERING,
    OPTIONAL,
    PLAIN,
    REQUIRED,
    SECURE,
    counting_octets,
    crossed,
    crypto,
    lines,
    negotiation,
    reoffered,
    sdp,
)


def test_a_plain_offer_crosses_with_our_address_and_the_peers_codecs():
    _, to_b, to_a = crossed(PLAIN, ANSWER)
    assert lines(to_b) == [
        "v=0",
        f"o=gw {parse_sdp(to_b).lines[1].value.split()[1]} 1 IN IP4 198.51.100.2",
        "s=gw",
        "c=IN IP4 198.51.100.2",
        "t=0 0",
        "m=audio 30000 RTP/AVP 0 97 101",
        "a=rtpmap:97 opus/48000/2",
        "a=ptime:20",
        "a=X-y:z",
    ]
    assert "c=IN IP4 198.51.100.1" in lines(to_a)
    assert "m=audio 20000 RTP/AVP 0" in lines(to_a)


def test_the_media_plane_learns_both_peers():
    made, _, _ = crossed(PLAIN, ANSWER)
    assert made.ends(Side.A) == (StreamEnd(("10.0.0.1", 4000)),)
    assert made.ends(Side.B) == (StreamEnd(("203.0.113.9", 5000)),)
    assert made.ends(Side.A, expect_media=False)[0].expect_media is False


def test_what_concerns_only_the_peers_does_not_cross():
    offer = sdp(
        "a=group:BUNDLE 0",
        "a=ice-lite",
        "a=fingerprint:sha-256 00",
        "k=clear:secret",
        "i=Alice",
        "m=audio 4000 RTP/AVP 0",
        "a=candidate:1 1 UDP 1 10.0.0.1 4000 typ host",
        "a=ice-ufrag:x",
        "a=ice-pwd:y",
        "a=ice-options:trickle",
        "a=rtcp:4007 IN IP4 10.0.0.1",
        "a=rtcp-mux",
        "a=setup:actpass",
        "a=mid:0",
        "k=clear:secret",
    )
    _, to_b, _ = crossed(offer, ANSWER)
    assert lines(to_b)[5:] == ["m=audio 30000 RTP/AVP 0", "a=mid:0"]
    assert b"10.0.0.1" not in to_b
    assert b"Alice" not in to_b


def test_an_empty_body_is_no_offer():
    made, _ = negotiation()
    for body in (b"", b"\r\n"):
        with pytest.raises(SdpError) as caught:
            made.receive_offer(Side.A, body)
        assert caught.value.reason == "no-offer"


def test_an_offer_without_media_or_connection_is_refused():
    made, _ = negotiation()
    with pytest.raises(SdpError, match="no-media"):
        made.receive_offer(Side.A, sdp())
    with pytest.raises(SdpError, match="no-connection"):
        made.receive_offer(Side.A, b"v=0\r\nm=audio 4000 RTP/AVP 0\r\n")


# --- SRTP, hop by hop


def test_srtp_from_the_pbx_becomes_rtp_to_the_carrier():
    """R88, R93."""
    offer = sdp("m=audio 4000 RTP/SAVP 0", crypto(1, SHA1_32, 1), crypto(2, SHA1_80, 2))
    made, to_b, to_a = crossed(offer, ANSWER)
    assert b"crypto" not in to_b
    assert "m=audio 30000 RTP/AVP 0" in lines(to_b)
    assert "m=audio 20000 RTP/SAVP 0" in lines(to_a)
    # RFC 4568 §5.1.2: the tag of the accepted line, the stronger of both suites.
    (own,) = [line for line in lines(to_a) if line.startswith("a=crypto:")]
    assert own.startswith(f"a=crypto:2 {SHA1_80} inline:")
    (end,) = made.ends(Side.A)
    assert end.receive_key == SrtpKey(SHA1_80, b"\2" * 30)
    assert end.send_key is not None
    assert own.endswith(b64encode(end.send_key.key_salt).decode())
    assert made.ends(Side.B)[0].receive_key is None


def test_only_the_short_tag_on_offer_is_taken():
    made, _, to_a = crossed(sdp("m=audio 4000 RTP/SAVP 0", crypto(9, SHA1_32, 1)), ANSWER)
    assert f"a=crypto:9 {SHA1_32} inline:".encode() in to_a
    assert made.ends(Side.A)[0].receive_key == SrtpKey(SHA1_32, b"\1" * 30)


def test_rtp_from_the_pbx_becomes_srtp_to_a_side_that_is_offered_it():
    made, opened = negotiation(OPTIONAL, OFFERING)
    made.receive_offer(Side.A, PLAIN)
    made.set_local(opened)
    to_b = made.offer_for(Side.B)
    assert "m=audio 30000 RTP/SAVP 0 97 101" in lines(to_b)
    offered = [line for line in lines(to_b) if line.startswith("a=crypto:")]
    assert [line.split()[0:2] for line in offered] == [
        ["a=crypto:1", SHA1_80],
        ["a=crypto:2", SHA1_32],
    ]
    assert offered[0].split()[2] != offered[1].split()[2]
    assert made.ends(Side.B)[0].active is False, "no key yet: nothing may be believed"
    made.receive_answer(Side.B, sdp("m=audio 5000 RTP/SAVP 0", crypto(2, SHA1_32, 9)))
    assert "m=audio 20000 RTP/AVP 0" in lines(made.answer_for(Side.A))
    (end,) = made.ends(Side.B)
    assert end.receive_key == SrtpKey(SHA1_32, b"\x09" * 30)
    assert end.send_key is not None
    assert offered[1].endswith(b64encode(end.send_key.key_salt).decode())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (["m=audio 5000 RTP/AVP 0"], "srtp-required"),
        (["m=audio 5000 RTP/SAVP 0"], "srtp-unusable"),
        (["m=audio 5000 RTP/SAVP 0", crypto(3, SHA1_80, 1)], "srtp-unusable"),
        (["m=audio 5000 RTP/SAVP 0", crypto(1, SHA1_32, 1)], "srtp-unusable"),
        (["m=audio 5000 UDP/TLS/RTP/SAVP 0"], "srtp-required"),
        (["m=audio 5000 udptl t38"], "answer-mismatch"),
        (["m=video 5000 RTP/SAVP 0", crypto(1, SHA1_80, 1)], "answer-mismatch"),
        (["m=audio 5000 RTP/SAVP 0", crypto(1, SHA1_80, 1), "m=audio 0 x 0"], "answer-mismatch"),
        ([], "answer-mismatch"),
    ],
)
def test_an_answer_that_breaks_a_mandatory_srtp_offer_is_refused(answer, reason):
    made, opened = negotiation(OPTIONAL, REQUIRED)
    made.receive_offer(Side.A, PLAIN)
    made.set_local(opened)
    made.offer_for(Side.B)
    with pytest.raises(SdpError) as caught:
        made.receive_answer(Side.B, sdp(*answer))
    assert caught.value.reason == reason


def test_srtp_answered_to_a_plain_offer_is_refused():
    with pytest.raises(SdpError, match="answer-mismatch"):
        crossed(PLAIN, sdp("m=audio 5000 RTP/SAVP 0", crypto(1, SHA1_80, 1)))


@pytest.mark.parametrize(
    ("policy", "media", "reason"),
    [
        (REQUIRED, ["m=audio 4000 RTP/AVP 0"], "srtp-required"),
        (REQUIRED, ["m=audio 4000 RTP/SAVP 0"], "srtp-unusable"),
        (REQUIRED, ["m=image 4000 udptl t38"], "srtp-required"),
        (NONE, ["m=audio 4000 RTP/SAVP 0", crypto(1, SHA1_80, 1)], "srtp-not-allowed"),
        (OPTIONAL, ["m=audio 4000 RTP/SAVP 0", "a=crypto:1 NEW inline:x"], "srtp-unusable"),
        (OPTIONAL, ["m=audio 4000 UDP/TLS/RTP/SAVPF 0"], "unsupported-transport"),
        (OPTIONAL, ["m=message 4000 TCP/MSRP *"], "unsupported-transport"),
    ],
)
def test_an_offer_the_policy_forbids_is_refused_with_its_reason(policy, media, reason):
    """R88: a profile that requires SRTP answers plain RTP with 488."""
    made, _ = negotiation(policy)
    with pytest.raises(SdpError) as caught:
        made.receive_offer(Side.A, sdp(*media))
    assert caught.value.reason == reason


def test_a_refused_offer_leaves_the_agreement_alone():
    made, _, _ = crossed(PLAIN, ANSWER)
    before = made.ends(Side.A)
    with pytest.raises(SdpError):
        made.receive_offer(Side.A, sdp("m=audio 4000 UDP/TLS/RTP/SAVPF 0"))
    assert made.ends(Side.A) == before
    made.abandon()
    assert made.ends(Side.A) == before
    with pytest.raises(SdpError):
        made.receive_offer(Side.A, b"")
    made.abandon()
    assert made.ends(Side.A) == before


@pytest.mark.parametrize("policy", [OPTIONAL, REQUIRED])
def test_opportunistic_srtp_is_taken_in_its_own_profile(policy):
    """RFC 8643: RTP/AVP with a=crypto."""
    offer = sdp("m=audio 4000 RTP/AVP 0", crypto(1, SHA1_80, 1))
    made, _, to_a = crossed(offer, ANSWER, policy)
    assert "m=audio 20000 RTP/AVP 0" in lines(to_a)
    assert f"a=crypto:1 {SHA1_80}".encode() in to_a
    assert made.ends(Side.A)[0].receive_key is not None


def test_opportunistic_srtp_is_declined_where_the_policy_says_none():
    offer = sdp("m=audio 4000 RTP/AVP 0", crypto(1, SHA1_80, 1))
    made, _, to_a = crossed(offer, ANSWER, NONE)
    assert b"crypto" not in to_a
    assert made.ends(Side.A)[0].receive_key is None


def test_feedback_profiles_stay_feedback_profiles():
    offer = sdp("m=video 4000 RTP/SAVPF 96", crypto(1, SHA1_80, 1), "a=rtcp-fb:96 nack pli")
    _, to_b, to_a = crossed(offer, sdp("m=video 5000 RTP/AVPF 96"))
    assert "m=video 30000 RTP/AVPF 96" in lines(to_b)
    assert "a=rtcp-fb:96 nack pli" in lines(to_b)
    assert "m=video 20000 RTP/SAVPF 96" in lines(to_a)


# --- several streams


def test_streams_keep_their_number_and_order():
    offer = sdp(
        "m=audio 4000 RTP/AVP 0", "m=video 0 RTP/AVP 96", "m=video 4004 RTP/AVP 97", "a=label:1"
    )
    answer = sdp("m=audio 5000 RTP/AVP 0", "m=video 0 RTP/AVP 96", "m=video 0 RTP/AVP 97")
    made, to_b, to_a = crossed(offer, answer, streams=3)
    assert [(each.media, each.port) for each in parse_sdp(to_b).media] == [
        ("audio", 30000),
        ("video", 0),
        ("video", 30004),
    ]
    assert [each.port for each in parse_sdp(to_a).media] == [20000, 0, 0]
    assert [each.active for each in made.ends(Side.A)] == [True, False, False]
    assert [each.active for each in made.ends(Side.B)] == [True, False, False]


def test_a_stream_that_cannot_be_relayed_is_refused_alone():
    offer = sdp("m=audio 4000 RTP/AVP 0", "m=message 4002 TCP/MSRP *")
    answer = sdp("m=audio 5000 RTP/AVP 0", "m=message 0 TCP/MSRP *")
    _, to_b, to_a = crossed(offer, answer, streams=2)
    assert [each.port for each in parse_sdp(to_b).media] == [30000, 0]
    assert [each.port for each in parse_sdp(to_a).media] == [20000, 0]


def test_a_stream_answered_against_our_refusal_stays_refused():
    offer = sdp("m=audio 4000 RTP/AVP 0", "m=video 0 RTP/AVP 96")
    answer = sdp("m=audio 5000 RTP/AVP 0", "m=video 5002 RTP/AVP 96")
    made, _, to_a = crossed(offer, answer, streams=2)
    assert [each.port for each in parse_sdp(to_a).media] == [20000, 0]
    assert not made.ends(Side.B)[1].active


def test_a_fax_takes_over_the_audio_stream_untouched():
    made, _, _ = crossed(PLAIN, ANSWER)
    fax = ["m=image {} udptl t38", "a=T38FaxVersion:0", "a=T38FaxUdpEC:t38UDPRedundancy"]
    to_a, to_b = reoffered(
        made,
        Side.B,
        sdp(fax[0].format(5000), *fax[1:], host="203.0.113.9"),
        sdp(fax[0].format(4000), *fax[1:]),
    )
    assert lines(to_a)[5:] == ["m=image 20000 udptl t38", *fax[1:]]
    assert lines(to_b)[5:] == ["m=image 30000 udptl t38", *fax[1:]]
    (end,) = made.ends(Side.A)
    assert end.opaque
    assert end.active
    assert not end.expect_media


def test_a_fax_beside_a_stopped_audio_stream_uses_its_ports():
    made, _, _ = crossed(PLAIN, ANSWER)
    both = ["m=audio 0 RTP/AVP 0", "m=image 4010 udptl t38"]
    to_b, _ = reoffered(made, Side.A, sdp(*both), sdp(*both))
    assert [each.port for each in parse_sdp(to_b).media] == [0, 30000]
    (end,) = made.ends(Side.A)
    assert end == StreamEnd(("10.0.0.1", 4010), opaque=True, expect_media=False)


def test_a_stream_for_which_no_port_was_opened_is_refused():
    made, _, _ = crossed(PLAIN, ANSWER)
    both = ["m=audio 4000 RTP/AVP 0", "m=video 4010 RTP/AVP 96"]
    to_b, to_a = reoffered(
        made, Side.A, sdp(*both), sdp("m=audio 5000 RTP/AVP 0", "m=video 0 RTP/AVP 96")
    )
    assert [each.port for each in parse_sdp(to_b).media] == [30000, 0]
    assert [each.port for each in parse_sdp(to_a).media] == [20000, 0]
    assert len(made.ends(Side.A)) == 1


def test_a_stream_that_comes_back_has_its_keys_again():
    made, _, _ = crossed(sdp(*SECURE), ANSWER)
    before = made.ends(Side.A)
    reoffered(made, Side.A, sdp("m=audio 0 RTP/SAVP 0"), sdp("m=audio 0 RTP/AVP 0"))
    assert made.ends(Side.A)[0].send_key in (None, before[0].send_key)
    reoffered(made, Side.A, sdp(*SECURE), ANSWER)
    assert made.ends(Side.A) == before


# --- RTCP and addresses


def test_rtcp_mux_is_accepted_on_its_own_side_only():
    """RFC 5761 §5.1.1."""
    offer = sdp("m=audio 4000 RTP/AVP 0", "a=rtcp-mux")
    made, to_b, to_a = crossed(offer, ANSWER)
    assert b"rtcp-mux" not in to_b
    assert "a=rtcp-mux" in lines(to_a)
    assert made.ends(Side.A)[0].rtcp_mux
    assert not made.ends(Side.B)[0].rtcp_mux


def test_an_rtcp_attribute_tells_the_media_plane():
    """RFC 3605."""
    made, _, _ = crossed(
        sdp("m=audio 4000 RTP/AVP 0", "a=rtcp:4007"),
        sdp("m=audio 5000 RTP/AVP 0", "a=rtcp:5009 IN IP4 203.0.113.8"),
    )
    assert made.ends(Side.A)[0].remote_rtcp == ("10.0.0.1", 4007)
    assert made.ends(Side.B)[0].remote_rtcp == ("203.0.113.8", 5009)


@pytest.mark.parametrize("value", ["", "x", "0", "99999", "4007 IN IP4 name"])
def test_a_broken_rtcp_attribute_is_harmless(value):
    made, _, _ = crossed(sdp("m=audio 4000 RTP/AVP 0", f"a=rtcp:{value}"), ANSWER)
    assert made.ends(Side.A)[0].remote_rtcp in (None, ("10.0.0.1", 4007))


@pytest.mark.parametrize("host", ["pbx.example.com", "224.0.0.1", "255.255.255.255", "999.1.1.1"])
def test_an_address_we_must_not_send_to_is_left_to_latching(host):
    made, _, _ = crossed(sdp("m=audio 4000 RTP/AVP 0", host=host), ANSWER)
    assert made.ends(Side.A)[0].remote is None
    assert made.ends(Side.A)[0].active


def test_sides_may_speak_different_ip_versions():
    made, opened = negotiation(families=(4, 6))
    made.receive_offer(Side.A, PLAIN)
    made.set_local(opened)
    assert "c=IN IP6 2001:db8::b" in lines(made.offer_for(Side.B))
    made.receive_answer(Side.B, b"v=0\r\nc=IN IP6 2001:DB8:0::9\r\nm=audio 5000 RTP/AVP 0\r\n")
    assert made.ends(Side.B)[0].remote == ("2001:db8::9", 5000)


# --- echo


def echoed(offer: bytes, policy=OPTIONAL, streams=1):
    made = RelayNegotiation(policy, NONE, counting_octets())
    made.receive_offer(Side.A, offer)
    made.set_local(
        MediaOpened(tuple(("198.51.100.1", 20000 + 2 * each) for each in range(streams)), ())
    )
    return made, made.answer_self(Side.A)


def test_an_echo_answers_every_codec_of_the_first_audio_stream():
    offer = sdp(
        "m=video 4002 RTP/AVP 96",
        "m=audio 4000 RTP/SAVP 0 101",
        "a=rtpmap:101 telephone-event/8000",
        "a=sendonly",
        "a=ssrc:1 cname:x",
        crypto(3, SHA1_80, 3),
        "m=audio 4004 RTP/AVP 0",
    )
    made, body = echoed(offer, streams=3)
    answer = parse_sdp(body)
    assert [each.port for each in answer.media] == [0, 20002, 0]
    assert answer.media[1].formats == ("0", "101")
    assert answer.media[1].profile == "RTP/SAVP"
    assert answer.direction(1) is MediaDirection.RECVONLY
    assert not answer.media[1].has("ssrc")
    assert answer.media[1].attributes("crypto")[0].startswith(f"3 {SHA1_80} ")
    assert [end.active for end in made.ends(Side.A)] == [False, True, False]
    assert made.ends(Side.A)[1].receive_key == SrtpKey(SHA1_80, b"\3" * 30)
    assert made.ends(Side.B) == ()


def test_an_echo_without_audio_is_refused():
    with pytest.raises(SdpError, match="no-media"):
        echoed(sdp("m=video 4002 RTP/AVP 96"))


def test_an_echo_follows_hold_and_keeps_its_keys():
    made, _ = echoed(sdp(*SECURE))
    before = made.ends(Side.A)[0]
    made.receive_offer(Side.A, sdp(*SECURE, "a=inactive"))
    assert parse_sdp(made.answer_self(Side.A)).direction(0) is MediaDirection.INACTIVE
    assert made.ends(Side.A)[0].send_key == before.send_key
    assert not made.ends(Side.A)[0].expect_media
