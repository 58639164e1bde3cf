"""From bytes to messages (RFC 3261 §7, §18.3), and what is refused on the way."""

from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip import parser
from sip.errors import RemoteProtocolError
from sip.message import Request, Response, response_to
from sip.parser import Limits, parse_message

INVITE = (
    b"INVITE sip:44151@127.0.0.2:5060;rinstance=45 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 10.1.1.1:5060;branch=z9hG4bKabc;rport\r\n"
    b'From: "Bob" <sip:bob@biloxi.com>;tag=a1\r\n'
    b"To: <sip:+44151@biloxi.com>\r\n"
    b"Call-ID: abc@10.1.1.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Max-Forwards: 70\r\n"
    b"Contact: <sip:bob@10.1.1.1:5060;ob>\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 5\r\n"
    b"\r\n"
    b"v=0\r\n"
)
RINGING = INVITE.replace(
    b"INVITE sip:44151@127.0.0.2:5060;rinstance=45 SIP/2.0", b"SIP/2.0 180 Ringing"
)


def request(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def refusal(data: bytes, limits: Limits | None = None) -> RemoteProtocolError:
    with pytest.raises(RemoteProtocolError) as caught:
        parse_message(data, limits or Limits())
    return caught.value


def test_a_request_comes_out_with_line_headers_and_body() -> None:
    message = request(INVITE)
    assert (message.method, message.uri) == ("INVITE", "sip:44151@127.0.0.2:5060;rinstance=45")
    assert (message.via.branch, message.from_.tag) == ("z9hG4bKabc", "a1")
    assert (len(message.headers), message.body) == (9, b"v=0\r\n")
    assert message.to_bytes() == INVITE


def test_a_response_comes_out_with_status_and_reason() -> None:
    message = parse_message(RINGING)
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (180, "Ringing")
    lower = parse_message(RINGING.replace(b"SIP/2.0 180 Ringing", b"sip/2.0 180 "))
    assert isinstance(lower, Response)
    assert lower.reason == ""


def test_compact_names_and_odd_spacing_are_understood() -> None:
    data = (
        INVITE.replace(b"Via: ", b"v:")
        .replace(b"From: ", b"f \t:  ")
        .replace(b"Call-ID:", b"I:")
        .replace(b"Content-Length:", b"l  :")
    )
    message = request(data)
    assert message.headers.get("from") == '"Bob" <sip:bob@biloxi.com>;tag=a1'
    assert message.call_id == "abc@10.1.1.1"


def test_folded_lines_are_joined_by_one_blank() -> None:
    """RFC 3261 §7.3.1."""
    message = request(INVITE.replace(b"application/sdp", b"application/sdp\r\n \t ;a=b\r\n\t;c"))
    assert message.headers.get("Content-Type") == "application/sdp ;a=b ;c"


def test_line_breaks_before_the_start_line_are_ignored() -> None:
    """RFC 3261 §7.5."""
    assert request(b"\r\n\r\n" + INVITE).to_bytes() == INVITE


def test_octets_beyond_the_body_are_dropped() -> None:
    """RFC 3261 §18.3."""
    assert request(INVITE + b"garbage").body == b"v=0\r\n"


def test_without_content_length_a_datagram_ends_the_body() -> None:
    """RFC 3261 §18.3."""
    assert request(INVITE.replace(b"Content-Length: 5\r\n", b"") + b"s=-").body == b"v=0\r\ns=-"


def test_a_body_cut_short_is_answered_400() -> None:
    """RFC 3261 §18.3."""
    error = refusal(INVITE[:-1])
    assert error.status_hint == 400
    assert isinstance(error.request, Request)
    assert response_to(error.request, 400, to_tag="x").to_bytes().startswith(b"SIP/2.0 400 Bad")


@pytest.mark.parametrize(
    "value", [b"-1", b"+5", b"five", b"", b"5 5", b"0x5", b"99999999999", b"\xd9\xa5"]
)
def test_a_malformed_content_length_is_refused(value: bytes) -> None:
    assert refusal(INVITE.replace(b"Length: 5", b"Length: " + value)).status_hint == 400


def test_content_lengths_must_agree() -> None:
    assert refusal(INVITE.replace(b"CSeq", b"l: 4\r\nCSeq")).status_hint == 400
    assert request(INVITE.replace(b"CSeq", b"l: 5\r\nCSeq")).body == b"v=0\r\n"


@pytest.mark.parametrize("name", [b"Via", b"From", b"To", b"Call-ID", b"CSeq"])
@pytest.mark.parametrize("sample", [INVITE, RINGING])
def test_each_mandatory_field_is_demanded(name: bytes, sample: bytes) -> None:
    """RFC 3261 §8.1.1: without one of them nothing can be answered."""
    error = refusal(sample.replace(b"\r\n" + name + b":", b"\r\nX-Gone:"))
    assert (error.status_hint, error.request) == (400, None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"SIP/2.0/UDP 10.1.1.1:5060", b"SIP/2.0/UDP"),
        (b'"Bob" <', b'"Bob <'),
        (b"To: <sip:+44151@biloxi.com>", b"To: <sip:+44151@biloxi.com"),
        (b"abc@10.1.1.1", b"a b"),
        (b"1 INVITE", b"x INVITE"),
        (b"1 INVITE", b"4294967296 INVITE"),
    ],
)
def test_unreadable_mandatory_fields_leave_nothing_to_answer(old: bytes, new: bytes) -> None:
    error = refusal(INVITE.replace(old, new))
    assert (error.status_hint, error.request) == (400, None)


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE", 400),
        (b"Max-Forwards: 70", b"Max-Forwards: 300", 400),
        (b"Contact: <", b"Contact: ", 400),
        (b"Contact:", b"Route:<sip:x\r\nContact:", 400),
        (b"Contact:", b'Record-Route: "\r\nContact:', 400),
        (b"Contact:", b"To: <sip:x@y>\r\nContact:", 400),
        (b"Contact:", b"Max-Forwards: 70\r\nContact:", 400),
        (b" SIP/2.0\r\n", b" SIP/3.0\r\n", 505),
        (b" SIP/2.0\r\n", b" HTTP/1.1\r\n", 400),
        (b" SIP/2.0\r\n", b" SIP/2.0 \r\n", 400),
        (b"sip:44151@", b"<sip:44151@", 400),
        (b"sip:44151@", b"sip:44 151@", 400),
        (b"127.0.0.2:5060", b"127.0.0.2:x", 400),
        (b"44151", b"4" * 2100, 414),
        (b"Contact:", b"X: " + b"x" * 8200 + b"\r\nContact:", 513),
        (b"Contact:", b"X: y\r\n" * 128 + b"Contact:", 513),
    ],
)
def test_a_bad_request_that_can_be_addressed_is_answered(
    old: bytes, new: bytes, status: int
) -> None:
    error = refusal(INVITE.replace(old, new, 1))
    assert error.status_hint == status
    assert isinstance(error.request, Request)
    response = response_to(error.request, status, to_tag="x")
    parsed = parse_message(response.to_bytes())
    assert parsed.via == error.request.via


