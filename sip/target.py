"""Owns where the next message goes and what we call ourselves (RFC 3261 §12.2.1.1, §18; RFC 3581).

Pure decisions: replies go by the flow a request came on, requests by flow or to a literal next hop.
Names are not looked up here.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address

from sip.fields.address import NameAddr
from sip.fields.via import Via
from sip.flow import Flow
from sip.message import Request
from sip.uri import Uri, bracketed

DEFAULT_PORT = {"udp": 5060, "tcp": 5060, "tls": 5061}


def family(host: str) -> int:
    """4 or 6, by the look of a literal address."""
    return 6 if ":" in host else 4


class LocalNames:
    """What we advertise for each transport and address family in Via and Contact."""

    __slots__ = ("_names",)

    def __init__(self, names: dict[tuple[str, int], tuple[str, int]] | None = None) -> None:
        self._names: dict[tuple[str, int], tuple[str, int]] = dict(names or {})

    def advertise(self, transport: str, ip_family: int, host: str, port: int) -> None:
        """From now on say (host, port) on flows of this transport and family (4 or 6)."""
        self._names[transport, ip_family] = (host, port)

    def sent_by(self, flow: Flow) -> tuple[str, int]:
        """The advertised address for a flow; its own local end when nothing else is known."""
        return self._names.get((flow.transport, family(flow.remote[0])), flow.local)

    def via(self, flow: Flow, branch: str) -> str:
        """The Via value of a request sent by this flow."""
        # RFC 3581 §3: rport asks that replies come to the port we really send from.
        rport = "" if flow.reliable else ";rport"
        return f"SIP/2.0/{flow.transport.upper()} {self._place(flow)};branch={branch}{rport}"

    def contact(self, flow: Flow, user: str = "") -> str:
        """A Contact value by which the peer of this flow reaches us."""
        at = f"{user}@" if user else ""
        transport = "" if flow.transport == "udp" else f";transport={flow.transport}"
        return f"<sip:{at}{self._place(flow)}{transport}>"

    def _place(self, flow: Flow) -> str:
        host, port = self.sent_by(flow)
        # Port 0 means that nobody listens: we only dial, and nobody dials us.
        return f"{bracketed(host)}:{port}" if port else bracketed(host)


def note_source(request: Request, flow: Flow) -> Request:
    """The request with `received` and `rport` written into its top Via where they are due."""
    via = request.via
    host, port = flow.remote
    if via.asks_rport:
        # RFC 3581 §4: both are filled in, whatever the sent-by says.
        stamped = via.with_param("rport", str(port)).with_param("received", host)
    elif not _is_address(via.host, host) or via.received is not None:
        # RFC 3261 §18.2.1: sent-by is not the source. A received the peer wrote itself is undone.
        stamped = via.with_param("received", host)
    else:
        return request
    return request.with_top_via(stamped)


def reply_flow(via: Via, flow: Flow) -> Flow:
    """Where the response to a request with this top Via goes, the Via as the peer wrote it."""
    # RFC 3261 §18.2.2: on streams its connection; RFC 3581 §4: with rport its source.
    if flow.reliable or via.asks_rport or via.port == flow.remote[1]:
        return flow
    if not _is_address(via.host, flow.remote[0]) and _is_private(via.host):
        return flow  # a NAT stands between us: only the source port leads back through it
    # RFC 3261 §18.2.2: else the source address with the port of the sent-by.
    port = via.port or DEFAULT_PORT[flow.transport]
    return flow if port == flow.remote[1] else flow._replace(remote=(flow.remote[0], port))


def literal_flow(uri: Uri, flow: Flow) -> Flow | None:
    """The flow to a URI whose host is an address; None when a name would have to be looked up."""
    host = uri.param("maddr") or uri.host
    address = _literal(host)
    if address is None:
        return None
    transport = (uri.param("transport") or "").lower()
    if flow.secure or uri.scheme == "sips":
        transport = "tls"  # RFC 3261 §26.2.2: never fall back from TLS within a dialog
    elif transport not in DEFAULT_PORT:
        transport = flow.transport if uri.param("transport") is None else "udp"
    port = uri.port or DEFAULT_PORT[transport]
    return Flow(transport, flow.local, (address, port))


def route(target: str, route_set: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Request-URI and Route values of a request in a dialog (RFC 3261 §12.2.1.1)."""
    if not route_set:
        return target, route_set
    first = NameAddr.parse(route_set[0]).uri
    if first.has("lr"):
        return target, route_set
    # A strict router (RFC 2543) wants itself in the Request-URI and the target last.
    stripped = first._replace(
        params=tuple(p for p in first.params if p[0].lower() != "method"), headers=""
    )
    return str(stripped), [*route_set[1:], f"<{target}>"]


def next_hop(target: str, route_set: Sequence[str]) -> Uri:
    """The URI that says where a request in a dialog is sent first."""
    return NameAddr.parse(route_set[0]).uri if route_set else Uri.parse(target)


def _is_address(text: str, host: str) -> bool:
    if text == host:
        return True
    if ":" not in text:
        return False  # a name, or another IPv4 address
    try:
        return ip_address(text) == ip_address(host)  # IPv6 has many spellings
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def _literal(host: str) -> str | None:
    """A literal address in its one spelling; None for a name."""
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def _is_private(text: str) -> bool:
    try:
        return ip_address(text).is_private
    except ValueError:
        return False
