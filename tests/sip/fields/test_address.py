"""Addresses in From, To, Contact and their like (RFC 3261 §20.10)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import RemoteProtocolError
from sip.fields.address import NameAddr
from sip.uri import Uri


@pytest.mark.parametrize(
    ("text", "display", "uri", "params"),
    [
        ("<sip:a@b>", "", "sip:a@b", ()),
        ('"A. G. Bell" <sip:a@b;x=1> ;tag=a48s', "A. G. Bell", "sip:a@b;x=1", (("tag", "a48s"),)),
        ("Anonymous <sip:c8@x.com>;tag=hyh8", "Anonymous", "sip:c8@x.com", (("tag", "hyh8"),)),
        ("caller<sip:a@b>", "caller", "sip:a@b", ()),
        ('"<\\"x\\\\,>"<sip:a@b>', '<"x\\,>', "sip:a@b", ()),
        ("sip:a@b;tag=1;q=0.5", "", "sip:a@b", (("tag", "1"), ("q", "0.5"))),
        ("Тест <sip:a@b>", "Тест", "sip:a@b", ()),
    ],
)
def test_every_form_of_address_is_read(
    text: str, display: str, uri: str, params: tuple[tuple[str, str | None], ...]
) -> None:
    assert NameAddr.parse(text) == NameAddr(display, Uri.parse(uri), params)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "<>",
            "<sip:a@b",
            '"x <sip:a@b>',
            '"x" sip:a@b',
            "Bell, A <sip:a@b>",
            "a;b <sip:a@b>",
        ),
        *("<sip:a@b>x", "sip:a@b?x=y", "<sip:a@b>, <sip:c@d>", "< sip:a@b >", "*"),
    ],
)
def test_malformed_addresses_are_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        NameAddr.parse(text)


def test_parameters_without_brackets_belong_to_the_field() -> None:
    """RFC 3261 §20: not to the URI."""
    address = NameAddr.parse("sip:a@b;transport=tcp")
    assert address.uri.params == ()
    assert address.param("Transport".lower()) == "tcp"


def test_the_tag_is_found_whatever_its_case() -> None:
    assert NameAddr.parse("<sip:a@b>;TAG=x").tag == "x"
    assert NameAddr.parse("<sip:a@b>").tag == ""


def test_a_tag_is_added_once() -> None:
    address = NameAddr.parse("<sip:a@b>;x").with_tag("1").with_tag("2")
    assert str(address) == "<sip:a@b>;x;tag=2"


@given(st.text(alphabet=st.characters(exclude_characters="\r\n\0"), max_size=30))
def test_any_display_name_prints_and_parses_back(display: str) -> None:
    address = NameAddr(display, Uri.parse("sip:a@b"), (("tag", "1"),))
    assert NameAddr.parse(str(address)) == address


@given(st.text(alphabet='ab:@<>";,\\ =?*[]', max_size=40))
def test_any_text_is_an_address_or_a_protocol_error(text: str) -> None:
    for candidate in (text, f"<sip:a@b>{text}", f"{text}<sip:a@b>"):
        with suppress(RemoteProtocolError):
            NameAddr.parse(candidate)


@pytest.mark.parametrize(
    "text",
    [
        "<sip:a@b>",
        "<sip:a@b>;tag=x",
        '"Bob" <sip:a@b;lr?c=d>;tag=x',
        '"" <tel:+49>',
        "<>;tag=x",
        "<sip:a@b<>",
        '"a" \t<sip:a@b>;tag=a-b.c',
    ],
)
def test_the_usual_form_is_read_as_the_full_rules_read_it(text: str) -> None:
    def read(text: str) -> NameAddr | str:
        try:
            return NameAddr.parse(text)
        except RemoteProtocolError as error:
            return str(error)

    assert read(text) == read(f"{text} ")  # the blank is legal, and not of the usual form