def test_limits_have_their_own_answers() -> None:
    assert refusal(INVITE, Limits(message=100)).status_hint == 513
    assert refusal(INVITE, Limits(body=4)).status_hint == 413
    assert refusal(INVITE, Limits(uri=10)).status_hint == 414
    assert refusal(INVITE, Limits(headers=8)).status_hint == 513
    assert refusal(INVITE, Limits(header_line=20)).status_hint == 513
    exact = Limits(message=len(INVITE), body=5, uri=37, headers=9, header_line=54)
    assert parse_message(INVITE, exact).body == b"v=0\r\n"


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0", b"jaK", b"hello\r\n\r\n", b" \r\n\r\n"),
        *(b"INVITE sip:a\r\n\r\n", b"IN/VITE sip:a@b SIP/2.0\r\n\r\n", b"SIP/2.0 99 x\r\n\r\n"),
        *(b"SIP/2.0 700 x\r\n\r\n", b"SIP/2.0 2xx OK\r\n\r\n", b"SIP/2.0  200 OK\r\n\r\n"),
        INVITE.replace(b"\r\n", b"\n"),
        INVITE.replace(b"\r\n\r\n", b"\r\n"),
        INVITE.replace(b" SIP/2.0\r\n", b"\r\n SIP/2.0\r\n", 1),
        INVITE.replace(b"Bob", b"B\nob"),
        INVITE.replace(b"Bob", b"B\rob"),
        INVITE.replace(b"Bob", b"B\0ob"),
        INVITE.replace(b"To:", b"To"),
        INVITE.replace(b"Max-Forwards: 70", b"To"),
        INVITE.replace(b"To:", b":"),
        INVITE.replace(b"Max-Forwards", b"Max Forwards"),
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    assert refusal(data).status_hint == 400


