"""Where messages go: RFC 3261 §12.2.1.1, §18.2; RFC 3581."""

import pytest

from sip.flow import Flow
from sip.target import LocalNames, literal_flow, next_hop, note_source, reply_flow, route
from sip.uri import Uri
from tests.support.sip_text import TCP, UDP, request

V6 = Flow("udp", ("2001:db8::1", 5060), ("2001:db8::a", 5070))


def test_we_advertise_what_we_are_told_for_transport_and_family() -> None:
    names = LocalNames({("udp", 4): ("203.0.113.1", 5060)})
    names.advertise("udp", 6, "2001:db8::ff", 5062)
    assert names.sent_by(UDP) == ("203.0.113.1", 5060)
    assert names.sent_by(V6) == ("2001:db8::ff", 5062)
    assert names.sent_by(TCP) == TCP.local
    assert names.via(V6, "z9hG4bK1") == "SIP/2.0/UDP [2001:db8::ff]:5062;branch=z9hG4bK1;rport"
    dialled = TCP._replace(local=("192.0.2.1", 0))
    assert names.via(dialled, "z9hG4bK1") == "SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK1"
    assert names.via(TCP, "z9hG4bK1") == "SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK1"


def test_our_contact_names_the_transport_unless_it_is_udp() -> None:
    names = LocalNames()
    tls = Flow("tls", ("192.0.2.1", 5061), ("192.0.2.10", 40000))
    assert names.contact(UDP) == "<sip:192.0.2.1:5060>"
    assert names.contact(tls, "100") == "<sip:100@192.0.2.1:5061;transport=tls>"


@pytest.mark.parametrize(
    ("via", "stamp"),
    [
        ("SIP/2.0/UDP 192.0.2.10:5060;branch=b", "SIP/2.0/UDP 192.0.2.10:5060;branch=b"),
        (
            "SIP/2.0/UDP 192.0.2.10:5060;branch=b;rport",
            "SIP/2.0/UDP 192.0.2.10:5060;branch=b;rport=5060;received=192.0.2.10",
        ),
        (
            "SIP/2.0/UDP 10.0.0.5:5060;branch=b",
            "SIP/2.0/UDP 10.0.0.5:5060;branch=b;received=192.0.2.10",
        ),
        (
            "SIP/2.0/UDP pbx.example:5060;branch=b;received=1.2.3.4",
            "SIP/2.0/UDP pbx.example:5060;branch=b;received=192.0.2.10",
        ),
    ],
)
def test_the_source_is_written_into_the_top_via(via: str, stamp: str) -> None:
    """RFC 3261 §18.2.1, RFC 3581 §4."""
    assert note_source(request(via=via), UDP).headers.get("Via") == stamp


def test_only_the_top_via_is_stamped() -> None:
    two = request(via="SIP/2.0/UDP a.example;branch=1, SIP/2.0/UDP b.example;branch=2")
    noted = note_source(two, UDP)
    assert noted.headers.get("Via") == (
        "SIP/2.0/UDP a.example;branch=1;received=192.0.2.10, SIP/2.0/UDP b.example;branch=2"
    )
    again = noted.with_headers(noted.headers)  # nothing is read of it yet
    assert noted.vias == again.vias
    assert (noted.from_, noted.cseq, noted.call_id) == (again.from_, again.cseq, again.call_id)


def test_one_ipv6_address_has_many_spellings() -> None:
    same = request(via="SIP/2.0/UDP [2001:DB8:0::A]:5070;branch=b")
    assert note_source(same, V6) is same


@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("SIP/2.0/UDP 192.0.2.10:5066;branch=b;rport", 5060),  # RFC 3581: the source port
        ("SIP/2.0/UDP 192.0.2.10:5066;branch=b", 5066),  # §18.2.2: the port of the sent-by
        ("SIP/2.0/UDP pbx.example:5066;branch=b", 5066),
        ("SIP/2.0/UDP pbx.example;branch=b", 5060),
        ("SIP/2.0/UDP 10.0.0.5:5066;branch=b", 5060),  # behind NAT only the source leads back
    ],
)
def test_replies_over_udp_follow_the_via(via: str, port: int) -> None:
    assert reply_flow(request(via=via).via, UDP).remote == ("192.0.2.10", port)


def test_replies_on_a_stream_go_by_its_connection() -> None:
    via = request(via="SIP/2.0/TCP pbx.example:5066;branch=b").via
    assert reply_flow(via, TCP) is TCP


@pytest.mark.parametrize(
    ("uri", "transport", "remote"),
    [
        ("sip:x@203.0.113.9", "udp", ("203.0.113.9", 5060)),
        ("sip:x@203.0.113.9:5080;transport=tcp", "tcp", ("203.0.113.9", 5080)),
        ("sip:x@203.0.113.9;transport=TLS", "tls", ("203.0.113.9", 5061)),
        ("sips:x@203.0.113.9", "tls", ("203.0.113.9", 5061)),
        ("sip:x@[2001:db8::9]", "udp", ("2001:db8::9", 5060)),
        ("sip:x@proxy.example;maddr=203.0.113.9", "udp", ("203.0.113.9", 5060)),
        ("sip:x@203.0.113.9;transport=sctp", "udp", ("203.0.113.9", 5060)),
    ],
)
def test_a_literal_host_is_reached_directly(
    uri: str, transport: str, remote: tuple[str, int]
) -> None:
    assert literal_flow(Uri.parse(uri), UDP) == Flow(transport, UDP.local, remote)


def test_a_name_is_not_looked_up_here() -> None:
    assert literal_flow(Uri.parse("sip:x@proxy.example"), UDP) is None


def test_a_dialog_on_tls_stays_on_tls() -> None:
    tls = Flow("tls", ("192.0.2.1", 5061), ("192.0.2.10", 5061))
    found = literal_flow(Uri.parse("sip:x@203.0.113.9;transport=udp"), tls)
    assert found is not None
    assert found.transport == "tls"


def test_loose_routing_keeps_the_target_in_the_request_uri() -> None:
    routes = ["<sip:edge.example;lr>", "<sip:core.example;lr>"]
    assert route("sip:peer@10.0.0.5", routes) == ("sip:peer@10.0.0.5", routes)
    assert str(next_hop("sip:peer@10.0.0.5", routes)) == "sip:edge.example;lr"
    assert route("sip:peer@10.0.0.5", []) == ("sip:peer@10.0.0.5", [])
    assert str(next_hop("sip:peer@10.0.0.5", [])) == "sip:peer@10.0.0.5"


def test_a_strict_router_gets_itself_first_and_the_target_last() -> None:
    """§12.2.1.1."""
    uri, routes = route(
        "sip:peer@10.0.0.5", ["<sip:old.example;method=INVITE?x=y>", "<sip:core.example;lr>"]
    )
    assert uri == "sip:old.example"
    assert list(routes) == ["<sip:core.example;lr>", "<sip:peer@10.0.0.5>"]
