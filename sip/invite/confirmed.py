"""What both halves of an INVITE session share (RFC 3261 §12.2, §14, §15; RFC 3311 UPDATE).

In-dialog requests both ways: re-INVITE and UPDATE with glare (§14.1), BYE, ACK of our own 2xx
answers and their repetition (§13.3.1.4). One offer is outstanding at a time: ours (`_ours`) or the
peer's (`_theirs`), never both. What is no call control goes to the TU by way of the endpoint.
"""

from collections.abc import Iterable

from sip.dialog import Dialog
from sip.effects import Deliver, Effect, Report, Send
from sip.flow import Flow
from sip.invite.context import Credentials, Header, InviteContext
from sip.invite.credentials import authorised
from sip.invite.events import (
    Acknowledged,
    Released,
    UpdateAnswered,
    Updated,
    UpdateRefused,
)
from sip.invite.state import EARLY, MOVES, State
from sip.message import Request, Response
from sip.timers import TimerTable
from sip.transaction.key import MAGIC_COOKIE
from sip.transaction.layer import stamp_via
from sip.transaction.machine import ClientTransaction, ServerTransaction
from sip.transaction.server_invite import ServerInvite


class _Ours:
    """Our outstanding re-INVITE or UPDATE; `transaction` is None while it waits out a glare."""

    __slots__ = ("body", "glares", "method", "transaction")

    def __init__(self, method: str, body: bytes) -> None:
        self.method = method
        self.body = body
        self.glares = 0
        self.transaction: ClientTransaction | None = None


class _Unacked:
    """A 2xx of ours that is repeated until its ACK comes."""

    __slots__ = ("cseq", "interval", "send")

    def __init__(self, cseq: int, send: Send, interval: float) -> None:
        self.cseq = cseq
        self.send = send
        self.interval = interval


