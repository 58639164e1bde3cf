"""Owns the way from bytes to a `Request` or `Response` (RFC 3261 §7, §18.3), and its limits.

Whatever the bytes: a message comes out whose typed properties can be read, or a
RemoteProtocolError. Cutting a stream into messages is `sip.stream`'s.
"""

from dataclasses import dataclass
from typing import Final

from sip.errors import RemoteProtocolError
from sip.grammar import CALL_ID, FOLD, NOT_IN_URI, SIP_VERSION, TOKEN, digits
from sip.headers import KEYS, Headers, key_of
from sip.message import Message, Request, Response


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest message we read. All in octets but `headers`, a number of lines."""

    message: int = 65_535
    headers: int = 128
    header_line: int = 8_192
    uri: int = 2_048
    body: int = 65_536


DEFAULT: Final = Limits()

# RFC 3261 §7.3.1: these hold one value, so there can be one line of each.
_SINGLE: Final = ("from", "to", "call-id", "cseq", "max-forwards")


def parse_message(data: bytes, limits: Limits = DEFAULT) -> Request | Response:
    """Parse one datagram, or one message that `StreamFramer` cut out.

    The RemoteProtocolError of a bad request carries `.request` when Via, From, To, Call-ID and CSeq
    can be read, so that it can be answered.
    """
    if len(data) > limits.message:
        raise RemoteProtocolError("message too large", 513)
    if data[:2] == b"\r\n":
        data = data.lstrip(b"\r\n")  # RFC 3261 §7.5: CRLF before the start line is ignored
    end = data.find(b"\r\n\r\n")
    if end < 0:
        raise RemoteProtocolError("header without its empty line")
    lines = _lines(data[:end].decode("utf-8", "surrogateescape"))
    message = _start(lines[0])
    try:
        message.headers = _headers(lines[1 : limits.headers + 1])
        _check_sizes(lines, end, limits)
        message.body = _body(message.headers, data, end + 4, limits)
        _check(message, lines[0], limits)
    except RemoteProtocolError as error:
        if isinstance(message, Request) and _answerable(message):
            error.request = message
        raise
    return message


def _lines(head: str) -> list[str]:
    """The start line and one string for each header line, folds undone."""
    if "\r\n " in head or "\r\n\t" in head:
        first = head.find("\r\n")
        if head[first + 2] in " \t":
            raise RemoteProtocolError("folded start line")
        head = FOLD.sub(" ", head)
    lines = head.split("\r\n")
    breaks = len(lines) - 1
    if head.count("\r") != breaks or head.count("\n") != breaks or "\0" in head:
        raise RemoteProtocolError("stray CR, LF or NUL in the header")
    return lines


def _check_sizes(lines: list[str], octets: int, limits: Limits) -> None:
    if len(lines) > limits.headers + 1:
        raise RemoteProtocolError("too many header lines", 513)
    if octets > limits.header_line and max(map(len, lines[1:]), default=0) > limits.header_line:
        raise RemoteProtocolError("header line too long", 513)


def _start(line: str) -> Request | Response:
    """A message without headers yet, from its start line."""
    if line[:8].upper() == "SIP/2.0 ":  # RFC 3261 §7.1: the version compares without case
        return _status_line(line)
    method, _, rest = line.partition(" ")
    uri, space, _ = rest.rpartition(" ")
    if not space or TOKEN.fullmatch(method) is None:
        raise RemoteProtocolError("malformed start line")
    # Only the shape is looked at here: a bad URI or version is refused once the headers are read.
    return Request(method, uri, _EMPTY)


def _status_line(line: str) -> Response:
    code, _, reason = line[8:].partition(" ")
    status = digits(code, 3)
    if status is None or not 100 <= status <= 699:
        raise RemoteProtocolError("malformed status line")
    return Response(status, reason, _EMPTY)


_EMPTY: Final = Headers()


def _headers(lines: list[str]) -> Headers:
    names: list[str] = []
    keys: list[str] = []
    values: list[str] = []
    seen = _seen
    for line in lines:
        name, key, value = seen.get(line) or _header(line)
        names.append(name)
        keys.append(key)
        values.append(value)
    return Headers.of_lists(names, keys, values)


def _header(line: str) -> tuple[str, str, str]:
    """Name, key and value of one header line."""
    name, colon, value = line.partition(":")
    key = KEYS.get(name)
    if key is None:
        name = name.rstrip(" \t")  # RFC 3261 §7.3.1: white space before the colon is legal
        if not colon or TOKEN.fullmatch(name) is None:
            raise RemoteProtocolError("malformed header line")
        key = key_of(name)
    elif not colon:
        raise RemoteProtocolError("malformed header line")
    header = name, key, value.strip(" \t")
    if key in _REPEATED and len(line) <= _LONGEST_SEEN:
        if len(_seen) >= _MOST_SEEN:
            _seen.clear()
        _seen[line] = header
    return header


# Lines that all messages of a peer have in common, as they were read before. What strangers can
# make up fills the memory no further than this, and costs the others one reading more.
_REPEATED: Final = frozenset(
    {
        *("accept", "allow", "allow-events", "contact", "content-length", "content-type", "cseq"),
        *("expires", "max-forwards", "server", "session-expires", "supported", "user-agent"),
    }
)
_MOST_SEEN: Final = 8_192
_LONGEST_SEEN: Final = 256
_seen: Final[dict[str, tuple[str, str, str]]] = {}


def _body(headers: Headers, data: bytes, start: int, limits: Limits) -> bytes:
    available = len(data) - start
    length = content_length(headers.of_key("content-length"))
    if length is None:
        length = available
    elif length > available:
        # RFC 3261 §18.3: a datagram that ends before its body is discarded, a request answered 400.
        raise RemoteProtocolError("body shorter than Content-Length")
    if length > limits.body:
        raise RemoteProtocolError("body too large", 413)
    return data[start : start + length]  # RFC 3261 §18.3: octets beyond the body are discarded


def content_length(values: list[str]) -> int | None:
    """The Content-Length all lines agree on; None when there is none."""
    if not values:
        return None
    length = digits(values[0])
    if length is None:
        raise RemoteProtocolError("malformed Content-Length")
    if len(values) > 1 and any(digits(value) != length for value in values):
        raise RemoteProtocolError("contradicting Content-Length lines")
    return length


def _check(message: Request | Response, start_line: str, limits: Limits) -> None:
    """Everything that must hold before anybody else sees the message."""
    if isinstance(message, Request):
        _check_request_line(message, start_line, limits)
    keys = message.headers.keys()
    if len(set(keys)) < len(keys):
        for key in _SINGLE:
            if keys.count(key) > 1:
                raise RemoteProtocolError(f"more than one {key}")
    _check_mandatory(message)
    if isinstance(message, Request) and message.cseq.method != message.method:
        raise RemoteProtocolError("CSeq names another method")  # RFC 3261 §8.1.1.5
    # Read once here: whoever asks later cannot be surprised.
    if "contact" in keys:
        _ = message.contacts
    if "max-forwards" in keys:
        _ = message.max_forwards
    if "record-route" in keys or "route" in keys:
        _ = message.record_routes, message.routes


def _check_mandatory(message: Message) -> None:
    message.read_mandatory()
    if CALL_ID.fullmatch(message.call_id) is None:
        raise RemoteProtocolError("malformed Call-ID")


def _check_request_line(request: Request, start_line: str, limits: Limits) -> None:
    if not start_line.endswith(" SIP/2.0"):
        version = start_line.rpartition(" ")[2]
        if version.upper() != "SIP/2.0":
            if SIP_VERSION.fullmatch(version):
                raise RemoteProtocolError("unknown SIP version", 505)  # RFC 3261 §21.5.6
            raise RemoteProtocolError("malformed request line")
    if len(request.uri) > limits.uri:
        raise RemoteProtocolError("Request-URI too long", 414)
    if NOT_IN_URI.search(request.uri):
        raise RemoteProtocolError("malformed Request-URI")
    if request.request_uri.headers:
        # RFC 3261 §19.1.1: header components never stand in a Request-URI.
        raise RemoteProtocolError("headers inside the Request-URI")


def _answerable(request: Request) -> bool:
    """True when a response to it can be addressed and matched by the sender."""
    try:
        _check_mandatory(request)
    except RemoteProtocolError:
        return False
    return True
