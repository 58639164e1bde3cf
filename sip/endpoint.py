"""The hub of the SIP core (RFC 3261 §8, §12.2.2, §16.3 item 3): bytes in, effects out.

Owns the transaction layer and the table of INVITE sessions; gives every message to the one machine
it concerns, and answers by itself what is wrong with it. What a request means is the TU's business.
"""

from collections.abc import Iterable

from sip.dialog import Dialog
from sip.effects import Deliver, Effect, Report, Send
from sip.errors import RemoteProtocolError
from sip.flow import Flow
from sip.handles import (
    ClientHandle,
    RequestFailed,
    RequestHandle,
    RequestReceived,
    ResponseReceived,
)
from sip.ids import Ids
from sip.invite.context import NOBODY, Credentials, Header, InviteContext
from sip.invite.events import Offered
from sip.invite.uac import InviteUac
from sip.invite.uas import InviteUas
from sip.message import Request, Response, response_to
from sip.parser import DEFAULT, Limits, parse_message
from sip.target import LocalNames, note_source, reply_flow
from sip.timers import SipTimers
from sip.transaction.key import cancelled_key, client_key, server_key
from sip.transaction.layer import TransactionLayer
from sip.transaction.machine import ServerTransaction
from sip.transaction.server_invite import ServerInvite

__all__ = [
    "ClientHandle",
    "Endpoint",
    "LocalNames",
    "RequestFailed",
    "RequestHandle",
    "RequestReceived",
    "ResponseReceived",
]

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "UPDATE", "INFO", "REGISTER")

# The final recipient answers these whatever Max-Forwards says (§11 uses it to probe hop by hop).
_ENDS_HERE = frozenset({"OPTIONS", "REGISTER"})
_SHORTEST = 16  # less than any message: keep-alives of NAT-bound phones