def test_no_header_can_be_smuggled_from_leg_to_leg() -> None:
    message = request(INVITE.replace(b"Bob", b"B\r\n\tSubject: x"))
    assert "Subject" not in message.headers
    assert "\n" not in message.from_.display


def readable(message: Request | Response) -> None:
    """Touch everything somebody may ask of a parsed message."""
    assert message.vias
    _ = message.via.branch, message.from_.tag, message.to.tag, message.cseq, message.call_id
    _ = message.contacts, message.routes, message.record_routes, message.contact_is_star
    _ = message.max_forwards, message.expires, message.content_type
    if isinstance(message, Request):
        _ = message.request_uri.aor()
        parse_message(response_to(message, 400, to_tag="x").to_bytes())
    else:
        _ = message.challenges
    message.to_bytes()


def answer(error: RemoteProtocolError) -> None:
    """Whenever an error carries a request, a readable response can be made to it."""
    if error.request is not None:
        assert isinstance(error.request, Request)
        parse_message(response_to(error.request, error.status_hint, to_tag="x").to_bytes())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_random_octets_are_a_message_or_a_protocol_error(data: bytes) -> None:
    for candidate in (data, b"INVITE sip:a@b SIP/2.0\r\n" + data + b"\r\n\r\n"):
        try:
            readable(parse_message(candidate))
        except RemoteProtocolError as error:
            answer(error)


PIECES = st.sampled_from(
    [
        *(
            b"\r\n",
            b"\n",
            b"\r",
            b"\0",
            b" ",
            b"\t",
            b":",
            b";",
            b",",
            b'"',
            b"<",
            b">",
            b"\\",
            b"=",
        ),
        *(
            b"\xff",
            b"\xc3\xa9",
            b"\xc2\x85",
            b"%00",
            b"@",
            b"[",
            b"]",
            b"*",
            b"SIP/2.0",
            b"99999999999",
        ),
    ]
)


@settings(max_examples=600, deadline=None)
@given(
    st.sampled_from([INVITE, RINGING]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 6), PIECES), min_size=1, max_size=5),
)
def test_a_mutated_message_is_a_message_or_a_protocol_error(
    data: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for at, cut, piece in edits:
        data = data[:at] + piece + data[at + cut :]
    try:
        message = parse_message(data)
    except RemoteProtocolError as error:
        answer(error)
    else:
        readable(message)
        again = parse_message(message.to_bytes())
        assert again.headers.without("l") == message.headers.without("l")
        assert again.body == message.body


@pytest.mark.parametrize(
    "filler",
    [
        b"X: y\r\n",
        b"a:\r\n ",
        b"Via: ,\r\n",
        b'Contact: "\r\n',
        b"X:" + b" \t" * 4000 + b"\r\n b\r\n",
    ],
)
def test_the_largest_hostile_message_costs_milliseconds(filler: bytes) -> None:
    head, _, _ = INVITE.partition(b"Content-Length")
    data = head + filler * ((65_000 - len(head)) // len(filler)) + b"\r\n\r\n"
    started = perf_counter()
    with suppress(RemoteProtocolError):
        parse_message(data)
    assert perf_counter() - started < 0.25


def test_header_lines_strangers_make_up_do_not_pile_up() -> None:
    for number in range(parser._MOST_SEEN + 2):
        line = b"Max-Forwards: 70\r\nUser-Agent: %d" % number
        assert request(INVITE.replace(b"Max-Forwards: 70", line)).max_forwards == 70
    assert len(parser._seen) <= parser._MOST_SEEN
    request(INVITE.replace(b"ob>", b"o" * 250 + b">"))
    assert max(map(len, parser._seen)) <= parser._LONGEST_SEEN
