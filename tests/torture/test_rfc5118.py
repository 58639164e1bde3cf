"""RFC 5118: SIP messages with IPv6 addresses in every place an address can stand."""

from pathlib import Path

import pytest

from sip.errors import RemoteProtocolError
from sip.message import Request
from sip.parser import parse_message

pytestmark = pytest.mark.torture

FOLDER = Path(__file__).parent / "rfc5118"

# Name: section of the RFC.
READ = {
    "ipv6-good": "4.1",
    "port-ambiguous": "4.3",
    "port-unambiguous": "4.4",
    "via-received-param-with-delim": "4.5",
    "via-received-param-no-delim": "4.5",
    "ipv6-in-sdp": "4.6",
    "mult-ip-in-header": "4.7",
    "mult-ip-in-sdp": "4.8",
    "mult-ip-in-sdp.rfc-printed": "4.8",
    "ipv4-mapped-ipv6": "4.9",
    "ipv4-mapped-ipv6.rfc-printed": "4.9",
    "ipv6-bug-abnf-3-colons": "4.10",
    "ipv6-correct-abnf-2-colons": "4.10",
}
REFUSED = {
    "ipv6-bad": "4.2",
    "ipv6-in-sdp.rfc-printed": "4.6",
    "ipv6-bug-abnf-3-colons.rfc-printed": "4.10",
    "ipv6-correct-abnf-2-colons.rfc-printed": "4.10",
}


def load(name: str) -> bytes:
    return (FOLDER / f"{name}.dat").read_bytes()


def request(name: str) -> Request:
    message = parse_message(load(name))
    assert isinstance(message, Request)
    return message


def test_every_file_is_accounted_for() -> None:
    names = {path.name.removesuffix(".dat") for path in FOLDER.glob("*.dat")}
    assert names == READ.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", READ)
def test_a_legal_message_is_read_and_survives_printing(name: str) -> None:
    message = request(name)
    assert parse_message(message.to_bytes()).headers.get("Via") == message.headers.get("Via")


@pytest.mark.parametrize("name", REFUSED)
def test_an_illegal_message_is_refused(name: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_message(load(name))
    assert caught.value.status_hint == 400


def test_the_port_stands_after_the_brackets() -> None:
    """RFC 5118 §4.3, §4.4."""
    ambiguous = request("port-ambiguous").request_uri
    assert (ambiguous.host, ambiguous.port) == ("2001:db8::10:5070", None)
    clear = request("port-unambiguous").request_uri
    assert (clear.host, clear.port) == ("2001:db8::10", 5070)


@pytest.mark.parametrize("name", ["via-received-param-with-delim", "via-received-param-no-delim"])
def test_received_is_read_with_and_without_brackets(name: str) -> None:
    """RFC 5118 §4.5."""
    assert request(name).via.received == "2001:db8::9:255"


def test_addresses_of_both_families_stand_in_one_message() -> None:
    """RFC 5118 §4.7."""
    hosts = [via.host for via in request("mult-ip-in-header").vias]
    assert any(":" in host for host in hosts)
    assert any(":" not in host for host in hosts)


def test_three_colons_are_taken_as_they_are() -> None:
    """RFC 5118 §4.10."""
    assert request("ipv6-bug-abnf-3-colons").request_uri.host == "2001:db8:::192.0.2.1"
