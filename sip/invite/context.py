"""Owns what all INVITE sessions of one endpoint share: transactions, their table, fixed headers."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sip.effects import Effect
from sip.message import Request, Response, response_to
from sip.transaction.layer import TransactionLayer
from sip.transaction.machine import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from sip.invite.confirmed import InviteSession

Header = tuple[str, str]
Credentials = tuple[str, str]  # username, password


class InviteContext:
    """`sessions` holds every INVITE session whose tag a peer may know, by Call-ID and that tag."""

    __slots__ = ("agenda", "allow", "ids", "layer", "names", "server", "sessions", "timing")

    def __init__(self, layer: TransactionLayer, user_agent: str, allow: tuple[str, ...]) -> None:
        self.layer = layer
        self.ids = layer.ids
        self.names = layer.names
        self.timing = layer.timing
        self.agenda = layer.agenda
        self.server: Header = ("Server", user_agent)
        self.allow: Header = ("Allow", ", ".join(allow))
        self.sessions: dict[tuple[str, str], InviteSession] = {}

    def respond(
        self,
        transaction: ServerTransaction,
        request: Request,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        headers: Iterable[Header] = (),
        body: bytes = b"",
        to_tag: str = "",
    ) -> tuple[Response, list[Effect]]:
        """Build a response and pass it to its transaction."""
        response = response_to(request, status, reason, (*headers, self.server), body, to_tag)
        return response, self.layer.respond(transaction, status, response.to_bytes(), now)


class Nobody:
    """The owner of requests whose outcome changes nothing (CANCEL, BYE of a lost fork)."""

    __slots__ = ()

    def on_response(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> list[Effect]:
        return []

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> list[Effect]:
        return []


NOBODY = Nobody()
