"""Owns the dialog (RFC 3261 §12): identity, route set, remote target, CSeq order, its requests.

Knows no transactions: it says what a request looks like and which flow it takes, not when to send.
"""

import json
from collections.abc import Iterable, Sequence

from sip.errors import RemoteProtocolError
from sip.fields.address import NameAddr
from sip.flow import Flow
from sip.headers import Headers
from sip.message import Request, Response
from sip.target import literal_flow, next_hop, route

# After a crash nobody knows how many requests were sent since the state was written down.
RESTORED_CSEQ_STEP = 100

_to_json = json.JSONEncoder(separators=(",", ":")).encode


class Dialog:
    """One side of a peer-to-peer relation, seen from us. `local` and `remote` carry their tags."""

    __slots__ = (
        "_hop",
        "call_id",
        "flow",
        "local",
        "local_seq",
        "local_tag",
        "remote",
        "remote_seq",
        "remote_tag",
        "routes",
        "target",
        "via_flow",
    )

    def __init__(
        self,
        call_id: str,
        local: str,
        remote: str,
        local_tag: str,
        remote_tag: str,
        target: str,
        routes: Sequence[str],
        flow: Flow,
        via_flow: bool,
        local_seq: int,
        remote_seq: int | None,
    ) -> None:
        self.call_id = call_id
        self.local = local
        self.remote = remote
        self.local_tag = local_tag
        self.remote_tag = remote_tag
        self.target = target
        self.routes = routes
        self.flow = flow
        self.via_flow = via_flow
        self.local_seq = local_seq
        self.remote_seq = remote_seq
        self._hop: Flow | None = None

    @staticmethod
    def of_uac(invite: Request, response: Response, flow: Flow, via_flow: bool) -> "Dialog":
        """§12.1.2: from a response to our INVITE."""
        to = response.to
        routes = response.headers.values("Record-Route")
        routes.reverse()
        return Dialog(
            call_id=invite.call_id,
            local=invite.headers.get("From") or "",
            remote=response.headers.get("To") or "",
            local_tag=invite.from_.tag,
            remote_tag=to.tag,
            target=_contact_of(response) or invite.uri,
            routes=routes,
            flow=flow,
            via_flow=via_flow,
            local_seq=invite.cseq.number,
            remote_seq=None,
        )

    @staticmethod
    def of_uas(
        invite: Request, response: Response, local_tag: str, flow: Flow, via_flow: bool
    ) -> "Dialog":
        """§12.1.1: from the peer's INVITE and the To of our response to it."""
        target = _contact_of(invite)
        if target is None:
            raise RemoteProtocolError("INVITE without a Contact", request=invite)
        return Dialog(
            call_id=invite.call_id,
            local=response.headers.get("To") or "",
            remote=invite.headers.get("From") or "",
            local_tag=local_tag,
            remote_tag=invite.from_.tag,
            target=target,
            routes=invite.headers.values("Record-Route"),
            flow=flow,
            via_flow=via_flow,
            local_seq=0,
            remote_seq=invite.cseq.number,
        )

    def request(
        self,
        method: str,
        cseq: int,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Request:
        """A request within the dialog; its Via is an empty placeholder."""
        uri, routes = route(self.target, self.routes)
        fields = [
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Via", ""),
            ("Max-Forwards", "70"),
        ]
        for value in routes:
            fields.append(("Route", value))
        fields.extend(headers)
        return Request(method, uri, Headers(fields), body)

    def next_seq(self) -> int:
        self.local_seq += 1
        return self.local_seq

    def accepts(self, request: Request) -> bool:
        """§12.2.2: False when the CSeq is lower than one already seen; remembers the highest."""
        number = request.cseq.number
        if self.remote_seq is not None and number < self.remote_seq:
            return False
        self.remote_seq = number
        return True

    def refresh(self, message: Request | Response) -> None:
        """§12.2.1.2, §12.2.2: a target refresh may move the remote target, never the route set."""
        target = _contact_of(message)
        if target is not None and target != self.target:
            self.target = target
            self._hop = None

    def note_flow(self, flow: Flow) -> None:
        """The peer's latest request came this way; behind NAT no other leads back (R76)."""
        if self.via_flow and flow != self.flow:
            self.flow = flow

    def outgoing_flow(self) -> Flow:
        """Which way our next request takes."""
        if self.via_flow:
            return self.flow
        if self._hop is None:
            self._hop = literal_flow(next_hop(self.target, self.routes), self.flow) or self.flow
        return self._hop

    def to_json(self) -> str:
        """All that is needed to end the dialog after a crash."""
        return _to_json(
            {
                "call_id": self.call_id,
                "local": self.local,
                "remote": self.remote,
                "target": self.target,
                "routes": list(self.routes),
                "flow": self.flow,
                "via_flow": self.via_flow,
                "local_seq": self.local_seq,
            }
        )

    @staticmethod
    def from_json(text: str) -> "Dialog":
        """The dialog as written down, its CSeq moved past what may have been sent since."""
        state = json.loads(text)
        transport, local_end, remote_end = state["flow"]
        local, remote = str(state["local"]), str(state["remote"])
        # A connection died with the process that held it: only an address can be dialled again.
        via_flow = bool(state["via_flow"]) and transport == "udp"
        return Dialog(
            call_id=str(state["call_id"]),
            local=local,
            remote=remote,
            local_tag=NameAddr.parse(local).tag,
            remote_tag=NameAddr.parse(remote).tag,
            target=str(state["target"]),
            routes=[str(value) for value in state["routes"]],
            flow=Flow(transport, (local_end[0], local_end[1]), (remote_end[0], remote_end[1])),
            via_flow=via_flow,
            local_seq=int(state["local_seq"]) + RESTORED_CSEQ_STEP,
            remote_seq=None,
        )


def _contact_of(message: Request | Response) -> str | None:
    if "Contact" not in message.headers:
        return None
    contacts = message.contacts
    return str(contacts[0].uri) if contacts else None
