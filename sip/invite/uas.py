"""The callee's half of an INVITE session (RFC 3261 §13.3, §9.2, §15.1.2).

Provisional responses, the 2xx and its repetition until the ACK, refusals, CANCEL and BYE before the
answer. A refusal leaves nothing behind but the transaction: the dialog is made, and the session
entered in the table, only when a response first shows the peer our tag.
"""

from collections.abc import Iterable

from sip.dialog import Dialog
from sip.effects import Deliver, Effect
from sip.flow import Flow
from sip.invite.confirmed import InviteSession
from sip.invite.context import Header, InviteContext
from sip.invite.events import Cancelled
from sip.invite.state import State
from sip.message import Request, Response, response_to
from sip.transaction.machine import ServerTransaction
from sip.transaction.server_invite import ServerInvite


class InviteUas(InviteSession):
    __slots__ = ("_transaction",)

    def __init__(
        self, context: InviteContext, transaction: ServerInvite, request: Request, flow: Flow
    ) -> None:
        super().__init__(context, request, flow, State.OFFERED, True)
        self._transaction: ServerInvite | None = transaction

    def progress(
        self,
        status: int,
        now: float,
        reason: str | None = None,
        body: bytes = b"",
        headers: Iterable[Header] = (),
        content_type: str = "application/sdp",
    ) -> list[Effect]:
        """A provisional response; 101 to 199 make an early dialog."""
        if self.state is not State.OFFERED or self._transaction is None:
            return []
        if status == 100:
            return self.context.respond(self._transaction, self.request, 100, now)[1]
        fields = [*self._dialog_headers(), *headers]
        if body:
            fields.append(("Content-Type", content_type))
        response, effects = self.context.respond(
            self._transaction,
            self.request,
            status,
            now,
            reason=reason,
            headers=fields,
            body=body,
            to_tag=self._tag(),
        )
        self._make_dialog(response)
        return effects

    def answer(self, body: bytes, now: float, headers: Iterable[Header] = ()) -> list[Effect]:
        """200 with our side of the media session; Acknowledged follows, or Released."""
        if self.state is not State.OFFERED or self._transaction is None:
            return []
        fields = [*self._dialog_headers(), self.context.allow, *headers]
        if body:
            fields.append(("Content-Type", "application/sdp"))
        response, effects = self.context.respond(
            self._transaction,
            self.request,
            200,
            now,
            headers=fields,
            body=body,
            to_tag=self._tag(),
        )
        self._transaction = None
        self._make_dialog(response)
        self._move(State.ANSWERED)
        self._await_ack(self.request.cseq.number, effects, now)
        return effects

    def refuse(
        self, status: int, now: float, reason: str | None = None, headers: Iterable[Header] = ()
    ) -> list[Effect]:
        """A final response of 300 or above; no event follows."""
        if self.state is not State.OFFERED or self._transaction is None:
            return []
        _, effects = self.context.respond(
            self._transaction,
            self.request,
            status,
            now,
            reason=reason,
            headers=headers,
            to_tag=self._tag(),
        )
        self._transaction = None
        self._end()
        return effects

    def bye(self, now: float, headers: Iterable[Header] = ()) -> list[Effect]:
        """End the call; before our answer that is a refusal."""
        if self.state is State.OFFERED:
            return self.refuse(480, now, headers=headers)
        return super().bye(now, headers)

    def on_cancel(self, transaction: ServerInvite, cancel: Request, now: float) -> list[Effect]:
        """§9.2: a CANCEL before the final response ends the INVITE with 487."""
        if transaction is not self._transaction:
            return super().on_cancel(transaction, cancel, now)
        return [*self.refuse(487, now), Deliver(Cancelled(self, cancel))]

    def dialog_state(self) -> str:
        """Before a response has shown our tag: the dialog that the 200 is going to make."""
        if self.dialog is None and self.state is State.OFFERED:
            answer = response_to(self.request, 200, to_tag=self._tag())
            flow, via_flow = self._flow, self._via_flow
            return Dialog.of_uas(self.request, answer, self.local_tag, flow, via_flow).to_json()
        return super().dialog_state()

    def tag(self) -> str:
        """Our tag, for the 200 to a CANCEL (§9.2: the same as in the responses to the INVITE)."""
        return self._tag()

    def _on_bye(self, bye: Request, transaction: ServerTransaction, now: float) -> list[Effect]:
        if self.state is not State.OFFERED:
            return super()._on_bye(bye, transaction, now)
        # §15.1.2: BYE in the early dialog; the pending INVITE is answered with 487.
        effects = self._reply(transaction, bye, 200, now)
        return [*effects, *self.refuse(487, now), Deliver(Cancelled(self, bye))]

    def _tag(self) -> str:
        if not self.local_tag:
            self.local_tag = self.context.ids.token(8)
        return self.local_tag

    def _dialog_headers(self) -> list[Header]:
        """§12.1.1: the Record-Route of the INVITE, and our Contact."""
        request = self.request
        if not self.contact:
            self.contact = self.context.names.contact(self._flow, request.request_uri.user)
        fields = [("Record-Route", value) for value in request.headers.all("Record-Route")]
        fields.append(("Contact", self.contact))
        return fields

    def _make_dialog(self, response: Response) -> None:
        if self.dialog is None:
            self.dialog = Dialog.of_uas(
                self.request, response, self.local_tag, self._flow, self._via_flow
            )
            self._register()

    def _owns_call_id(self) -> bool:
        return False
