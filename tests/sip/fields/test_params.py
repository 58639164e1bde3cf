"""Parameter lists and quoted strings (RFC 3261 §7.3.1, §25.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import RemoteProtocolError
from sip.fields.params import format_params, parse_params, quote, unquote


def test_flags_values_and_quoted_values_keep_their_order_and_text() -> None:
    params = parse_params(';a=1; b ;C="x;\\"y" ; d = 2')
    assert params == (("a", "1"), ("b", None), ("C", '"x;\\"y"'), ("d", "2"))
    assert format_params(params) == ';a=1;b;C="x;\\"y";d=2'


def test_no_text_is_no_parameters() -> None:
    assert parse_params("") == ()
    assert parse_params(";") == ()


@pytest.mark.parametrize("text", ["x;a", ";a b", ";=1", ';a="b', ";a=b c", ';a=b"c"', ";a=<b>"])
def test_malformed_parameters_are_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_params(text)


@given(st.text(max_size=30))
def test_quoting_can_be_undone(text: str) -> None:
    assert unquote(quote(text)) == text


def test_text_without_quotes_is_left_alone() -> None:
    assert unquote("abc\\d") == "abc\\d"
    assert unquote('"') == '"'
