"""Owns `Request` and `Response`, typed views, `to_bytes`, `response_to` (RFC 3261 §7, §8.2.6).

A message is treated as immutable. Typed values are made when first asked for and kept. Where a
message came from is not part of it: that is a `sip.flow.Flow`.
"""

from collections.abc import Iterable

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.fields.address import NameAddr
from sip.fields.auth import Challenge
from sip.fields.cseq import CSeq, parse_delta_seconds, parse_max_forwards
from sip.fields.via import Via
from sip.headers import Headers
from sip.status import reason_phrase
from sip.uri import Uri


class Message:
    """What requests and responses share.

    The typed properties raise RemoteProtocolError when the field is malformed or a mandatory one is
    missing; for a message that `parse_message` returned they never do.
    """

    __slots__ = ("_call_id", "_contacts", "_cseq", "_from", "_to", "_vias", "body", "headers")

    headers: Headers
    body: bytes
    _call_id: str | None
    _vias: list[Via] | None
    _from: NameAddr | None
    _to: NameAddr | None
    _cseq: CSeq | None
    _contacts: list[NameAddr] | None

    def __init__(self, headers: Headers, body: bytes) -> None:
        self.headers = headers
        self.body = body
        self._call_id = None
        self._vias = None
        self._from = None
        self._to = None
        self._cseq = None
        self._contacts = None

    @property
    def via(self) -> Via:
        """The top Via."""
        return self.vias[0]

    @property
    def vias(self) -> list[Via]:
        """All Vias, top first; never empty."""
        vias = self._vias
        if vias is None:
            vias = [Via.parse(text) for text in self.headers.values("via")]
            if not vias:
                raise RemoteProtocolError("no Via")
            self._vias = vias
        return vias

    @property
    def from_(self) -> NameAddr:
        address = self._from
        if address is None:
            address = self._from = NameAddr.parse(self.required("from"))
        return address

    @property
    def to(self) -> NameAddr:
        address = self._to
        if address is None:
            address = self._to = NameAddr.parse(self.required("to"))
        return address

    @property
    def cseq(self) -> CSeq:
        cseq = self._cseq
        if cseq is None:
            cseq = self._cseq = CSeq.parse(self.required("cseq"))
        return cseq

    @property
    def call_id(self) -> str:
        call_id = self._call_id
        if call_id is None:
            call_id = self._call_id = self.required("call-id")
        return call_id

    @property
    def contacts(self) -> list[NameAddr]:
        """All Contacts; empty for `*`, which `contact_is_star` tells apart."""
        contacts = self._contacts
        if contacts is None:
            texts = self.headers.values("contact")
            contacts = [] if texts == ["*"] else [NameAddr.parse(text) for text in texts]
            self._contacts = contacts
        return contacts

    @property
    def contact_is_star(self) -> bool:
        """True for `Contact: *`, which removes all bindings (RFC 3261 §10.2.2)."""
        return self.headers.values("contact") == ["*"]

    @property
    def routes(self) -> list[NameAddr]:
        return [NameAddr.parse(text) for text in self.headers.values("route")]

    @property
    def record_routes(self) -> list[NameAddr]:
        return [NameAddr.parse(text) for text in self.headers.values("record-route")]

    @property
    def max_forwards(self) -> int | None:
        text = self.headers.get("max-forwards")
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

    def required(self, name: str) -> str:
        """The value of a mandatory field."""
        text = self.headers.get(name)
        if not text:
            raise RemoteProtocolError(f"no {name}")
        return text

    def _encode(self, start_line: str) -> bytes:
        body = self.body
        lines = self.headers.lines(len(body))
        breaks = len(lines) + 2
        head = "\r\n".join([start_line, *lines, "", ""])
        # A line break we did not put there would let a value write headers of its own.
        if head.count("\n") != breaks or head.count("\r") != breaks or "\0" in head:
            raise LocalProtocolError("line break or NUL inside a header field or start line")
        return head.encode("utf-8", "surrogateescape") + body


class Request(Message):
    __slots__ = ("_request_uri", "method", "uri")

    method: str
    uri: str
    _request_uri: Uri | None

    def __init__(self, method: str, uri: str, headers: Headers, body: bytes = b"") -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri = uri
        self._request_uri = None

    @property
    def request_uri(self) -> Uri:
        uri = self._request_uri
        if uri is None:
            uri = self._request_uri = Uri.parse(self.uri)
        return uri

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
        copy._vias = [via, *self.vias[1:]]
        copy._call_id = self._call_id
        copy._from = self._from
        copy._to = self._to
        copy._cseq = self._cseq
        copy._contacts = self._contacts
        copy._request_uri = self._request_uri
        return copy

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"


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
    fields = [("Via", value) for value in source.all("via")]
    to = source.get("to") or ""
    # RFC 3261 §8.2.6.2: a tag already there stays; 100 needs none.
    if to_tag and not request.to.tag:
        to = f"{to};tag={to_tag}"
    fields.append(("From", source.get("from") or ""))
    fields.append(("To", to))
    fields.append(("Call-ID", source.get("call-id") or ""))
    fields.append(("CSeq", source.get("cseq") or ""))
    if status == 100:
        # RFC 3261 §8.2.6.1: a Timestamp is copied into the 100.
        fields += [("Timestamp", value) for value in source.all("timestamp")]
    fields.extend(headers)
    return Response(
        status, reason_phrase(status) if reason is None else reason, Headers(fields), body
    )
