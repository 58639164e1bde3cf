"""Reading and printing SDP: tolerant, bounded, never surprised (RFC 8866)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.errors import SdpError
from media.sdp.parser import SdpLimits, parse_sdp, print_sdp

SAMPLE = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"a=X-unknown:caf\xe9\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
    b"y=unknown line\r\na=fmtp:101 0-16\r\nm=image 0 udptl t38\r\n"
)


def test_a_clean_body_comes_out_octet_for_octet():
    assert print_sdp(parse_sdp(SAMPLE)) == SAMPLE


def test_bare_line_feeds_and_blank_lines_are_tolerated():
    assert print_sdp(parse_sdp(b"\n\n" + SAMPLE.replace(b"\r\n", b"\n") + b"\n")) == SAMPLE


def test_the_last_line_needs_no_line_end():
    assert print_sdp(parse_sdp(SAMPLE.rstrip())) == SAMPLE


def test_unknown_lines_stay_where_they_were():
    kinds = [line.kind for line in parse_sdp(SAMPLE).media[0].lines]
    assert kinds == ["a", "y", "a"]


def test_a_port_count_is_read_over():
    media = parse_sdp(SAMPLE.replace(b"4000 ", b"4000/2 ")).media[0]
    assert media.port == 4000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n\r\n",
        b"o=- 1 1 IN IP4 1.1.1.1\r\nv=0\r\n",
        b"v=1\r\n",
        b"v=0\r\nm=audio\r\n",
        b"v=0\r\nm=audio 4000\r\n",
        b"v=0\r\nm=audio x RTP/AVP 0\r\n",
        b"v=0\r\nm=audio 65536 RTP/AVP 0\r\n",
        b"v=0\r\nm=audio -1 RTP/AVP 0\r\n",
        b"v=0\r\nm=audio 999999999999999999 RTP/AVP 0\r\n",
        b"v=0\r\nno type\r\n",
        b"v=0\r\nab=c\r\n",
        b"v=0\r\na=x\ry\r\n",
        b"v=0\r\na=x\0y\r\n",
        "v=0\r\nm=audio ٤ RTP/AVP 0\r\n".encode(),
    ],
)
def test_what_is_no_sdp_is_malformed(body):
    with pytest.raises(SdpError) as caught:
        parse_sdp(body)
    assert caught.value.reason == "malformed"


def test_nine_media_lines_are_too_many():
    body = b"v=0\r\n" + b"m=audio 4000 RTP/AVP 0\r\n" * 8
    assert len(parse_sdp(body).media) == 8
    with pytest.raises(SdpError, match="too-large"):
        parse_sdp(body + b"m=audio 4000 RTP/AVP 0\r\n")


def test_size_and_line_count_are_bounded():
    with pytest.raises(SdpError, match="too-large"):
        parse_sdp(SAMPLE, SdpLimits(octets=len(SAMPLE) - 1))
    with pytest.raises(SdpError, match="too-large"):
        parse_sdp(SAMPLE, SdpLimits(lines=5))


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_octets_give_a_description_or_an_sdp_error(noise):
    for body in (noise, b"v=0\r\n" + noise):
        try:
            first = parse_sdp(body)
        except SdpError:
            continue
        assert parse_sdp(print_sdp(first)) == first


@given(
    st.lists(
        st.tuples(st.integers(0, len(SAMPLE) - 1), st.integers(0, 2), st.integers(0, 255)),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=300, deadline=None)
def test_a_mutated_body_gives_a_stable_description_or_an_sdp_error(mutations):
    body = bytearray(SAMPLE)
    for at, kind, octet in mutations:
        where = at % max(len(body), 1)
        if kind == 0:
            body[where : where + 1] = bytes((octet,))
        elif kind == 1:
            body[where:where] = bytes((octet,))
        else:
            del body[where : where + 1 + octet % 16]
    try:
        first = parse_sdp(bytes(body))
    except SdpError:
        return
    printed = print_sdp(first)
    assert parse_sdp(printed) == first
    assert print_sdp(parse_sdp(printed)) == printed
