"""What an SDP says about addresses, directions and codecs (RFC 8866, RFC 3551)."""

from media.sdp.model import Codec, Line, MediaDescription, MediaDirection
from media.sdp.parser import parse_sdp

BODY = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=recvonly\r\n"
    b"m=audio 4000 RTP/AVP 0 18 97 101 98 x\r\na=rtpmap:97 opus/48000/2\r\n"
    b"a=fmtp:97 useinbandfec=1\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"
    b"m=video 5000 RTP/SAVPF 96\r\nc=IN IP6 2001:db8::1/127\r\n"
    b"m=image 6000 udptl t38\r\n"
)


def test_codecs_come_from_rtpmap_fmtp_and_the_static_table():
    assert parse_sdp(BODY).media[0].codecs() == (
        Codec(0, "PCMU", 8000),
        Codec(18, "G729", 8000),
        Codec(97, "opus", 48000, 2, "useinbandfec=1"),
        Codec(101, "telephone-event", 8000),
        Codec(98, "", 0),
    )


def test_a_broken_rtpmap_gives_no_clock_rate():
    media = MediaDescription("audio", 1, "RTP/AVP", ("96",), (Line("a", "rtpmap:96 x/y/z"),))
    assert media.codecs() == (Codec(96, "x", 0, 1),)


def test_the_connection_of_the_media_goes_before_the_one_of_the_session():
    found = parse_sdp(BODY)
    assert [found.connection(each) for each in range(3)] == [
        "192.0.2.1",
        "2001:db8::1",
        "192.0.2.1",
    ]


def test_a_missing_or_short_connection_is_none():
    assert parse_sdp(b"v=0\r\nm=audio 1 RTP/AVP 0\r\n").connection(0) is None
    assert parse_sdp(b"v=0\r\nc=IN IP4\r\nm=audio 1 RTP/AVP 0\r\n").connection(0) is None


def test_the_direction_of_the_media_goes_before_the_one_of_the_session():
    found = parse_sdp(BODY)
    assert found.direction(0) is MediaDirection.SENDONLY
    assert found.direction(1) is MediaDirection.RECVONLY
    bare = parse_sdp(b"v=0\r\nm=audio 1 RTP/AVP 0\r\n")
    assert bare.direction(0) is MediaDirection.SENDRECV


def test_sendonly_and_recvonly_mirror_each_other():
    assert [each.mirrored.value for each in MediaDirection] == [
        "sendrecv",
        "recvonly",
        "sendonly",
        "inactive",
    ]


def test_only_rtp_profiles_carry_rtp():
    assert [media.is_rtp for media in parse_sdp(BODY).media] == [True, True, False]


def test_attributes_are_found_by_their_whole_name():
    lines = (Line("a", "rtcp-mux"), Line("a", "rtcp-mux-only"), Line("b", "AS:1"))
    media = MediaDescription("audio", 1, "RTP/AVP", (), lines)
    assert media.has("rtcp-mux")
    assert media.attributes("rtcp-mux") == [""]
    assert not media.has("AS")
    assert not media.has("rtcp")
    assert Line("a", "RTCP-Mux : x").attribute == "rtcp-mux"