class InviteSession:
    """A dialog and the INVITE usage in it. Verbs in, effects out; `deadline` is the agenda's."""

    __slots__ = (
        "_ack",
        "_bye",
        "_bye_headers",
        "_flow",
        "_ours",
        "_theirs",
        "_unacked",
        "_via_flow",
        "call_id",
        "contact",
        "context",
        "credentials",
        "dialog",
        "local_tag",
        "noted",
        "request",
        "state",
        "timers",
    )

    def __init__(
        self, context: InviteContext, request: Request, flow: Flow, state: State, via_flow: bool
    ) -> None:
        self.context = context
        self.request = request
        self.call_id = request.call_id
        self.state = state
        self.local_tag = ""
        self.contact = ""
        self.credentials: Credentials | None = None
        self.dialog: Dialog | None = None
        self.timers = TimerTable()
        self.noted: float | None = None
        self._flow = flow
        self._via_flow = via_flow
        self._ours: _Ours | None = None
        self._theirs: tuple[ServerTransaction, Request] | None = None
        self._unacked: _Unacked | None = None
        self._ack: tuple[int, Send] | None = None
        self._bye: ClientTransaction | None = None
        self._bye_headers: Iterable[Header] | None = None

    # -- what the TU may ask

    @property
    def deadline(self) -> float | None:
        return self.timers.deadline

    @property
    def flow(self) -> Flow:
        """The way the dialog lives on."""
        return self.dialog.flow if self.dialog is not None else self._flow

    @property
    def via_flow(self) -> bool:
        """True: our requests always take `flow`. False: a literal next hop comes first."""
        return self._via_flow

    @via_flow.setter
    def via_flow(self, value: bool) -> None:
        self._via_flow = value
        if self.dialog is not None:
            self.dialog.via_flow = value

    def dialog_state(self) -> str:
        """What a BYE after a crash needs (`Endpoint.release_restored`); "" without a dialog."""
        return "" if self.dialog is None else self.dialog.to_json()

    def reoffer(self, body: bytes, now: float, method: str = "INVITE") -> list[Effect]:
        """Offer a changed media session; UpdateAnswered or UpdateRefused follows."""
        if self.state not in (State.CONFIRMED, State.ANSWERED):
            return [Deliver(UpdateRefused(self, 481, "Call/Transaction Does Not Exist"))]
        if self._ours is not None or self._theirs is not None or self._unacked is not None:
            return [Deliver(UpdateRefused(self, 491, "Request Pending"))]
        self._ours = _Ours(method, body)
        return self._send_ours(self._ours, now)

    def accept_update(self, body: bytes, now: float) -> list[Effect]:
        """Answer the peer's Updated; nothing happens when it was withdrawn meanwhile."""
        if self._theirs is None:
            return []
        transaction, request = self._theirs
        self._theirs = None
        headers = [("Contact", self.contact), self.context.allow]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        _, effects = self.context.respond(
            transaction, request, 200, now, headers=headers, body=body
        )
        if request.method == "INVITE":
            self._await_ack(request.cseq.number, effects, now)
        return effects

    def reject_update(self, status: int, now: float, reason: str | None = None) -> list[Effect]:
        if self._theirs is None:
            return []
        transaction, request = self._theirs
        self._theirs = None
        return self.context.respond(transaction, request, status, now, reason=reason)[1]

    def bye(self, now: float, headers: Iterable[Header] = ()) -> list[Effect]:
        """End the call; no event follows. Before our 2xx is acknowledged it waits for the ACK."""
        match self.state:
            case State.ANSWERED:
                # RFC 3261 §15: the callee sends no BYE before the ACK came or was given up.
                self._bye_headers = tuple(headers)
                return []
            case State.CONFIRMED:
                return self._send_bye(now, headers)
        return []

    # -- what comes in

    def receive(
        self, request: Request, transaction: ServerTransaction, flow: Flow, now: float
    ) -> list[Effect] | None:
        """A request in the dialog; None: it is the TU's to answer."""
        dialog = self.dialog
        if dialog is None or request.from_.tag != dialog.remote_tag:
            return self._reply(transaction, request, 481, now)
        if self.state is State.ENDING:
            # BYE crossing BYE: both are answered with 200.
            status = 200 if request.method == "BYE" else 481
            return self._reply(transaction, request, status, now)
        if not dialog.accepts(request):
            return self._reply(transaction, request, 500, now)  # RFC 3261 §12.2.2
        dialog.note_flow(flow)
        match request.method:
            case "BYE":
                return self._on_bye(request, transaction, now)
            case "INVITE" | "UPDATE":
                return self._on_offer(request, transaction, now)
            case "PRACK":
                return self._reply(transaction, request, 481, now)  # RFC 3262 §3: nothing to match
        return None

    def on_ack(self, ack: Request, flow: Flow, now: float) -> list[Effect]:
        """The ACK of a 2xx; repeated and stray ones are ignored."""
        unacked = self._unacked
        dialog = self.dialog
        if unacked is None or dialog is None or ack.from_.tag != dialog.remote_tag:
            return []
        if ack.cseq.number != unacked.cseq:
            return []
        dialog.note_flow(flow)
        self._unacked = None
        self.timers.cancel("2xx")
        self.timers.cancel("no-ack")
        if self.state is State.ANSWERED:
            self._move(State.CONFIRMED)
            if self._bye_headers is not None:
                return self._send_bye(now, self._bye_headers)
            return [Deliver(Acknowledged(self, ack))]
        return [Deliver(Acknowledged(self, ack))] if ack.body else []

    def on_cancel(self, transaction: ServerInvite, cancel: Request, now: float) -> list[Effect]:
        """The peer withdraws its re-INVITE; a late accept_update does nothing."""
        if self._theirs is None or self._theirs[0] is not transaction:
            return []
        return self.reject_update(487, now)

    def on_response(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> list[Effect]:
        if transaction is self._bye:
            return self._on_bye_response(transaction, response, now)
        ours = self._ours
        if ours is not None and transaction is ours.transaction:
            return self._on_our_offer(ours, response, now)
        if response.cseq.method == "INVITE" and 200 <= response.status < 300:
            return self._acknowledge_again(response)
        return []

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> list[Effect]:
        if transaction is self._bye:
            self._end()
            return []
        if self._ours is not None and transaction is self._ours.transaction:
            # RFC 3261 §12.2.1.2: a request in the dialog without any answer ends the dialog.
            return self._lost(now)
        return []

    def tick(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for name in self.timers.due(now):
            effects += self._on_timer(name, now)
        return effects

    def _on_timer(self, name: str, now: float) -> list[Effect]:
        if name == "2xx" and self._unacked is not None:
            unacked = self._unacked
            # RFC 3261 §13.3.1.4: repeat at T1, doubling up to T2, on streams too.
            unacked.interval = min(2 * unacked.interval, self.context.timing.t2_s)
            self.timers.set("2xx", now + unacked.interval)
            return [unacked.send]
        if name == "no-ack":
            effects: list[Effect] = [Report("no-ack", self.call_id, self.flow)]
            asked_for = self._bye_headers
            effects += self._send_bye(now, asked_for or ())
            if asked_for is None:
                effects.append(Deliver(Released(self, "no-ack", None)))
            return effects
        if name == "glare" and self._ours is not None:
            if self._theirs is None and self._unacked is None:
                return self._send_ours(self._ours, now)
            self.timers.set("glare", now + self._back_off_s())  # the peer was first this time
        return []

    # -- the peer's requests

    def _reply(
        self,
        transaction: ServerTransaction,
        request: Request,
        status: int,
        now: float,
        headers: Iterable[Header] = (),
    ) -> list[Effect]:
        return self.context.respond(transaction, request, status, now, headers=headers)[1]

    def _on_bye(self, bye: Request, transaction: ServerTransaction, now: float) -> list[Effect]:
        effects = self._reply(transaction, bye, 200, now)
        effects += self.reject_update(487, now)  # RFC 3261 §15.1.2
        asked_for = self._bye_headers is not None
        self._end()
        if not asked_for:
            effects.append(Deliver(Released(self, "bye", bye)))
        return effects

    def _on_offer(
        self, request: Request, transaction: ServerTransaction, now: float
    ) -> list[Effect]:
        """Re-INVITE or UPDATE."""
        assert self.dialog is not None
        offers = request.method == "INVITE" or bool(request.body)
        if offers and self.state in EARLY:
            # RFC 3311 §5.2: an offer has no answer yet, ours (we are UAC) or the peer's.
            if self.state is State.OFFERED:
                return self._reply(transaction, request, 500, now, (self._retry_after(),))
            return self._reply(transaction, request, 491, now)
        ours = self._ours is not None and self._ours.transaction is not None
        if offers and (ours or self._unacked is not None):
            return self._reply(transaction, request, 491, now)  # §14.2
        if offers and self._theirs is not None:
            return self._reply(transaction, request, 500, now, (self._retry_after(),))  # §14.2
        self.dialog.refresh(request)
        if not offers:
            return self._reply(transaction, request, 200, now, (("Contact", self.contact),))
        self._theirs = (transaction, request)
        if isinstance(transaction, ServerInvite):
            transaction.owner = self
        return [Deliver(Updated(self, request))]

    def _retry_after(self) -> Header:
        # §14.2: a random value of 0 to 10 seconds.
        return ("Retry-After", str(self.context.ids.octets(1)[0] % 11))

    def _await_ack(self, cseq: int, effects: list[Effect], now: float) -> None:
        """Repeat the 2xx just sent until its ACK."""
        timing = self.context.timing
        for effect in effects:
            if isinstance(effect, Send):
                self._unacked = _Unacked(cseq, effect, timing.t1_s)
                self.timers.set("2xx", now + timing.t1_s)
                self.timers.set("no-ack", now + timing.timeout_s)
                self.context.agenda.note(self)

    # -- our requests

    def _send_ours(self, ours: _Ours, now: float) -> list[Effect]:
        assert self.dialog is not None
        dialog = self.dialog
        headers = [("Contact", self.contact), self._user_agent(), self.context.allow]
        if ours.body:
            headers.append(("Content-Type", "application/sdp"))
        request = dialog.request(ours.method, dialog.next_seq(), headers, ours.body)
        return self._resend_ours(ours, request, now)

    def _resend_ours(self, ours: _Ours, request: Request, now: float) -> list[Effect]:
        assert self.dialog is not None
        flow = self.dialog.outgoing_flow()
        ours.transaction, effects = self.context.layer.send(request, flow, now, self)
        return effects

    def _on_our_offer(self, ours: _Ours, response: Response, now: float) -> list[Effect]:
        assert self.dialog is not None
        assert ours.transaction is not None
        status = response.status
        if status < 200:
            return []
        if status < 300:
            self._ours = None
            self.dialog.refresh(response)
            effects = self._acknowledge(self.dialog, response) if ours.method == "INVITE" else []
            return [*effects, Deliver(UpdateAnswered(self, response))]
        if status == 491 and ours.glares == 0:
            ours.glares += 1
            ours.transaction = None
            self.timers.set("glare", now + self._back_off_s())
            self.context.agenda.note(self)
            return []
        challenged = ours.transaction.request
        if challenged is not None and status in (401, 407):
            again = authorised(
                challenged, response, self.credentials, self.dialog.local_seq + 1, self.context.ids
            )
            if again is not None:
                self.dialog.next_seq()
                return self._resend_ours(ours, again, now)
        if status in (408, 481):
            return self._lost(now)  # RFC 3261 §12.2.1.2
        self._ours = None
        return [Deliver(UpdateRefused(self, status, response.reason))]

    def _back_off_s(self) -> float:
        """§14.1: the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in 10 ms steps."""
        draw = int.from_bytes(self.context.ids.octets(2), "big")
        if self._owns_call_id():
            return 2.1 + (draw % 191) / 100
        return (draw % 201) / 100

    def _owns_call_id(self) -> bool:
        raise NotImplementedError

    def _acknowledge(self, dialog: Dialog, response: Response) -> list[Effect]:
        """The ACK of a 2xx: kept, for each repetition of the 2xx needs it again."""
        send = self._ack_send(dialog, response)
        self._ack = (response.cseq.number, send)
        return [send]

    def _ack_send(self, dialog: Dialog, response: Response) -> Send:
        # RFC 3261 §13.2.2.4: the CSeq number and the credentials of the INVITE.
        headers = [
            (name, value)
            for name in ("Authorization", "Proxy-Authorization")
            for value in self.request.headers.all(name)
        ]
        ack = dialog.request("ACK", response.cseq.number, headers)
        flow = dialog.outgoing_flow()
        branch = MAGIC_COOKIE + self.context.ids.token(8)
        return Send(stamp_via(ack, self.context.names.via(flow, branch)).to_bytes(), flow)

    def _acknowledge_again(self, response: Response) -> list[Effect]:
        if self._ack is not None and self._ack[0] == response.cseq.number:
            return [self._ack[1]]
        return []

    def _send_bye(self, now: float, headers: Iterable[Header]) -> list[Effect]:
        assert self.dialog is not None
        effects = self.reject_update(487, now)
        bye = self.dialog.request("BYE", self.dialog.next_seq(), (self._user_agent(), *headers))
        flow = self.dialog.outgoing_flow()
        self._bye, sent = self.context.layer.send(bye, flow, now, self)
        self._move(State.ENDING)
        self.timers.keep_only()
        self._unacked = None
        self._ours = None
        return effects + sent

    def _on_bye_response(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> list[Effect]:
        if response.status < 200:
            return []
        if transaction.request is not None and self.dialog is not None:
            again = authorised(
                transaction.request,
                response,
                self.credentials,
                self.dialog.local_seq + 1,
                self.context.ids,
            )
            if again is not None:
                self.dialog.next_seq()
                flow = self.dialog.outgoing_flow()
                self._bye, effects = self.context.layer.send(again, flow, now, self)
                return effects
        self._end()
        return []

    def _lost(self, now: float) -> list[Effect]:
        effects = self._send_bye(now, ())
        return [*effects, Deliver(Released(self, "lost", None))]

    # -- both

    def _user_agent(self) -> Header:
        return ("User-Agent", self.context.server[1])

    def _register(self) -> None:
        self.context.sessions[self.call_id, self.local_tag] = self

    def _end(self) -> None:
        self._move(State.ENDED)
        self.timers.keep_only()
        self._unacked = None
        self._ours = None
        self._theirs = None
        self._bye = None
        self.context.sessions.pop((self.call_id, self.local_tag), None)

    def _move(self, to: State) -> None:
        assert to in MOVES[self.state], (self.state, to)
        self.state = to
