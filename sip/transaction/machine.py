"""Owns what the four transaction machines share: key, flow, timers, and who is told of events.

States and moves are each machine's own.
"""

from typing import Protocol

from sip.effects import Effect
from sip.flow import Flow
from sip.message import Request, Response
from sip.timers import SipTimers, TimerTable


class ClientOwner(Protocol):
    """Who sent a request: an INVITE session or the handle of a single request."""

    def on_response(
        self, transaction: "ClientTransaction", response: Response, now: float
    ) -> list[Effect]: ...

    def on_failure(self, transaction: "ClientTransaction", status: int, now: float) -> list[Effect]:
        """No final response will come: 408 after a timeout, 503 when the flow failed."""
        ...


class Machine:
    """A transaction as the tables and the agenda see it."""

    __slots__ = ("flow", "key", "noted", "timers", "timing")

    def __init__(self, key: str, flow: Flow, timing: SipTimers) -> None:
        self.key = key
        self.flow = flow
        self.timing = timing
        self.timers = TimerTable()
        self.noted: float | None = None

    @property
    def deadline(self) -> float | None:
        return self.timers.deadline

    def tick(self, now: float) -> list[Effect]:
        """Act on every timer that is due."""
        raise NotImplementedError


class ClientTransaction(Machine):
    """Its request is forgotten once a final response was passed up (`shrink`)."""

    __slots__ = ("data", "owner", "request")

    def __init__(
        self,
        key: str,
        request: Request,
        data: bytes,
        flow: Flow,
        timing: SipTimers,
        owner: ClientOwner,
    ) -> None:
        super().__init__(key, flow, timing)
        self.request: Request | None = request
        self.data = data
        self.owner = owner

    @property
    def pending(self) -> bool:
        """True until a final response, a timeout or a failure."""
        raise NotImplementedError

    def shrink(self) -> None:
        """A final response was passed up: what repeats itself needs neither request nor bytes."""
        self.request = None

    def start(self, now: float) -> list[Effect]:
        raise NotImplementedError

    def receive(self, response: Response, now: float) -> list[Effect]:
        raise NotImplementedError

    def fail(self) -> list[Effect]:
        """The transport could not carry the request (§17.1.4)."""
        raise NotImplementedError


class ServerTransaction(Machine):
    """Keeps its last response only; the request lives with the TU while it is needed."""

    __slots__ = ("last",)

    def __init__(self, key: str, flow: Flow, timing: SipTimers) -> None:
        super().__init__(key, flow, timing)
        self.last = b""

    @property
    def pending(self) -> bool:
        """True until the final response."""
        raise NotImplementedError

    def receive(self, request: Request, now: float) -> list[Effect]:
        """A retransmission of the request, or the ACK of an INVITE."""
        raise NotImplementedError

    def respond(self, status: int, data: bytes, now: float) -> list[Effect]:
        raise NotImplementedError
