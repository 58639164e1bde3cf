"""How a peer's SDP becomes ours, line by line (RFC 8866 §5)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.errors import SdpError
from media.sdp.parser import parse_sdp, print_sdp
from media.sdp.rewrite import Heading, Placement, is_hold_address, rewritten, usable_address

HEADING = Heading("gw", "11", 3, "call", "198.51.100.1")


def rewrite(body: bytes, *placements: Placement) -> list[str]:
    found = rewritten(parse_sdp(body), placements, HEADING)
    return print_sdp(found).decode("utf-8", "surrogateescape").split("\r\n")[:-1]


def test_our_head_replaces_the_peers_and_the_rest_keeps_its_order():
    body = (
        b"v=0\r\no=x 1 1 IN IP4 10.9.9.9\r\ns=secret subject\r\ni=info\r\nu=http://x\r\n"
        b"e=a@b\r\np=+1\r\nc=IN IP4 10.9.9.9\r\nb=AS:64\r\nt=1 2\r\nr=1\r\na=tool:x\r\n"
    )
    assert rewrite(body) == [
        "v=0",
        "o=gw 11 3 IN IP4 198.51.100.1",
        "s=call",
        "c=IN IP4 198.51.100.1",
        "b=AS:64",
        "t=1 2",
        "r=1",
        "a=tool:x",
    ]


def test_a_missing_time_line_is_added_after_the_bandwidth():
    assert rewrite(b"v=0\r\nb=AS:64\r\na=tool:x\r\n")[4:] == ["b=AS:64", "t=0 0", "a=tool:x"]


def test_a_refused_stream_is_left_bare():
    body = b"v=0\r\nm=video 4000 RTP/AVP 96\r\nc=IN IP4 10.9.9.9\r\na=rtpmap:96 H264/90000\r\n"
    assert rewrite(body, Placement(None, "RTP/AVP"))[5:] == ["m=video 0 RTP/AVP 96"]


def test_a_stream_on_another_address_of_ours_has_its_own_connection_after_its_title():
    body = b"v=0\r\nm=audio 4000 RTP/AVP 0\r\ni=title\r\nb=AS:64\r\n"
    placement = Placement(("198.51.100.9", 20000), "RTP/AVP", rtcp_mux=True)
    assert rewrite(body, placement)[5:] == [
        "m=audio 20000 RTP/AVP 0",
        "i=title",
        "c=IN IP4 198.51.100.9",
        "b=AS:64",
        "a=rtcp-mux",
    ]


def test_an_ipv6_hold_stays_a_hold():
    body = b"v=0\r\nc=IN IP6 ::\r\nm=audio 4000 RTP/AVP 0\r\n"
    assert "c=IN IP6 ::" in rewrite(body, Placement(("2001:db8::1", 20000), "RTP/AVP"))
    assert "c=IN IP4 0.0.0.0" in rewrite(body, Placement(("198.51.100.1", 20000), "RTP/AVP"))


def test_an_opaque_stream_keeps_its_handshake_but_not_its_candidates():
    body = b"v=0\r\nm=image 4000 UDP/TLS/UDPTL t38\r\na=setup:active\r\na=candidate:1\r\n"
    placement = Placement(("198.51.100.1", 20000), "UDP/TLS/UDPTL")
    assert rewrite(body, placement)[6:] == ["a=setup:active"]


@pytest.mark.parametrize(
    ("text", "usable"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("0.0.0.0", None),
        ("::", None),
        ("239.1.1.1", None),
        ("ff02::1", None),
        ("host.example", None),
        ("", None),
        (None, None),
    ],
)
def test_only_unicast_literals_are_sent_to(text, usable):
    assert usable_address(text) == usable
    assert is_hold_address(text) is (text in ("0.0.0.0", "::"))


@given(st.lists(st.sampled_from("abceikmopstuvyz"), max_size=12), st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_no_address_key_or_name_of_the_peer_gets_out(kinds, noise):
    value = b"crypto:1 10.9.9.9 " + noise
    body = b"v=0\r\n" + b"".join(each.encode() + b"=" + value + b"\r\n" for each in kinds)
    try:
        source = parse_sdp(body)
    except SdpError:
        return
    placements = tuple(Placement(("198.51.100.1", 20000), media.profile) for media in source.media)
    printed = print_sdp(rewritten(source, placements, HEADING))
    assert print_sdp(parse_sdp(printed)) == printed
    for line in printed.split(b"\r\n"):
        assert not (line[:2] in (b"o=", b"c=", b"s=", b"k=", b"e=") and b"10.9.9.9" in line)
        assert not line.startswith(b"a=crypto")