class Endpoint:
    """One SIP element: any number of flows, transactions and INVITE sessions."""

    def __init__(
        self,
        ids: Ids,
        timers: SipTimers,
        names: LocalNames,
        *,
        limits: Limits = DEFAULT,
        user_agent: str = "sipgw",
        allow: tuple[str, ...] = METHODS,
        supported: tuple[str, ...] = (),
    ) -> None:
        self.names = names
        self._limits = limits
        self._supported = frozenset(tag.lower() for tag in supported)
        self._layer = TransactionLayer(ids, timers, names)
        self._agenda = self._layer.agenda
        self._context = InviteContext(self._layer, user_agent, allow)
        self._ids = ids

    # -- what the shell does

    @property
    def deadline(self) -> float | None:
        """When `tick` is due; may be earlier than there is something to do."""
        return self._agenda.deadline

    @property
    def counts(self) -> dict[str, int]:
        """Sizes of the tables, for gauges and for tests that look for leaks."""
        return {
            "client_transactions": len(self._layer.clients),
            "server_transactions": len(self._layer.servers),
            "invite_sessions": len(self._context.sessions),
            "timers": len(self._agenda),
        }

    def receive(self, data: bytes, flow: Flow, now: float) -> list[Effect]:
        """One datagram, or one message cut from a stream."""
        if len(data) < _SHORTEST and not data.strip(b"\r\n\0 "):
            return []
        try:
            message = parse_message(data, self._limits)
            if isinstance(message, Response):
                return self._response(message, flow, now)
            return self._request(message, flow, now)
        except RemoteProtocolError as error:
            return self._malformed(error, flow)

    def tick(self, now: float) -> list[Effect]:
        """Act on every deadline that has passed."""
        effects: list[Effect] = []
        agenda = self._agenda
        while (machine := agenda.pop_due(now)) is not None:
            effects += self._layer.settle(machine, machine.tick(now), now)
        return effects

    def flow_failed(self, flow: Flow, now: float) -> list[Effect]:
        """Nothing can be sent by this flow: what waits for it fails with 503."""
        return self._layer.flow_failed(flow, now)

    # -- what the TU does

    def respond(
        self,
        handle: RequestHandle,
        status: int,
        reason: str | None = None,
        headers: Iterable[Header] = (),
        body: bytes = b"",
        *,
        now: float,
    ) -> list[Effect]:
        """Answer a RequestReceived; adds Server and, but for 100, a To tag."""
        if status != 100 and not handle.to_tag and not handle.request.to.tag:
            handle.to_tag = self._ids.token(8)
        return self._context.respond(
            handle.transaction,
            handle.request,
            status,
            now,
            reason=reason,
            headers=headers,
            body=body,
            to_tag=handle.to_tag,
        )[1]

    def request(
        self, request: Request, flow: Flow, now: float, credentials: Credentials | None = None
    ) -> tuple[ClientHandle, list[Effect]]:
        """Send a request outside any dialog; ResponseReceived or RequestFailed follows."""
        handle = ClientHandle(self._layer, request, flow, credentials)
        return handle, handle.start(now)

    def invite(
        self,
        request: Request,
        flow: Flow,
        now: float,
        credentials: Credentials | None = None,
        via_flow: bool = True,
    ) -> tuple[InviteUac, list[Effect]]:
        """Start an INVITE session. `via_flow` False: in the dialog a literal next hop is obeyed."""
        session = InviteUac(self._context, request, flow, credentials, via_flow)
        return session, session.start(now)

    def release_restored(
        self, state: str, now: float, headers: Iterable[Header] = ()
    ) -> list[Effect]:
        """BYE for a dialog known only by its `dialog_state`, after a crash."""
        dialog = Dialog.from_json(state)
        agent = ("User-Agent", self._context.server[1])
        bye = dialog.request("BYE", dialog.next_seq(), (agent, *headers))
        return self._layer.send(bye, dialog.outgoing_flow(), now, NOBODY)[1]

    # -- responses

    def _response(self, response: Response, flow: Flow, now: float) -> list[Effect]:
        transaction = self._layer.clients.get(client_key(response))
        # §8.1.3.3: a response with another Via below ours was not meant for us.
        if transaction is None or len(response.vias) > 1:
            return [Report("stray-response", f"{response.status} {response.call_id}", flow)]
        return self._layer.receive_response(transaction, response, now)

    # -- requests

    def _request(self, request: Request, flow: Flow, now: float) -> list[Effect]:
        key = server_key(request)
        known = self._layer.servers.get(key)
        if known is not None:
            effects = self._layer.receive_request(known, request, now)
            return effects if request.method != "ACK" else self._acks(effects, flow, now)
        match request.method:
            case "ACK":
                return self._ack(request, flow, now)
            case "CANCEL":
                return self._cancel(key, note_source(request, flow), flow, now)
        reply = reply_flow(request.via, flow)
        request = note_source(request, flow)
        transaction = self._layer.open_server(key, request, reply, now)
        if request.to.tag:
            return self._in_dialog(request, transaction, flow, now)
        return self._out_of_dialog(request, transaction, flow, now)

    def _acks(self, effects: list[Effect], flow: Flow, now: float) -> list[Effect]:
        """What an ACK did to its transaction; an ACK it passed up is that of a 2xx."""
        out: list[Effect] = []
        for effect in effects:
            if isinstance(effect, Deliver) and isinstance(effect.event, Request):
                out += self._ack(effect.event, flow, now)
            else:
                out.append(effect)
        return out

    def _ack(self, ack: Request, flow: Flow, now: float) -> list[Effect]:
        """The ACK of a 2xx belongs to a dialog; a stray one is ignored (it is never answered)."""
        session = self._context.sessions.get((ack.call_id, ack.to.tag))
        return [] if session is None else session.on_ack(ack, flow, now)

    def _cancel(self, key: str, cancel: Request, flow: Flow, now: float) -> list[Effect]:
        transaction = self._layer.open_server(key, cancel, reply_flow(cancel.via, flow), now)
        invite = self._layer.servers.get(cancelled_key(cancel))
        if not isinstance(invite, ServerInvite):
            return self._refuse(transaction, cancel, 481, now)
        owner = invite.owner
        # §9.2: the tag of this 200 is that of the responses to the INVITE.
        tag = owner.tag() if isinstance(owner, InviteUas) else self._ids.token(8)
        _, effects = self._context.respond(transaction, cancel, 200, now, to_tag=tag)
        return effects if owner is None else effects + owner.on_cancel(invite, cancel, now)

    def _in_dialog(
        self, request: Request, transaction: ServerTransaction, flow: Flow, now: float
    ) -> list[Effect]:
        session = self._context.sessions.get((request.call_id, request.to.tag))
        if session is None:
            return self._refuse(transaction, request, 481, now)  # §12.2.2
        effects = session.receive(request, transaction, flow, now)
        if effects is not None:
            return effects
        handle = RequestHandle(transaction, request, flow, session)
        return [Deliver(RequestReceived(handle, request, flow))]

    def _out_of_dialog(
        self, request: Request, transaction: ServerTransaction, flow: Flow, now: float
    ) -> list[Effect]:
        method = request.method
        if request.max_forwards == 0 and method not in _ENDS_HERE:
            return self._refuse(transaction, request, 483, now)
        if "require" in request.headers:
            unknown = self._unknown_extensions(request)
            if unknown:
                headers = (("Unsupported", ", ".join(unknown)),)
                return self._refuse(transaction, request, 420, now, headers)
        if not isinstance(transaction, ServerInvite):
            if method in ("BYE", "UPDATE", "PRACK"):
                return self._refuse(transaction, request, 481, now)  # only dialogs know these
            handle = RequestHandle(transaction, request, flow, None)
            return [Deliver(RequestReceived(handle, request, flow))]
        if not request.contacts:
            return self._refuse(transaction, request, 400, now)  # §8.1.1.8: exactly one
        if self._layer.merges(request, transaction):
            return self._refuse(transaction, request, 482, now)
        session = InviteUas(self._context, transaction, request, flow)
        transaction.owner = session
        return [Deliver(Offered(session, request, flow))]

    def _unknown_extensions(self, request: Request) -> list[str]:
        """§8.2.2.3: option tags in Require that we do not support."""
        tags = request.headers.values("Require")
        return [tag for tag in tags if tag.lower() not in self._supported]

    def _refuse(
        self,
        transaction: ServerTransaction,
        request: Request,
        status: int,
        now: float,
        headers: Iterable[Header] = (),
    ) -> list[Effect]:
        tag = self._ids.token(8)
        return self._context.respond(
            transaction, request, status, now, headers=headers, to_tag=tag
        )[1]

    def _malformed(self, error: RemoteProtocolError, flow: Flow) -> list[Effect]:
        """Answer without a transaction what can be answered; count it in any case."""
        report = Report("malformed", str(error), flow)
        request = error.request
        if not isinstance(request, Request) or request.method == "ACK":
            return [report]
        tag = self._ids.token(8)
        response = response_to(request, error.status_hint, None, (self._context.server,), b"", tag)
        return [report, Send(response.to_bytes(), reply_flow(request.via, flow))]
