"""The caller's half of an INVITE session (RFC 3261 §13.2, §9.1, §22; RFC 6026).

Provisional responses, forks (the first 2xx wins, every other one gets ACK and BYE), the ACK of each
repeated 2xx, CANCEL that waits for a provisional response, one retry with credentials. Once the TU
has called `cancel` it hears Refused(487) and nothing else, even when a 200 crosses the CANCEL.
"""

from collections.abc import Iterable

from sip.dialog import Dialog
from sip.effects import Deliver, Effect, Send
from sip.flow import Flow
from sip.headers import Headers
from sip.invite.confirmed import InviteSession
from sip.invite.context import NOBODY, Credentials, Header, InviteContext
from sip.invite.credentials import authorised
from sip.invite.events import Answered, Progressed, Refused
from sip.invite.state import State
from sip.message import Request, Response
from sip.status import reason_phrase
from sip.transaction.machine import ClientTransaction, ServerTransaction


class InviteUac(InviteSession):
    """`request` is the INVITE as last sent, with its Via and credentials."""

    __slots__ = ("_cancel_headers", "_cancel_sent", "_forks", "_transaction", "holds_ack")

    def __init__(
        self,
        context: InviteContext,
        request: Request,
        flow: Flow,
        credentials: Credentials | None,
        via_flow: bool,
    ) -> None:
        super().__init__(context, request, flow, State.CALLING, via_flow)
        self.credentials = credentials
        self.local_tag = request.from_.tag
        self.contact = request.headers.get("Contact") or context.names.contact(flow)
        self._transaction: ClientTransaction | None = None
        self._cancel_sent = False
        self._cancel_headers: tuple[Header, ...] = ()
        self._forks: dict[str, Send] = {}  # the ACK for each dialog that lost the race
        self.holds_ack = False  # True: the 2xx is acknowledged when the TU calls `acknowledge`

    def start(self, now: float) -> list[Effect]:
        effects = self._send_invite(self.request, now)
        self._register()
        return effects

    def cancel(self, now: float, headers: Iterable[Header] = ()) -> list[Effect]:
        """Give up; Refused(487) follows. After the answer it is a BYE, and nothing follows."""
        match self.state:
            case State.CALLING:
                # RFC 3261 §9.1: no CANCEL before a provisional response.
                self._move(State.CANCELLING)
                self._cancel_headers = tuple(headers)
                return []
            case State.PROCEEDING:
                self._move(State.CANCELLING)
                self._cancel_headers = tuple(headers)
                return self._send_cancel(now)
            case State.CONFIRMED:
                return self.bye(now, headers)
        return []

    def acknowledge(self) -> list[Effect]:
        """The ACK that was held back (`holds_ack`), once the TU has written the dialog down."""
        held, self.holds_ack = self.holds_ack, False
        if not held or self.state is not State.CONFIRMED or self._ack is None:
            return []
        return [self._ack[1]]

    def bye(self, now: float, headers: Iterable[Header] = ()) -> list[Effect]:
        """End the call; before its answer that is `cancel`."""
        if self.state in (State.CALLING, State.PROCEEDING):
            return self.cancel(now, headers)
        return [*self.acknowledge(), *super().bye(now, headers)]

    def receive(
        self, request: Request, transaction: ServerTransaction, flow: Flow, now: float
    ) -> list[Effect] | None:
        if self.dialog is not None:
            return super().receive(request, transaction, flow, now)
        # Early dialogs: RFC 3261 §15 lets the callee send no BYE, RFC 3311 §5.2 no offer yet.
        match request.method:
            case "UPDATE" | "INVITE":
                status = 491 if request.body or request.method == "INVITE" else 200
                headers = (("Contact", self.contact),) if status == 200 else ()
                return self._reply(transaction, request, status, now, headers)
            case "BYE" | "PRACK":
                return self._reply(transaction, request, 481, now)
        return None

    def on_response(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> list[Effect]:
        if transaction is not self._transaction:
            return super().on_response(transaction, response, now)
        match response.status // 100:
            case 1:
                return self._provisional(response, now)
            case 2:
                return self._accepted(response, now)
        return self._refused(transaction, response, now)

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> list[Effect]:
        if transaction is not self._transaction:
            return super().on_failure(transaction, status, now)
        return self._refuse(status, reason_phrase(status), None)

    def _on_timer(self, name: str, now: float) -> list[Effect]:
        if name != "cancel" or self._transaction is None:
            return super()._on_timer(name, now)
        # §9.1: 64*T1 after the CANCEL without a final response the INVITE counts as cancelled.
        effects = self.context.layer.abandon(self._transaction, now)
        return effects + self._refuse(487, reason_phrase(487), None)

    def _send_invite(self, request: Request, now: float) -> list[Effect]:
        transaction, effects = self.context.layer.send(request, self._flow, now, self)
        self._transaction = transaction
        assert transaction.request is not None
        self.request = transaction.request
        return effects

    def _provisional(self, response: Response, now: float) -> list[Effect]:
        match self.state:
            case State.CALLING:
                # Told even when it is a 100: the TU then knows that the peer lives.
                self._move(State.PROCEEDING)
            case State.CANCELLING:
                return [] if self._cancel_sent else self._send_cancel(now)
            case _ if response.status == 100:
                return []
        return [Deliver(Progressed(self, response))]

    def _accepted(self, response: Response, now: float) -> list[Effect]:
        tag = response.to.tag
        if self.dialog is not None:
            if tag == self.dialog.remote_tag:
                return [] if self.holds_ack else self._acknowledge_again(response)
            return self._end_fork(tag, response, now)
        dialog = Dialog.of_uac(self.request, response, self._flow, self._via_flow)
        self.dialog = dialog
        effects = self._acknowledge(dialog, response)
        if self.state is State.CANCELLING:
            # The 200 crossed our CANCEL: the call exists, and is ended at once.
            effects += self._send_bye(now, self._cancel_headers)
            return [*effects, Deliver(Refused(self, 487, reason_phrase(487), response))]
        self._move(State.CONFIRMED)
        if self.holds_ack:
            effects = []
        return [*effects, Deliver(Answered(self, response))]

    def _end_fork(self, tag: str, response: Response, now: float) -> list[Effect]:
        """§13.2.2.4: a further branch of a fork answered too late."""
        known = self._forks.get(tag)
        if known is not None:
            return [known]
        fork = Dialog.of_uac(self.request, response, self._flow, self._via_flow)
        ack = self._ack_send(fork, response)
        self._forks[tag] = ack
        bye = fork.request("BYE", fork.next_seq(), (self._user_agent(),))
        _, effects = self.context.layer.send(bye, fork.outgoing_flow(), now, NOBODY)
        return [ack, *effects]

    def _refused(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> list[Effect]:
        if self.state is not State.CANCELLING and transaction.request is not None:
            cseq = self.request.cseq.number + 1
            again = authorised(
                transaction.request, response, self.credentials, cseq, self.context.ids
            )
            if again is not None:
                return self._send_invite(again, now)
        return self._refuse(response.status, response.reason, response)

    def _refuse(self, status: int, reason: str, response: Response | None) -> list[Effect]:
        if self.state is State.CANCELLING:
            status, reason = 487, reason_phrase(487)
        self._end()
        return [Deliver(Refused(self, status, reason, response))]

    def _send_cancel(self, now: float) -> list[Effect]:
        assert self._transaction is not None
        self._cancel_sent = True
        self.timers.set("cancel", now + self.context.timing.timeout_s)
        self.context.agenda.note(self)
        cancel = _cancel_for(self.request, self._cancel_headers)
        return self.context.layer.send_cancel(self._transaction, cancel, now, NOBODY)

    def _owns_call_id(self) -> bool:
        return True


def _cancel_for(invite: Request, extra: tuple[Header, ...]) -> Request:
    """RFC 3261 §9.1: the CANCEL of an INVITE as it was sent, with its top Via only."""
    headers = invite.headers
    fields = [(name, headers.get(name) or "") for name in ("From", "To", "Call-ID")]
    fields.append(("CSeq", f"{invite.cseq.number} CANCEL"))
    fields.append(("Via", str(invite.via)))
    fields.append(("Max-Forwards", "70"))
    fields += [("Route", value) for value in headers.all("Route")]
    return Request("CANCEL", invite.uri, Headers([*fields, *extra]), b"")
