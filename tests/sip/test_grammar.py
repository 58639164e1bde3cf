"""Lexical rules (RFC 3261 §25): what they take, and that no input makes them slow."""

from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip import grammar
from sip.grammar import digits, split_list, split_outside


@pytest.mark.parametrize("text", ["INVITE", "!interesting-Method0123456789_*+`.%indeed'~"])
def test_a_token_takes_every_character_of_its_rule(text: str) -> None:
    assert grammar.TOKEN.fullmatch(text)


@pytest.mark.parametrize("text", ["", "IN VITE", "a/b", "é", 'a"b'])
def test_a_token_takes_nothing_else(text: str) -> None:
    assert grammar.TOKEN.fullmatch(text) is None


@pytest.mark.parametrize(
    "text", ["::1", "2001:db8::10", "::ffff:192.0.2.1", "2001:db8:::192.0.2.1"]
)
def test_an_ipv6_address_is_recognised(text: str) -> None:
    assert grammar.IPV6_ADDRESS.fullmatch(text)


@pytest.mark.parametrize("text", ["", "1.2.3.4", "abcd", "fe80::1%eth0", "g::1"])
def test_other_text_is_no_ipv6_address(text: str) -> None:
    assert grammar.IPV6_ADDRESS.fullmatch(text) is None


def test_digits_are_ascii_digits_of_bounded_length() -> None:
    assert digits("0071") == 71
    assert [digits(t) for t in ("", "-1", "+1", "1 ", "٣", "²", "1" * 11)] == [None] * 7
    assert digits("123456", 5) is None


def test_commas_inside_quotes_and_brackets_do_not_split() -> None:
    text = '"a, \\", b" <sip:x?h=1,2>;p="q,r" , <sip:y,z>,'
    assert split_list(text) == ['"a, \\", b" <sip:x?h=1,2>;p="q,r"', "<sip:y,z>"]


def test_a_quote_inside_brackets_quotes_nothing() -> None:
    assert split_list('<sip:a"b>, <sip:c>') == ['<sip:a"b>', "<sip:c>"]


def test_empty_elements_of_a_list_are_dropped() -> None:
    assert split_list(" a,, b ,") == ["a", "b"]
    assert split_list("  ") == []


def test_an_unbalanced_quote_ends_the_splitting() -> None:
    assert split_list('a, "b, c') == ["a", '"b, c']


@given(st.text(alphabet='a,;"<>\\ ', max_size=60))
def test_splitting_loses_no_character(text: str) -> None:
    assert ",".join(split_outside(text, ",")) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("FOLD", " " * 60_000),
        ("FOLD", "\r\n" * 30_000),
        ("QUOTED_STRING", '"' + "\\a" * 30_000),
        ("GEN_VALUE", '"' + "\\a" * 30_000),
        ("VIA", "SIP/2.0/UDP" + " " * 60_000),
        ("VIA", "SIP/2.0/UDP a" + " " * 60_000 + "!"),
        ("VIA", "SIP" + " " * 60_000),
        ("HOSTNAME", "a" * 60_000 + "-"),
        ("IPV6_ADDRESS", "1" * 30_000 + ":" * 30_000 + "x"),
        ("AUTH_PARAM", "a=" + "b" * 60_000 + '"'),
        ("AUTH_PARAM", 'a="' + "\\b" * 30_000),
        ("AUTH_PARAM", "a=b" + " " * 60_000 + "!"),
    ],
)
def test_no_expression_goes_quadratic(name: str, text: str) -> None:
    expression = getattr(grammar, name)
    started = perf_counter()
    expression.fullmatch(text)
    expression.search(text[:2_000])
    expression.match(text)
    assert perf_counter() - started < 0.5


def test_searching_for_folds_in_blanks_is_linear() -> None:
    started = perf_counter()
    grammar.FOLD.sub(" ", "a: " + " \t" * 30_000 + "x\r\n b")
    assert perf_counter() - started < 0.2
