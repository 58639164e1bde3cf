"""Addresses as they are written in the settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.address import is_host, join, parse_advertise, parse_bind


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("0.0.0.0:5060", ("0.0.0.0", 5060)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("[::]:5061", ("::", 5061)),
        ("[2001:db8::1]:65535", ("2001:db8::1", 65535)),
    ],
)
def test_a_bind_address_is_split(text: str, address: tuple[str, int]) -> None:
    assert parse_bind(text) == address


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0.0.0.0", "has no port"),
        ("0.0.0.0:", "is not a port"),
        ("0.0.0.0:65536", "is not a port"),
        ("0.0.0.0:-1", "is not a port"),
        ("0.0.0.0:٣", "is not a port"),
        ("localhost:5060", "is not an IP address"),
        ("[::1", "not an IPv6 address in brackets"),
        ("[::1]5060", "expected a colon"),
        ("[127.0.0.1]:5060", "not an IPv6 address in brackets"),
        ("::1", "has no port"),
        ("", "has no port"),
    ],
)
def test_a_bad_bind_address_is_explained(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_bind(text)


@pytest.mark.parametrize(
    ("text", "advertised"),
    [
        ("", ("", None)),
        ("sip.example.com", ("sip.example.com", None)),
        ("sip.example.com:5070", ("sip.example.com", 5070)),
        ("192.0.2.1", ("192.0.2.1", None)),
        ("2001:db8::1", ("2001:db8::1", None)),
        ("[2001:db8::1]", ("2001:db8::1", None)),
        ("[2001:db8::1]:5070", ("2001:db8::1", 5070)),
    ],
)
def test_an_advertised_address_may_be_a_name(text: str, advertised: tuple[str, int | None]) -> None:
    assert parse_advertise(text) == advertised


@pytest.mark.parametrize("text", ["sip_x.example", "a b", "-a.example", "a..b", "host:0", ":5060"])
def test_what_nobody_can_reach_is_not_advertised(text: str) -> None:
    with pytest.raises(ValueError):
        parse_advertise(text)


def test_a_host_name_has_an_end() -> None:
    assert is_host("a" * 253)
    assert not is_host("a" * 254)


@given(st.ip_addresses().map(str), st.integers(0, 65535))
def test_what_is_joined_can_be_split(host: str, port: int) -> None:
    assert parse_bind(join(host, port)) == (host, port)
