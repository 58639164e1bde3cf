"""Via (RFC 3261 §20.42, RFC 3581, RFC 5118)."""

import pytest

from sip.errors import RemoteProtocolError
from sip.fields.via import Via


def test_a_via_is_read_and_printed_back() -> None:
    text = "SIP/2.0/UDP pc33.atlanta.com:5060;branch=z9hG4bK776;rport"
    via = Via.parse(text)
    assert (via.transport, via.host, via.port, via.branch) == (
        *("UDP", "pc33.atlanta.com"),
        *(5060, "z9hG4bK776"),
    )
    assert str(via) == text


def test_white_space_is_allowed_around_slashes_and_colon() -> None:
    via = Via.parse("SIP / 2.0 / tcp  first.example.com: 4000 ;ttl=16 ; branch = z9hG4bKa")
    assert (via.transport, via.host, via.port) == ("TCP", "first.example.com", 4000)
    assert via.params == (("ttl", "16"), ("branch", "z9hG4bKa"))


def test_rport_may_be_asked_for_or_answered() -> None:
    """RFC 3581 §3, §4."""
    asked = Via.parse("SIP/2.0/UDP a;rport;branch=z9hG4bK")
    assert (asked.asks_rport, asked.rport) == (True, None)
    answered = asked.with_param("rport", "4242").with_param("received", "192.0.2.7")
    assert str(answered) == "SIP/2.0/UDP a;rport=4242;branch=z9hG4bK;received=192.0.2.7"
    assert (answered.rport, answered.received) == (4242, "192.0.2.7")
    assert not Via.parse("SIP/2.0/UDP a").asks_rport


@pytest.mark.parametrize("received", ["2001:db8::9:255", "[2001:db8::9:255]"])
def test_received_may_hold_an_ipv6_address_with_or_without_brackets(received: str) -> None:
    """RFC 5118 §4.5."""
    via = Via.parse(f"SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKas3-111")
    assert (via.host, via.received) == ("2001:db8::9:1", "2001:db8::9:255")
    assert str(via).startswith("SIP/2.0/UDP [2001:db8::9:1];")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "SIP/2.0/UDP",
            "SIP/2.0 UDP a",
            "HTTP/1.1/TCP a",
            "SIP/2.0/UDP a:0",
            "SIP/2.0/UDP a:70000",
        ),
        *(
            "SIP/2.0/UDP a b",
            "SIP/2.0/UDP -",
            "SIP/2.0/UDP [1.2.3.4]",
            "SIP/2.0/UDP a;b c",
            "SIP/2.0/UDP a,",
        ),
    ],
)
def test_malformed_vias_are_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Via.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa",
        "SIP/2.0/TCP pbx.example.com:5060;branch=z9hG4bKa;rport",
        "SIP/2.0/TLS 10.0.0.1:0;branch=z9hG4bKa",
        "SIP/2.0/UDP 10.0.0.1:65536;branch=z9hG4bKa",
        "SIP/2.0/UDP a.;branch=a",
        "SIP/2.0/UDP a;branch=",
    ],
)
def test_the_usual_form_is_read_as_the_full_rules_read_it(text: str) -> None:
    def read(text: str) -> Via | str:
        try:
            return Via.parse(text)
        except RemoteProtocolError as error:
            return str(error)

    assert read(text) == read(f"{text} ")  # the blank is legal, and not of the usual form
