"""Owns the call-control vocabulary: what INVITE sessions tell the TU.

Every event carries its INVITE session first. Events are values, treated as immutable. Who hears
nothing more: a session that was refused, cancelled or released, or that the TU itself ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sip.flow import Flow
from sip.message import Request, Response

if TYPE_CHECKING:
    from sip.invite.confirmed import InviteSession
    from sip.invite.uac import InviteUac
    from sip.invite.uas import InviteUas


@dataclass(slots=True, eq=False)
class Offered:
    """A new INVITE; 100 Trying goes out by itself after 200 ms."""

    session: InviteUas
    request: Request
    flow: Flow


@dataclass(slots=True, eq=False)
class Progressed:
    """A provisional response; several To tags mean several early dialogs.

    A 100 only when it is the first sign of life: it says that, and nothing else.
    """

    session: InviteUac
    response: Response


@dataclass(slots=True, eq=False)
class Answered:
    """The first 2xx; its ACK is already among the effects."""

    session: InviteUac
    response: Response


@dataclass(slots=True, eq=False)
class Acknowledged:
    """The ACK of our 2xx. For a re-INVITE only when the ACK brings a body (the answer)."""

    session: InviteSession
    request: Request


@dataclass(slots=True, eq=False)
class Updated:
    """Re-INVITE, or UPDATE with a body: the TU owes accept_update or reject_update."""

    session: InviteSession
    request: Request


@dataclass(slots=True, eq=False)
class UpdateAnswered:
    """Our reoffer was accepted; its ACK is already among the effects."""

    session: InviteSession
    response: Response


@dataclass(slots=True, eq=False)
class UpdateRefused:
    """Our reoffer failed; the dialog lives on as it was."""

    session: InviteSession
    status: int
    reason: str


@dataclass(slots=True, eq=False)
class Refused:
    """The end of an unanswered InviteUac.

    A final status >= 300 after any authentication retry; 408 timeout or 503 transport failure
    (response None); 487 whenever the TU had cancelled, also when a 200 crossed the CANCEL.
    """

    session: InviteUac
    status: int
    reason: str
    response: Response | None


@dataclass(slots=True, eq=False)
class Cancelled:
    """The caller gave up before our final response: CANCEL, or BYE in the early dialog.

    `request` is that CANCEL or BYE; 200 to it and 487 to the INVITE are already among the effects.
    """

    session: InviteUas
    request: Request


@dataclass(slots=True, eq=False)
class Released:
    """The end of a confirmed session not asked for by the TU.

    `reason`: "bye" (the peer's BYE, already answered; `request` is it), "no-ack" (our 2xx was
    never acknowledged; BYE is sent), "lost" (a request in the dialog timed out or met 481).
    """

    session: InviteSession
    reason: str
    request: Request | None


SessionEvent = (
    Offered
    | Progressed
    | Answered
    | Acknowledged
    | Updated
    | UpdateAnswered
    | UpdateRefused
    | Refused
    | Cancelled
    | Released
)
