"""SIP messages for tests, written as text and parsed as from the wire."""

from sip.flow import Flow
from sip.message import Request, Response
from sip.parser import parse_message

PBX = ("192.0.2.10", 5060)
GATEWAY = ("192.0.2.1", 5060)
UDP = Flow("udp", GATEWAY, PBX)
TCP = Flow("tcp", GATEWAY, PBX)
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.10\r\ns=-\r\n"


def request(
    method: str = "INVITE",
    *,
    branch: str = "z9hG4bKpbx1",
    cseq: int = 1,
    to_tag: str = "",
    from_tag: str = "pbx",
    call_id: str = "call-1",
    via: str | None = None,
    extra: tuple[str, ...] = (),
    body: bytes = b"",
    uri: str = "sip:100@192.0.2.1",
) -> Request:
    """A request from the PBX; `extra` are whole header lines."""
    found = parse_message(request_bytes(
        method, branch=branch, cseq=cseq, to_tag=to_tag, from_tag=from_tag, call_id=call_id,
        via=via, extra=extra, body=body, uri=uri,
    ))  # fmt: skip
    assert isinstance(found, Request)
    return found


def request_bytes(
    method: str = "INVITE",
    *,
    branch: str = "z9hG4bKpbx1",
    cseq: int = 1,
    to_tag: str = "",
    from_tag: str = "pbx",
    call_id: str = "call-1",
    via: str | None = None,
    extra: tuple[str, ...] = (),
    body: bytes = b"",
    uri: str = "sip:100@192.0.2.1",
) -> bytes:
    to = "<sip:100@192.0.2.1>" + (f";tag={to_tag}" if to_tag else "")
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via or f'SIP/2.0/UDP 192.0.2.10:5060;branch={branch}'}",
        f"From: <sip:pbx@192.0.2.1>;tag={from_tag}",
        f"To: {to}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        *([] if any(line.startswith("Max-Forwards") for line in extra) else ["Max-Forwards: 70"]),
        "Contact: <sip:pbx@192.0.2.10:5060>",
        *extra,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def parsed_request(data: bytes) -> Request:
    found = parse_message(data)
    assert isinstance(found, Request)
    return found


def parsed_response(data: bytes) -> Response:
    found = parse_message(data)
    assert isinstance(found, Response)
    return found


def answer(
    sent: Request,
    status: int,
    *,
    tag: str = "peer",
    extra: tuple[str, ...] = (),
    body: bytes = b"",
    contact: str = "<sip:peer@192.0.2.10:5060>",
) -> bytes:
    """The peer's response to a request of ours, as bytes."""
    to = sent.headers.get("To") or ""
    if tag and ";tag=" not in to:
        to += f";tag={tag}"
    lines = [
        f"SIP/2.0 {status} Reason",
        *(f"Via: {value}" for value in sent.headers.all("Via")),
        f"From: {sent.headers.get('From')}",
        f"To: {to}",
        f"Call-ID: {sent.call_id}",
        f"CSeq: {sent.headers.get('CSeq')}",
        *([f"Contact: {contact}"] if contact else []),
        *extra,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
