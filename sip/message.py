"""Owns `Request` and `Response`, typed views, `to_bytes`, `response_to` (RFC 3261 §7, §8.2.6).

A message is treated as immutable. Typed values are made when first asked for and kept. Where a
message came from is not part of it: that is a `sip.flow.Flow`.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.fields.address import NameAddr
from sip.fields.auth import Challenge
from sip.fields.cseq import CSeq, parse_delta_seconds, parse_max_forwards
from sip.fields.via import Via
from sip.grammar import split_list
from sip.headers import Headers
from sip.status import reason_phrase
from sip.uri import Uri


class Message:
    """What requests and responses share.

    The typed fields raise RemoteProtocolError when the field is malformed or a mandatory one is
    missing; for a message that `parse_message` returned they never do. They are slots that stay
    empty until somebody asks: each is read once, and costs no call of Python's after that.
    """

    __slots__ = ("body", "call_id", "contacts", "cseq", "from_", "headers", "to", "vias")

    headers: Headers
    body: bytes
    call_id: str
    contacts: list[NameAddr]  # all of them; empty for `*`, which `contact_is_star` tells apart
    cseq: CSeq
    from_: NameAddr
    to: NameAddr
    vias: list[Via]  # all of them, top first; never empty

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            """Called for an empty slot only."""
            read = _READERS.get(name)
            if read is None:
                raise AttributeError(name)
            value = read(self)
            setattr(self, name, value)
            return value

    def read_mandatory(self) -> None:
        """Read Via, From, To, Call-ID and CSeq at once."""
        headers = self.headers
        self.vias = _read_vias(self)
        self.from_ = NameAddr.parse(_mandatory(headers, "from"))
        self.to = NameAddr.parse(_mandatory(headers, "to"))
        self.cseq = CSeq.parse(_mandatory(headers, "cseq"))
        self.call_id = _mandatory(headers, "call-id")

    @property
    def via(self) -> Via:
        """The top Via."""
        return self.vias[0]

    @property
    def contact_is_star(self) -> bool:
        """True for `Contact: *`, which removes all bindings (RFC 3261 §10.2.2)."""
        return _elements(self.headers, "contact") == ["*"]

    @property
    def routes(self) -> list[NameAddr]:
        return [NameAddr.parse(text) for text in _elements(self.headers, "route")]

    @property
    def record_routes(self) -> list[NameAddr]:
        return [NameAddr.parse(text) for text in _elements(self.headers, "record-route")]

    @property
    def max_forwards(self) -> int | None:
        text = self.headers.first("max-forwards")
        return None if text is None else parse_max_forwards(text)

    @property
    def expires(self) -> int | None:
        """Seconds; None when absent or malformed (RFC 3261 §10.2.1.1: then the default holds)."""
        text = self.headers.get("expires")
        return None if text is None else parse_delta_seconds(text)

    @property
    def content_type(self) -> str:
        """`type/subtype` in lower case without parameters; "" when absent."""
        text = self.headers.get("content-type") or ""
        return text.partition(";")[0].strip(" \t").lower()

    def _encode(self, start_line: str) -> bytes:
        body = self.body
        lines = self.headers.lines(len(body))
        breaks = len(lines) + 2
        head = "\r\n".join([start_line, *lines, "", ""])
        # A line break we did not put there would let a value write headers of its own.
        if head.count("\n") != breaks or head.count("\r") != breaks or "\0" in head:
            raise LocalProtocolError("line break or NUL inside a header field or start line")
        return head.encode("utf-8", "surrogateescape") + body


def _mandatory(headers: Headers, key: str) -> str:
    text = headers.first(key)
    if not text:
        raise RemoteProtocolError(f"no {key}")
    return text


def _elements(headers: Headers, key: str) -> list[str]:
    """All elements of a comma list whose name is spelt as its key."""
    lines = headers.of_key(key)
    if len(lines) == 1:
        return split_list(lines[0])
    return [element for line in lines for element in split_list(line)]


def _read_vias(message: Message) -> list[Via]:
    vias = [Via.parse(text) for text in _elements(message.headers, "via")]
    if not vias:
        raise RemoteProtocolError("no Via")
    return vias


def _read_contacts(message: Message) -> list[NameAddr]:
    texts = _elements(message.headers, "contact")
    return [] if texts == ["*"] else [NameAddr.parse(text) for text in texts]


class Request(Message):
    __slots__ = ("method", "request_uri", "uri")

    method: str
    uri: str
    request_uri: Uri

    def __init__(self, method: str, uri: str, headers: Headers, body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri = uri

    def to_bytes(self) -> bytes:
        """The message as sent. Raise LocalProtocolError if a value holds CR, LF or NUL."""
        if " " in self.uri:
            raise LocalProtocolError("space inside the Request-URI")
        return self._encode(f"{self.method} {self.uri} SIP/2.0")

    def with_headers(self, headers: Headers) -> "Request":
        return Request(self.method, self.uri, headers, self.body)

    def with_top_via(self, via: Via) -> "Request":
        """A copy with another top Via; what was read of the other fields stays read."""
        copy = self.with_headers(self.headers.with_top("Via", str(via)))
        copy.vias = [via, *self.vias[1:]]
        copy.call_id, copy.cseq = self.call_id, self.cseq
        copy.from_, copy.to, copy.contacts = self.from_, self.to, self.contacts
        copy.request_uri = self.request_uri
        return copy

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


_READERS: Final[dict[str, Callable[[Any], object]]] = {
    "call_id": lambda message: _mandatory(message.headers, "call-id"),
    "contacts": _read_contacts,
    "cseq": lambda message: CSeq.parse(_mandatory(message.headers, "cseq")),
    "from_": lambda message: NameAddr.parse(_mandatory(message.headers, "from")),
    "request_uri": lambda request: Uri.parse(request.uri),
    "to": lambda message: NameAddr.parse(_mandatory(message.headers, "to")),
    "vias": _read_vias,
}


class Response(Message):
    __slots__ = ("reason", "status")

    status: int
    reason: str

    def __init__(self, status: int, reason: str, headers: Headers, body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.status = status
        self.reason = reason

    @property
    def challenges(self) -> list[Challenge]:
        """WWW-Authenticate and Proxy-Authenticate; malformed ones are left out."""
        found: list[Challenge] = []
        for name, proxy in (("www-authenticate", False), ("proxy-authenticate", True)):
            for text in self.headers.all(name):
                try:
                    found.append(Challenge.parse(text, proxy=proxy))
                except RemoteProtocolError:
                    continue  # one we cannot read is one we cannot answer
        return found

    def to_bytes(self) -> bytes:
        """The message as sent. Raise LocalProtocolError if a value holds CR, LF or NUL."""
        return self._encode(f"SIP/2.0 {self.status} {self.reason}")

    def with_headers(self, headers: Headers) -> "Response":
        return Response(self.status, self.reason, headers, self.body)

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"


def response_to(
    request: Request,
    status: int,
    reason: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    to_tag: str = "",
) -> Response:
    """A response to `request` (RFC 3261 §8.2.6.2); `to_tag` is added where there is none yet."""
    source = request.headers
    fields = [("Via", value) for value in source.of_key("via")]
    to = source.first("to") or ""
    # RFC 3261 §8.2.6.2: a tag already there stays; 100 needs none.
    if to_tag and not request.to.tag:
        to = f"{to};tag={to_tag}"
    fields.append(("From", source.first("from") or ""))
    fields.append(("To", to))
    fields.append(("Call-ID", source.first("call-id") or ""))
    fields.append(("CSeq", source.first("cseq") or ""))
    if status == 100:
        # RFC 3261 §8.2.6.1: a Timestamp is copied into the 100.
        fields += [("Timestamp", value) for value in source.of_key("timestamp")]
    fields.extend(headers)
    return Response(
        status, reason_phrase(status) if reason is None else reason, Headers(fields), body
    )
