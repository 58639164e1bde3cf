"""By which address a peer reaches us."""

from gateway.aio.names import RoutedNames, address_towards
from sip.flow import Flow


def test_what_is_advertised_wins() -> None:
    names = RoutedNames({4: "203.0.113.1"})
    names.advertise("udp", 4, "203.0.113.1", 5070)
    flow = Flow("udp", ("0.0.0.0", 5060), ("127.0.0.1", 5080))
    assert names.sent_by(flow) == ("203.0.113.1", 5070)
    assert names.media_host(flow, 4) == "203.0.113.1"


def test_a_wildcard_is_told_as_our_address_towards_the_peer() -> None:
    names = RoutedNames()
    names.listening("udp", 4, 5060)
    flow = Flow("udp", ("0.0.0.0", 5060), ("127.0.0.1", 5080))
    assert names.sent_by(flow) == ("127.0.0.1", 5060)
    assert names.media_host(flow, 4) == "127.0.0.1"


def test_a_dialled_connection_names_the_listener_not_its_own_port() -> None:
    """Nobody can call back an ephemeral port."""
    names = RoutedNames()
    names.listening("tls", 4, 5061)
    flow = Flow("tls", ("127.0.0.1", 49152), ("127.0.0.1", 5081))
    assert names.sent_by(flow) == ("127.0.0.1", 5061)


def test_without_a_route_it_is_loopback() -> None:
    assert address_towards("127.0.0.1") == "127.0.0.1"
    assert address_towards("::1") == "::1"
