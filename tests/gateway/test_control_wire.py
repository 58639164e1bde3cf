"""The messages of the control socket."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import control_wire as wire
from gateway.commands.base import CommandError
from tests.support.commands import refused


def test_a_request_and_its_answer_cross_the_wire() -> None:
    line = wire.ask_line(7, "profile.show", {"profile": "Zürich\n"})
    assert line.count(b"\n") == 1
    assert wire.read_ask(line) == wire.Ask(7, "profile.show", {"profile": "Zürich\n"})
    assert wire.read_answer(wire.result_line(7, {"a": [1]}), 7) == {"a": [1]}


def test_a_refusal_crosses_with_its_code_sentence_and_details() -> None:
    line = wire.error_line("x", CommandError("BAD_DECK", "2 bad rows", [{"line": 3}]))
    error = refused(lambda: wire.read_answer(line, "x"))
    assert (error.code, error.sentence, error.details) == ("BAD_DECK", "2 bad rows", ({"line": 3},))


@pytest.mark.parametrize(
    ("line", "id"),
    [
        (b"", None),
        (b"nonsense\n", None),
        (b"\xff\xfe\n", None),
        (b"[" * 100_000 + b"\n", None),
        (b"[1]\n", None),
        (b'{"verb":"status"}\n', None),
        (b'{"id":true,"verb":"status"}\n', None),
        (b'{"id":{},"verb":"status"}\n', None),
        (b'{"id":1}\n', 1),
        (b'{"id":1,"verb":5}\n', 1),
        (b'{"id":1,"verb":"status","args":[]}\n', 1),
        (b'{"id":1,"verb":"status","extra":1}\n', 1),
    ],
)
def test_what_is_no_request_is_told_with_its_id_where_it_has_one(
    line: bytes, id: int | None
) -> None:
    with pytest.raises(wire.BadAsk) as caught:
        wire.read_ask(line)
    assert caught.value.id == id


@given(st.binary(max_size=60))
def test_no_octets_break_the_reader(line: bytes) -> None:
    with pytest.raises(wire.BadAsk):
        wire.read_ask(b"\0" + line)
    with suppress(wire.BadAsk):
        wire.read_ask(line)


def test_a_request_longer_than_a_gateway_takes_is_not_sent() -> None:
    error = refused(lambda: wire.ask_line(1, "deck.lines", {"text": "x" * wire.MAX_REQUEST}))
    assert error.code == "TOO_LONG"


def test_a_code_of_a_newer_gateway_is_told_with_its_sentence() -> None:
    line = json.dumps({"id": 1, "error": {"code": "NEW", "sentence": "no", "details": 3}}).encode()
    error = refused(lambda: wire.read_answer(line, 1))
    assert (error.code, error.sentence) == ("INTERNAL", "no (NEW)")


@pytest.mark.parametrize("line", [b"[]", b'{"id":2,"result":{}}', b'{"id":1,"result":3}', b"x"])
def test_an_answer_to_something_else_is_no_answer(line: bytes) -> None:
    with pytest.raises(ValueError):
        wire.read_answer(line, 1)
