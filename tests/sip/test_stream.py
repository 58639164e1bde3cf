"""Cutting streams into messages (RFC 3261 §18.3, RFC 5626 §3.5.1)."""

from itertools import pairwise
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import RemoteProtocolError
from sip.parser import Limits
from sip.stream import KeepAlive, StreamFramer

ONE = b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\nContent-Length: 5\r\n\r\n\r\n\r\nX"
TWO = b"BYE sip:a SIP/2.0\r\nl : 0\r\n\r\n"
THREE = b"SIP/2.0 200 OK\r\nX: content-length: 9\r\nCONTENT-LENGTH:\r\n 3\r\n\r\nabc"
PING = b"\r\n\r\n"


def feed_all(framer: StreamFramer, pieces: list[bytes]) -> list[bytes | KeepAlive]:
    return [item for piece in pieces for item in framer.feed(piece)]


def test_several_messages_in_one_segment_come_out_one_by_one() -> None:
    framer = StreamFramer()
    assert framer.feed(ONE + TWO + THREE + ONE[:10]) == [ONE, TWO, THREE]
    assert framer.buffered == 10


@given(st.lists(st.integers(1, 140), max_size=12))
def test_any_fragmentation_gives_the_same_messages(cuts: list[int]) -> None:
    data = ONE + PING + TWO + THREE
    edges = [0, *sorted({cut for cut in cuts if cut < len(data)}), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    framer = StreamFramer()
    assert feed_all(framer, pieces) == [ONE, KeepAlive.PING, TWO, THREE]
    assert framer.buffered == 0


def test_octet_by_octet_gives_the_same_messages() -> None:
    data = PING + ONE + TWO + PING + THREE
    pieces = [bytes([octet]) for octet in data]
    assert feed_all(StreamFramer(), pieces) == [KeepAlive.PING, ONE, TWO, KeepAlive.PING, THREE]


def test_a_run_of_line_breaks_is_one_ping() -> None:
    assert StreamFramer().feed(b"\r\n" * 20_000) == [KeepAlive.PING]


def test_a_single_line_break_between_messages_is_ignored() -> None:
    """RFC 3261 §7.5."""
    framer = StreamFramer()
    assert framer.feed(b"\r\n" + TWO + b"\r\n") == [TWO]
    assert framer.feed(TWO) == [TWO]


def test_the_answer_to_our_ping_is_told_apart() -> None:
    framer = StreamFramer()
    framer.expect_pong()
    assert framer.feed(b"\r\n") == [KeepAlive.PONG]
    assert framer.feed(b"\r\n") == []
    assert framer.feed(b"\r\n") == [KeepAlive.PING]
    framer.expect_pong()
    assert framer.feed(PING) == [KeepAlive.PING]
    assert framer.feed(PING + b"\r\n") == [KeepAlive.PONG, KeepAlive.PING]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        *((b"X: y", 400), (b"Content-Length:", 400), (b"Content-Length: -1", 400)),
        *((b"Content-Length: 1e3", 400), (b"Content-Length: \xd9\xa5", 400)),
        *((b"Content-Length: 99999999999999999999", 400), (b"Content-Length: 70000", 413)),
        *((b"Content-Length: 65530", 513), (b"Content-Length: 1\r\nl: 2", 400)),
    ],
)
def test_a_length_that_cannot_be_trusted_ends_the_stream(line: bytes, status: int) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        StreamFramer().feed(b"OPTIONS sip:a SIP/2.0\r\n" + line + b"\r\n\r\n")
    assert caught.value.status_hint == status


def test_a_header_without_end_is_refused_at_the_limit() -> None:
    framer = StreamFramer(Limits(message=1000))
    assert framer.feed(b"A" * 1000) == []
    with pytest.raises(RemoteProtocolError) as caught:
        framer.feed(b"A")
    assert caught.value.status_hint == 513
    with pytest.raises(RemoteProtocolError):
        StreamFramer(Limits(message=1000)).feed(b"A" * 1000 + b"\r\nl: 0\r\n\r\n")


def test_dripping_octets_cost_no_more_than_octets() -> None:
    framer = StreamFramer()
    started = perf_counter()
    for _ in range(60_000):
        framer.feed(b"\n")
    assert perf_counter() - started < 1.0


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_random_octets_are_cut_or_refused(pieces: list[bytes]) -> None:
    framer = StreamFramer(Limits(message=100))
    try:
        feed_all(framer, pieces)
    except RemoteProtocolError:
        return
    assert framer.buffered <= 100
