"""INVITE server transaction (RFC 3261 §17.2.1, as amended by RFC 6026 §7.1).

A 2xx moves it to ACCEPTED, where repeated INVITEs are absorbed and the TU repeats the 2xx itself.
Any other final response is repeated here until its ACK. 100 Trying goes out by itself unless the TU
answered within 200 ms: a challenge or refusal, decided at once, costs no message more.
"""

from enum import Enum, auto
from typing import Protocol

from sip.effects import Deliver, Effect, Ended, Report, Send
from sip.flow import Flow
from sip.message import Request, response_to
from sip.timers import SipTimers
from sip.transaction.machine import ServerTransaction


class State(Enum):
    PROCEEDING = auto()
    ACCEPTED = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    TERMINATED = auto()

    # Members are single: their identity is their hash, and costs no call of Python's.
    __hash__ = object.__hash__


MOVES: dict[State, frozenset[State]] = {
    State.PROCEEDING: frozenset({State.ACCEPTED, State.COMPLETED, State.TERMINATED}),
    State.ACCEPTED: frozenset({State.TERMINATED}),
    State.COMPLETED: frozenset({State.CONFIRMED, State.TERMINATED}),
    State.CONFIRMED: frozenset({State.TERMINATED}),
    State.TERMINATED: frozenset(),
}


class CancelOwner(Protocol):
    """The INVITE session that has to answer the INVITE."""

    def on_cancel(
        self, transaction: "ServerInvite", cancel: Request, now: float
    ) -> list[Effect]: ...


class ServerInvite(ServerTransaction):
    """Holds request and owner until the final response only."""

    __slots__ = ("interval", "merge_key", "owner", "request", "state")

    def __init__(self, key: str, request: Request, flow: Flow, timing: SipTimers) -> None:
        super().__init__(key, flow, timing)
        self.request: Request | None = request
        self.owner: CancelOwner | None = None
        self.merge_key = ""
        self.state = State.PROCEEDING
        self.interval = timing.t1_s

    @property
    def pending(self) -> bool:
        return self.state is State.PROCEEDING

    def start(self, now: float) -> list[Effect]:
        self.timers.set("trying", now + self.timing.trying_s)  # §17.2.1
        return []

    def receive(self, request: Request, now: float) -> list[Effect]:
        if request.method == "ACK":
            return self._acknowledged(request, now)
        match self.state:
            case State.PROCEEDING if self.last:
                return [Send(self.last, self.flow)]
            case State.PROCEEDING:
                # The caller repeats itself: it needs the 100 now, not at the end of the 200 ms.
                return self._trying()
            case State.COMPLETED:
                return [Send(self.last, self.flow)]
        return []  # ACCEPTED: RFC 6026 §7.1, the TU repeats its 2xx by its own timer

    def _acknowledged(self, ack: Request, now: float) -> list[Effect]:
        match self.state:
            case State.COMPLETED:
                self._move(State.CONFIRMED)
                if self.flow.reliable:  # Timer I is zero
                    self._end()
                    return [Ended()]
                self.timers.keep_only(I=now + self.timing.t4_s)
            case State.ACCEPTED:
                return [Deliver(ack)]  # RFC 6026 §7.1: an ACK with the branch of the INVITE
        return []

    def respond(self, status: int, data: bytes, now: float) -> list[Effect]:
        if self.state is not State.PROCEEDING:
            return []
        if status < 200:
            self.last = data
            self.timers.keep_only()
            return [Send(data, self.flow)]
        self.request = None
        self.owner = None
        if status < 300:
            self.last = b""
            self._move(State.ACCEPTED)
            self.timers.keep_only(L=now + self.timing.timeout_s)
            return [Send(data, self.flow)]
        self.last = data
        self._move(State.COMPLETED)
        self.timers.keep_only(H=now + self.timing.timeout_s)
        if not self.flow.reliable:
            self.timers.set("G", now + self.interval)
        return [Send(data, self.flow)]

    def tick(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for name in self.timers.due(now):
            match name:
                case "trying":
                    effects += self._trying()
                case "G":
                    self.interval = min(2 * self.interval, self.timing.t2_s)
                    self.timers.set("G", now + self.interval)
                    effects.append(Send(self.last, self.flow))
                case "H":
                    self._end()
                    return [Report("no-ack", self.key, self.flow), Ended("timeout")]
                case _:  # I, L
                    self._end()
                    return [Ended()]
        return effects

    def _trying(self) -> list[Effect]:
        assert self.request is not None
        self.last = response_to(self.request, 100).to_bytes()
        self.timers.keep_only()
        return [Send(self.last, self.flow)]

    def _end(self) -> None:
        self._move(State.TERMINATED)
        self.timers.keep_only()

    def _move(self, to: State) -> None:
        assert to in MOVES[self.state], (self.state, to)
        self.state = to
