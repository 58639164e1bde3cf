"""Owns the table of transactions: match, create, absorb, forget (RFC 3261 §17, §8.2.2.2).

Knows nothing of dialogs. What a machine passes up comes back to the endpoint, which knows to whom.
"""

from sip.effects import Deliver, Effect, Ended, Send
from sip.flow import Flow
from sip.ids import Ids
from sip.message import Request, Response
from sip.target import LocalNames
from sip.timers import SipTimers
from sip.transaction.agenda import Agenda, Timed
from sip.transaction.client_invite import ClientInvite
from sip.transaction.client_non_invite import ClientNonInvite
from sip.transaction.key import MAGIC_COOKIE, merge_key
from sip.transaction.machine import ClientOwner, ClientTransaction, ServerTransaction
from sip.transaction.server_invite import ServerInvite
from sip.transaction.server_non_invite import ServerNonInvite


class TransactionLayer:
    """Machines by key, and their deadlines. Effects that come out hold no Deliver and no Ended."""

    __slots__ = ("_by_flow", "_merge", "agenda", "clients", "ids", "names", "servers", "timing")

    def __init__(self, ids: Ids, timing: SipTimers, names: LocalNames) -> None:
        self.ids = ids
        self.timing = timing
        self.names = names
        self.agenda = Agenda()
        self.clients: dict[str, ClientTransaction] = {}
        self.servers: dict[str, ServerTransaction] = {}
        # Pending requests of each stream, so that its loss needs no scan of the table.
        self._by_flow: dict[Flow, dict[str, ClientTransaction]] = {}
        self._merge: dict[str, ServerInvite] = {}

    # -- client side

    def send(
        self, request: Request, flow: Flow, now: float, owner: ClientOwner
    ) -> tuple[ClientTransaction, list[Effect]]:
        """Start a transaction; the Via placeholder is filled in, or a Via put first."""
        branch = MAGIC_COOKIE + self.ids.token(8)
        request = stamp_via(request, self.names.via(flow, branch))
        return self._start(request, branch, flow, now, owner)

    def send_cancel(
        self, invite: ClientTransaction, cancel: Request, now: float, owner: ClientOwner
    ) -> list[Effect]:
        """§9.1: a CANCEL is a transaction of its own under the branch of its INVITE."""
        branch = invite.key.removesuffix("INVITE")
        return self._start(cancel, branch, invite.flow, now, owner)[1]

    def _start(
        self, request: Request, branch: str, flow: Flow, now: float, owner: ClientOwner
    ) -> tuple[ClientTransaction, list[Effect]]:
        data = request.to_bytes()
        key = branch + request.method
        transaction: ClientTransaction
        if request.method == "INVITE":
            transaction = ClientInvite(key, request, data, flow, self.timing, owner)
        else:
            transaction = ClientNonInvite(key, request, data, flow, self.timing, owner)
        self.clients[key] = transaction
        if flow.reliable:
            self._by_flow.setdefault(flow, {})[key] = transaction
        effects = transaction.start(now)
        self.agenda.note(transaction)
        return transaction, effects

    def receive_response(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> list[Effect]:
        return self.settle(transaction, transaction.receive(response, now), now)

    def abandon(self, transaction: ClientTransaction, now: float) -> list[Effect]:
        """Wait for no final response any more (§9.1)."""
        assert isinstance(transaction, ClientInvite)
        return self.settle(transaction, transaction.abandon(), now)

    def flow_failed(self, flow: Flow, now: float) -> list[Effect]:
        """The shell could not send by this flow, or its connection is gone."""
        if flow.reliable:
            stranded = list(self._by_flow.get(flow, {}).values())
        else:
            stranded = [c for c in self.clients.values() if c.flow == flow and c.pending]
        effects: list[Effect] = []
        for transaction in stranded:
            effects += self.settle(transaction, transaction.fail(), now)
        return effects

    # -- server side

    def open_server(
        self, key: str, request: Request, flow: Flow, now: float
    ) -> ServerInvite | ServerNonInvite:
        """A new transaction whose replies go by `flow`."""
        if request.method != "INVITE":
            transaction = ServerNonInvite(key, flow, self.timing)
            self.servers[key] = transaction
            return transaction
        invite = ServerInvite(key, request, flow, self.timing)
        self.servers[key] = invite
        invite.start(now)
        self.agenda.note(invite)
        return invite

    def merges(self, request: Request, transaction: ServerInvite) -> bool:
        """§8.2.2.2: True when the same INVITE is already being handled under another key."""
        key = merge_key(request)
        if key in self._merge:
            return True
        transaction.merge_key = key
        self._merge[key] = transaction
        return False

    def receive_request(
        self, transaction: ServerTransaction, request: Request, now: float
    ) -> list[Effect]:
        """A repetition or an ACK; a Deliver among the effects is an ACK for the TU."""
        return self.settle(transaction, transaction.receive(request, now), now)

    def respond(
        self, transaction: ServerTransaction, status: int, data: bytes, now: float
    ) -> list[Effect]:
        if status >= 200 and isinstance(transaction, ServerInvite) and transaction.merge_key:
            self._merge.pop(transaction.merge_key, None)
            transaction.merge_key = ""
        return self.settle(transaction, transaction.respond(status, data, now), now)

    # -- both

    def settle(self, machine: Timed, effects: list[Effect], now: float) -> list[Effect]:
        """Carry out what a machine said that concerns its table entry and its owner."""
        if len(effects) == 1 and type(effects[0]) is Send:
            self.agenda.note(machine)
            return effects
        out: list[Effect] = []
        ended = False
        for effect in effects:
            match effect:
                case Deliver(Response() as response) if isinstance(machine, ClientTransaction):
                    out += machine.owner.on_response(machine, response, now)
                    if response.status >= 200:
                        self._forget_pending(machine)
                        machine.shrink()
                case Ended(cause):
                    ended = True
                    out += self._ended(machine, cause, now)
                case _:
                    out.append(effect)
        if not ended:
            self.agenda.note(machine)
        return out

    def _ended(self, machine: Timed, cause: str | None, now: float) -> list[Effect]:
        if isinstance(machine, ClientTransaction):
            self.clients.pop(machine.key, None)
            self._forget_pending(machine)
            if cause is not None:
                # RFC 3261 §8.1.3.1: a timeout counts as 408, a transport failure as 503.
                status = 408 if cause == "timeout" else 503
                return machine.owner.on_failure(machine, status, now)
        elif isinstance(machine, ServerTransaction):
            self.servers.pop(machine.key, None)
        return []

    def _forget_pending(self, machine: ClientTransaction) -> None:
        if machine.flow.reliable:
            pending = self._by_flow.get(machine.flow)
            if pending is not None:
                pending.pop(machine.key, None)
                if not pending:
                    del self._by_flow[machine.flow]


def stamp_via(request: Request, via: str) -> Request:
    """The request with its own Via in the empty placeholder, or first."""
    headers = request.headers
    if headers.get("Via") == "":
        return request.with_headers(headers.with_field("Via", via))
    return request.with_headers(headers.with_first("Via", via))
