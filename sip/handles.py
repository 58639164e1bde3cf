"""Owns requests outside call control: those the TU answers, and those it sent itself.

Both are opaque to the TU but for their public attributes; events carry them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sip.effects import Deliver, Effect
from sip.flow import Flow
from sip.invite.context import Credentials
from sip.invite.credentials import authorised
from sip.message import Request, Response
from sip.transaction.layer import TransactionLayer
from sip.transaction.machine import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from sip.invite.confirmed import InviteSession


class RequestHandle:
    """A request the TU owes a response. `session` is the INVITE session it came in, if any."""

    __slots__ = ("flow", "request", "session", "to_tag", "transaction")

    def __init__(
        self,
        transaction: ServerTransaction,
        request: Request,
        flow: Flow,
        session: InviteSession | None,
    ) -> None:
        self.transaction = transaction
        self.request = request
        self.flow = flow
        self.session = session
        self.to_tag = ""


class ClientHandle:
    """A request the TU sent outside any dialog; answers one challenge of each kind."""

    __slots__ = ("_credentials", "_flow", "_layer", "request")

    def __init__(
        self,
        layer: TransactionLayer,
        request: Request,
        flow: Flow,
        credentials: Credentials | None,
    ) -> None:
        self._layer = layer
        self._flow = flow
        self._credentials = credentials
        self.request = request

    def start(self, now: float) -> list[Effect]:
        return self._layer.send(self.request, self._flow, now, self)[1]

    def on_response(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> list[Effect]:
        if response.status < 200:
            return []
        sent = transaction.request
        if sent is not None:
            cseq = self.request.cseq.number + 1
            again = authorised(sent, response, self._credentials, cseq, self._layer.ids)
            if again is not None:
                self.request = again
                return self.start(now)
        return [Deliver(ResponseReceived(self, response))]

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> list[Effect]:
        return [Deliver(RequestFailed(self, status))]


@dataclass(slots=True, eq=False)
class RequestReceived:
    """A request other than INVITE, outside a dialog or (`handle.session`) in one."""

    handle: RequestHandle
    request: Request
    flow: Flow


@dataclass(slots=True, eq=False)
class ResponseReceived:
    """The final response to a request of the TU."""

    handle: ClientHandle
    response: Response


@dataclass(slots=True, eq=False)
class RequestFailed:
    """No response came: 408 timeout, 503 transport failure."""

    handle: ClientHandle
    status: int
