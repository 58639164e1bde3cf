"""Header fields as an ordered, case-blind, immutable list (RFC 3261 §7.3)."""

import pytest

from sip.errors import LocalProtocolError
from sip.headers import COMPACT_FORMS, Headers, key_of

SAMPLE = Headers(
    [
        ("v", "SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b"),
        ("Via", "SIP/2.0/UDP c"),
        ("From", "<sip:a@b>"),
        ("X-Thing", "1"),
    ]
)


@pytest.mark.parametrize("name", ["From", "from", "FROM", "fRoM", "f", "F"])
def test_any_spelling_finds_a_field(name: str) -> None:
    assert SAMPLE.get(name) == "<sip:a@b>"
    assert name in SAMPLE


def test_every_compact_form_means_its_long_form() -> None:
    for letter, name in COMPACT_FORMS.items():
        assert key_of(letter) == key_of(letter.upper()) == key_of(name) == name.lower()


def test_unknown_names_are_case_blind_too() -> None:
    assert SAMPLE.get("x-THING") == "1"
    assert SAMPLE.get("X-Other") is None
    assert "X-Other" not in SAMPLE


def test_lines_and_list_elements_are_told_apart() -> None:
    assert SAMPLE.get("via") == "SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b"
    assert len(SAMPLE.all("Via")) == 2
    assert SAMPLE.values("Via") == ["SIP/2.0/UDP a;branch=1", "SIP/2.0/UDP b", "SIP/2.0/UDP c"]
    assert SAMPLE.count("via") == 2
    assert SAMPLE.all("To") == []
    assert SAMPLE.all("From") == ["<sip:a@b>"]


def test_copies_leave_the_original_alone() -> None:
    before = list(SAMPLE.items())
    SAMPLE.with_field("To", "x").with_first("Route", "y").without("Via").with_field("From", "z")
    assert list(SAMPLE.items()) == before


def test_a_field_is_replaced_in_its_place_or_appended() -> None:
    headers = Headers([("A", "1"), ("b", "2"), ("A", "3"), ("C", "4")])
    assert list(headers.with_field("a", "9").items()) == [("a", "9"), ("b", "2"), ("C", "4")]
    assert list(headers.with_field("B", "9").items())[1] == ("b", "9")
    assert list(headers.with_field("D", "9").items())[-1] == ("D", "9")
    assert next(headers.with_first("D", "9").items()) == ("D", "9")
    assert list(headers.without("A").items()) == [("b", "2"), ("C", "4")]
    assert headers.without("zzz") is headers
    assert len(headers.with_last("A", "5")) == 5


def test_the_top_element_of_a_list_can_be_replaced_alone() -> None:
    changed = SAMPLE.with_top("Via", "new")
    assert changed.values("Via") == ["new", "SIP/2.0/UDP b", "SIP/2.0/UDP c"]


def test_content_length_is_always_true_and_stands_once() -> None:
    assert Headers([("A", "1")]).lines(5) == ["A: 1", "Content-Length: 5"]
    assert Headers([("l", "9"), ("A", "1")]).lines(0) == ["Content-Length: 0", "A: 1"]
    assert Headers([("l", "9"), ("A", "1"), ("Content-Length", "9")]).lines(3) == [
        "A: 1",
        "Content-Length: 3",
    ]


@pytest.mark.parametrize("name", ["", "A:", "A B", "A\r\nB", "é"])
def test_a_name_that_is_no_token_is_our_own_error(name: str) -> None:
    with pytest.raises(LocalProtocolError):
        Headers([(name, "x")])
    with pytest.raises(LocalProtocolError):
        Headers().with_first(name, "x")
    with pytest.raises(LocalProtocolError):
        Headers().with_field(name, "x")


def test_equality_ignores_spelling_but_not_order() -> None:
    assert Headers([("f", "x")]) == Headers([("From", "x")])
    assert hash(Headers([("f", "x")])) == hash(Headers([("From", "x")]))
    assert Headers([("A", "1"), ("B", "2")]) != Headers([("B", "2"), ("A", "1")])
    assert Headers() != "x"
    assert repr(Headers([("A", "1")])) == "Headers([('A', '1')])"
