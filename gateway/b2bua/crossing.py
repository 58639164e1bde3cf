"""Owns what crosses from leg to leg: leg B's INVITE is written here, header by header (R109).

Nothing of leg A's message is copied but the hop count: that is the topology hiding. What is read of
it is the claimed caller. Later requests of a dialog are made by `sip.invite`, which passes nothing
on; what we add to them (`Reason`) is here too.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gateway.model.call import CallerIdentity, Dialect, EndCause, Target
from gateway.ports import Ids
from sip.errors import SipError
from sip.fields.address import NameAddr
from sip.headers import Headers
from sip.message import Message, Request
from sip.uri import bracketed, escape_user

MAX_FORWARDS: Final = 30  # R109: as the guide's example has it, not 70
CLASSIC_ALLOW: Final = "INVITE,ACK,CANCEL,OPTIONS,BYE"
ANONYMOUS_URI: Final = "sip:anonymous@anonymous.invalid"  # RFC 3323 §4.1.1.3

# RFC 3323 §4.2 and RFC 3325 §9.3: with any of these the number is not for the called party.
_PRIVATE: Final = frozenset({"id", "user", "header"})


@dataclass(frozen=True, slots=True)
class InvitePlan:
    """What is the same in every INVITE we send."""

    user_agent: str
    allow: tuple[str, ...] = ("INVITE", "ACK", "CANCEL", "OPTIONS", "BYE", "UPDATE")
    supported: tuple[str, ...] = ()


def invite_for(
    target: Target,
    caller: CallerIdentity,
    body: bytes,
    plan: InvitePlan,
    contact: tuple[str, int],
    received_max_forwards: int | None,
    ids: Ids,
) -> Request:
    """Leg B's INVITE with an empty Via for the endpoint to fill; `contact` is our host and port.

    The order of the fields is the printed example's.
    """
    classic = target.dialect is Dialect.CLASSIC
    user = _contact_user(caller, target)
    host, port = contact
    fields = [
        ("From", f"{_from(caller, target)};tag={_tag(ids)}"),
        ("To", f"<sip:{target.to_user}@{target.realm}>"),
        ("Call-ID", _call_id(ids)),
        ("CSeq", "1 INVITE"),
        ("Via", ""),
        ("Max-Forwards", str(next_max_forwards(received_max_forwards))),
        ("User-Agent", plan.user_agent),
        ("Allow", CLASSIC_ALLOW if classic else ",".join(plan.allow)),
        ("Contact", f"<sip:{user}@{bracketed(host)}:{port};transport={target.flow.transport}>"),
    ]
    if not classic:
        fields += _identity(caller, target)
        if plan.supported:
            fields.append(("Supported", ",".join(plan.supported)))
    if body:
        fields.append(("Content-Type", "application/sdp"))
    return Request("INVITE", target.uri, Headers(fields), body)


def next_max_forwards(received: int | None) -> int:
    """R109: min(30, received - 1). A request that arrived with 0 never gets here (483)."""
    return MAX_FORWARDS if received is None else max(0, min(MAX_FORWARDS, received - 1))


def claimed_caller(request: Request) -> str:
    """What a request says about its caller: P-Asserted-Identity, else From; "" when withheld.

    Raises RemoteProtocolError when From cannot be read.
    """
    privacy = (request.headers.get("Privacy") or "").lower()
    if not _PRIVATE.isdisjoint(part.strip() for part in privacy.split(";")):
        return ""
    for text in request.headers.values("P-Asserted-Identity"):
        try:
            uri = NameAddr.parse(text).uri
        except SipError:
            continue  # RFC 3325 allows a sip and a tel URI: the other one may do
        if uri.username:
            return uri.username
    return request.from_.uri.username


def reason_across(message: Message) -> list[tuple[str, str]]:
    """The Q.850 cause of a response or BYE, for the other leg; the one thing that may cross.

    Its text stays behind: peers name their machines in it.
    """
    for value in message.headers.values("Reason"):
        protocol, _, rest = value.partition(";")
        if protocol.strip().upper() != "Q.850":
            continue
        for param in rest.split(";"):
            name, _, cause = param.partition("=")
            cause = cause.strip()
            if name.strip().lower() == "cause" and cause.isascii() and cause.isdigit():
                return [("Reason", f"Q.850;cause={cause[:3]}")]
    return []


# Q.850: 16 normal clearing, 31 normal unspecified, 41 temporary failure, 102 timer expiry.
_RELEASE: Final[dict[EndCause, int]] = {
    EndCause.CALLER_HUNG_UP: 16,
    EndCause.CALLED_HUNG_UP: 16,
    EndCause.CANCELLED: 16,
    EndCause.MEDIA_SILENT: 102,
    EndCause.LOST_PEER: 102,
    EndCause.STORE_UNAVAILABLE: 41,
    EndCause.GATEWAY_RESTART: 41,
    EndCause.SHUTDOWN: 41,
}


def release_headers(cause: EndCause) -> list[tuple[str, str]]:
    """The Reason of a BYE or CANCEL we send (RFC 3326): a cause, and in words why we hang up."""
    return [("Reason", f'Q.850;cause={_RELEASE.get(cause, 31)};text="{cause.value}"')]


def _from(caller: CallerIdentity, target: Target) -> str:
    if caller.number is not None:
        return f"<sip:{caller.number}@{target.realm}>"
    if caller.onnet_name is not None:
        return f"<sip:{escape_user(caller.onnet_name)}@{target.realm}>"
    if target.dialect is Dialect.CLASSIC:
        return f"<{ANONYMOUS_URI}>"
    return f'"Anonymous" <{ANONYMOUS_URI}>'


def _contact_user(caller: CallerIdentity, target: Target) -> str:
    """R109: the caller with "+"; an anonymous caller stays so here too."""
    if caller.number is not None:
        return str(caller.number)
    return escape_user(caller.onnet_name) if caller.onnet_name is not None else "anonymous"


def _identity(caller: CallerIdentity, target: Target) -> Iterable[tuple[str, str]]:
    """P-Asserted-Identity and Privacy (RFC 3325 §9): a withheld number for the trusted only."""
    if caller.number is not None:
        yield "P-Asserted-Identity", f"<sip:{caller.number}@{target.realm}>"
    elif caller.onnet_name is None and target.trusted:
        if caller.network_number is not None:
            yield "P-Asserted-Identity", f"<sip:{caller.network_number}@{target.realm}>"
        yield "Privacy", "id"


def _tag(ids: Ids) -> str:
    """Hyphenated groups of hexadecimal, the shape of the printed example."""
    text = ids.token(18)
    return f"{text[:8]}-{text[8:12]}-{text[12:20]}-{text[20:28]}-{text[28:]}"


def _call_id(ids: Ids) -> str:
    """R109: opaque, prefix "CXC-", no "@host" that would name a machine."""
    text = ids.token(23)
    groups = (text[:8], text[8:16], text[16:20], text[20:28], text[28:36], text[36:43])
    return f"CXC-{text[43:45]}-{'-'.join(groups)}"
