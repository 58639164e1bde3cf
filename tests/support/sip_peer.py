"""Owns `SipPeer`: SIP by hand over UDP, for tests that look at the bytes themselves.

It retransmits nothing and believes nothing: what a test does not send is not sent.
"""

import hashlib
import itertools
import re
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

Address = tuple[str, int]
Fields = Sequence[tuple[str, str]]


class PeerSilent(AssertionError):
    """Nothing that matches came in time."""


@dataclass(frozen=True, slots=True)
class Message:
    """One datagram as it arrived."""

    text: str
    source: Address

    @property
    def start_line(self) -> str:
        return self.text.split("\r\n", 1)[0]

    @property
    def method(self) -> str:
        """Of a request; "" for a response."""
        first = self.start_line.split(" ", 1)[0]
        return "" if first == "SIP/2.0" else first

    @property
    def status(self) -> int:
        """Of a response; 0 for a request."""
        return int(self.start_line.split(" ")[1]) if not self.method else 0

    @property
    def request_uri(self) -> str:
        return self.start_line.split(" ")[1]

    @property
    def body(self) -> str:
        return self.text.split("\r\n\r\n", 1)[1]

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Header lines in their order, names as written."""
        head = self.text.split("\r\n\r\n", 1)[0]
        pairs = (line.partition(":") for line in head.split("\r\n")[1:])
        return [(name.strip(), value.strip()) for name, _, value in pairs]

    def headers(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        """The first value, "" when absent."""
        return next(iter(self.headers(name)), "")

    @property
    def to_tag(self) -> str:
        found = re.search(r";tag=([^;>\s]+)", self.header("To"))
        return found.group(1) if found else ""

    @property
    def contact_uri(self) -> str:
        found = re.search(r"<([^>]+)>", self.header("Contact"))
        return found.group(1) if found else self.header("Contact")

    @property
    def media_port(self) -> int:
        found = re.search(r"^m=audio (\d+)", self.body, re.MULTILINE)
        assert found, f"no audio in {self.body!r}"
        return int(found.group(1))


def compose(start_line: str, fields: Fields, body: str = "") -> str:
    """A message as text; Content-Length is added."""
    lines = [start_line, *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*lines, f"Content-Length: {len(body.encode())}", "", body])


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def sdp(host: str, port: int, *, codecs: str = "0 101", direction: str = "sendrecv") -> str:
    """An audio offer or answer: PCMU and telephone events."""
    version = "IP6" if ":" in host else "IP4"
    return (
        f"v=0\r\no=peer 1 1 IN {version} {host}\r\ns=-\r\nc=IN {version} {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {codecs}\r\na=rtpmap:0 PCMU/8000\r\n"
        f"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na={direction}\r\n"
    )


def digest(
    challenge: str,
    *,
    username: str,
    password: str,
    method: str,
    uri: str,
    count: int = 1,
) -> str:
    """The value of (Proxy-)Authorization for one challenge (RFC 2617 MD5, or RFC 7616 SHA-256)."""
    parts = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    sha = parts.get("algorithm", "MD5").upper().startswith("SHA")

    def hashed(text: str) -> str:
        data = text.encode()
        return hashlib.sha256(data).hexdigest() if sha else hashlib.md5(data).hexdigest()

    first = hashed(f"{username}:{parts['realm']}:{password}")
    second = hashed(f"{method}:{uri}")
    cnonce, nc = secrets.token_hex(8), f"{count:08x}"
    if "qop" in parts:
        response = hashed(f"{first}:{parts['nonce']}:{nc}:{cnonce}:auth:{second}")
        quality = f', qop=auth, nc={nc}, cnonce="{cnonce}"'
    else:
        response, quality = hashed(f"{first}:{parts['nonce']}:{second}"), ""
    opaque = f', opaque="{parts["opaque"]}"' if "opaque" in parts else ""
    algorithm = f", algorithm={parts['algorithm']}" if "algorithm" in parts else ""
    return (
        f'Digest username="{username}", realm="{parts["realm"]}", nonce="{parts["nonce"]}", '
        f'uri="{uri}", response="{response}"{algorithm}{quality}{opaque}'
    )


class SipPeer:
    """One UDP socket on loopback with a port of the kernel's choice."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self.seen: list[Message] = []
        self._kept: list[Message] = []
        self._tags = itertools.count(1)

    @property
    def address(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"

    def via(self, branch: str = "") -> tuple[str, str]:
        branch = branch or f"z9hG4bK{secrets.token_hex(6)}"
        return ("Via", f"SIP/2.0/UDP {self.address};branch={branch};rport")

    def send(self, text: str, to: Address) -> None:
        self._socket.sendto(text.encode(), to)

    def wait(
        self, matching: Callable[[Message], bool], what: str, timeout_s: float = 5.0
    ) -> Message:
        """The first message that matches; the others are kept for later waits."""
        for message in self._kept:
            if matching(message):
                self._kept.remove(message)
                return message
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            message_or_none = self._receive(left)
            if message_or_none is None:
                break
            if matching(message_or_none):
                return message_or_none
            self._kept.append(message_or_none)
        seen = "; ".join(message.start_line for message in self.seen[-10:])
        raise PeerSilent(f"no {what} within {timeout_s} s; seen: {seen or 'nothing'}")

    def _receive(self, timeout_s: float) -> Message | None:
        self._socket.settimeout(max(0.001, timeout_s))
        try:
            data, source = self._socket.recvfrom(65535)
        except TimeoutError:
            return None
        message = Message(data.decode("utf-8", "surrogateescape"), (source[0], source[1]))
        self.seen.append(message)
        return message

    def wait_status(self, status: int, method: str = "", timeout_s: float = 5.0) -> Message:
        """A response of this status; a different final one fails at once."""

        def matches(message: Message) -> bool:
            if message.method or (method and method not in message.header("CSeq")):
                return False
            if message.status != status and message.status >= 200 and status not in (100, 180):
                raise PeerSilent(f"got {message.start_line}, not {status}:\n{message.text}")
            return message.status == status

        return self.wait(matches, f"{status} {method}", timeout_s)

    def wait_final(self, method: str, timeout_s: float = 5.0) -> Message:
        def matches(message: Message) -> bool:
            return message.status >= 200 and message.header("CSeq").endswith(method)

        return self.wait(matches, f"final response to {method}", timeout_s)

    def wait_request(self, method: str, timeout_s: float = 5.0) -> Message:
        return self.wait(lambda message: message.method == method, f"{method} request", timeout_s)

    def stays_silent(self, matching: Callable[[Message], bool], seconds: float) -> bool:
        """True when no matching message comes for `seconds`."""
        try:
            self.wait(matching, "nothing", seconds)
        except PeerSilent:
            return True
        return False

    def reply(
        self,
        request: Message,
        status: str,
        *,
        tag: str = "peer",
        fields: Fields = (),
        body: str = "",
    ) -> None:
        """Answer a request, e.g. `reply(invite, "486 Busy Here")`."""
        kept = [pair for pair in request.fields if pair[0].lower() in ("via", "v")]
        to = request.header("To")
        if ";tag=" not in to and not status.startswith("100"):
            to += f";tag={tag}"
        kept += [
            ("From", request.header("From")),
            ("To", to),
            ("Call-ID", request.header("Call-ID")),
            ("CSeq", request.header("CSeq")),
            *fields,
        ]
        if body:
            kept.append(("Content-Type", "application/sdp"))
        self.send(compose(f"SIP/2.0 {status}", kept, body), request.source)

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "SipPeer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class UacCall:
    """One call placed by hand: remembers Call-ID, tags and CSeq; sends what it is told to."""

    def __init__(
        self,
        peer: SipPeer,
        server: Address,
        number: str,
        *,
        username: str,
        password: str = "",
        realm: str = "sipgw.local",
        media_port: int = 40000,
    ) -> None:
        self.peer = peer
        self.server = server
        self.username = username
        self.password = password
        self.uri = number if ":" in number else f"sip:{number}@{realm}"
        self.sip_call_id = secrets.token_hex(8)
        self.from_ = f"<sip:{username}@{realm}>;tag={secrets.token_hex(4)}"
        self.to = f"<{self.uri}>"
        self.body = sdp(peer.host, media_port)
        self.cseq = 1
        self.invite = ""
        self.answer: Message | None = None

    def request(
        self,
        method: str,
        *,
        via: tuple[str, str] | None = None,
        uri: str = "",
        fields: Fields = (),
        body: str = "",
    ) -> str:
        kept: list[tuple[str, str]] = [
            via or self.peer.via(),
            ("Max-Forwards", "70"),
            ("From", self.from_),
            ("To", self.to),
            ("Call-ID", self.sip_call_id),
            ("CSeq", f"{self.cseq} {method}"),
            ("Contact", f"<sip:{self.username}@{self.peer.address}>"),
            *fields,
        ]
        if body:
            kept.append(("Content-Type", "application/sdp"))
        return compose(f"{method} {uri or self.uri} SIP/2.0", kept, body)

    def send_invite(self, fields: Fields = (), branch: str = "") -> None:
        self.via = self.peer.via(branch)
        self.invite = self.request("INVITE", via=self.via, fields=fields, body=self.body)
        self.peer.send(self.invite, self.server)

    def acknowledge_failure(self, response: Message) -> None:
        """ACK of a final non-2xx: same branch and request line (RFC 3261 §17.1.1.3)."""
        ack = compose(
            f"ACK {self.uri} SIP/2.0",
            [
                self.via,
                ("Max-Forwards", "70"),
                ("From", self.from_),
                ("To", response.header("To")),
                ("Call-ID", self.sip_call_id),
                ("CSeq", f"{self.cseq} ACK"),
            ],
        )
        self.peer.send(ack, self.server)

    def challenged(self) -> Message:
        """INVITE without credentials; the 407, acknowledged."""
        self.send_invite()
        response = self.peer.wait_status(407, "INVITE")
        self.acknowledge_failure(response)
        return response

    def send_authorized(self, challenge: Message, *, count: int = 1, branch: str = "") -> None:
        value = digest(
            challenge.header("Proxy-Authenticate"),
            username=self.username,
            password=self.password,
            method="INVITE",
            uri=self.uri,
            count=count,
        )
        self.cseq += 1
        self.send_invite([("Proxy-Authorization", value)], branch)

    def final(self, timeout_s: float = 8.0) -> Message:
        """The final response to the current INVITE; a failure is acknowledged."""

        def matches(message: Message) -> bool:
            same = message.header("CSeq") == f"{self.cseq} INVITE"
            return message.status >= 200 and same

        response = self.peer.wait(matches, "final response to INVITE", timeout_s)
        if response.status >= 300:
            self.acknowledge_failure(response)
        return response

    def establish(self, *, challenge: bool = True, timeout_s: float = 8.0) -> Message:
        """Challenge, answer, ACK: the whole way to a confirmed dialog; gives the 200."""
        if challenge:
            self.send_authorized(self.challenged())
        else:
            self.send_invite()
        return self.confirm(timeout_s)

    def confirm(self, timeout_s: float = 8.0) -> Message:
        """Wait for the 200 and acknowledge it."""
        response = self.peer.wait_status(200, "INVITE", timeout_s)
        self.answer = response
        self.to = response.header("To")
        self.peer.send(self.request("ACK", uri=response.contact_uri), self.server)
        return response

    def cancel(self) -> None:
        text = compose(
            f"CANCEL {self.uri} SIP/2.0",
            [
                self.via,
                ("Max-Forwards", "70"),
                ("From", self.from_),
                ("To", f"<{self.uri}>"),
                ("Call-ID", self.sip_call_id),
                ("CSeq", f"{self.cseq} CANCEL"),
            ],
        )
        self.peer.send(text, self.server)

    def bye(self) -> Message:
        assert self.answer is not None
        self.cseq += 1
        self.peer.send(self.request("BYE", uri=self.answer.contact_uri), self.server)
        return self.peer.wait_status(200, "BYE")
