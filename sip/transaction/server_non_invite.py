"""Non-INVITE server transaction (RFC 3261 §17.2.2).

The final response is repeated for every repetition of the request until Timer J. There is no 100
here: RFC 4320 §4.1 forbids it before Timer E reaches T2, and the TU answers at once.
"""

from enum import Enum, auto

from sip.effects import Effect, Ended, Send
from sip.flow import Flow
from sip.message import Request
from sip.timers import SipTimers
from sip.transaction.machine import ServerTransaction


class State(Enum):
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    TERMINATED = auto()

    # Members are single: their identity is their hash, and costs no call of Python's.
    __hash__ = object.__hash__


MOVES: dict[State, frozenset[State]] = {
    State.TRYING: frozenset({State.PROCEEDING, State.COMPLETED, State.TERMINATED}),
    State.PROCEEDING: frozenset({State.COMPLETED, State.TERMINATED}),
    State.COMPLETED: frozenset({State.TERMINATED}),
    State.TERMINATED: frozenset(),
}


class ServerNonInvite(ServerTransaction):
    __slots__ = ("state",)

    def __init__(self, key: str, flow: Flow, timing: SipTimers) -> None:
        super().__init__(key, flow, timing)
        self.state = State.TRYING

    @property
    def pending(self) -> bool:
        return self.state in (State.TRYING, State.PROCEEDING)

    def receive(self, request: Request, now: float) -> list[Effect]:
        # §17.2.2: TRYING has nothing to repeat yet and discards.
        return [Send(self.last, self.flow)] if self.last else []

    def respond(self, status: int, data: bytes, now: float) -> list[Effect]:
        if not self.pending:
            return []
        self.last = data
        if status < 200:
            if self.state is State.TRYING:
                self._move(State.PROCEEDING)
            return [Send(data, self.flow)]
        self._move(State.COMPLETED)
        if self.flow.reliable:  # Timer J is zero
            self._end()
            return [Send(data, self.flow), Ended()]
        self.timers.keep_only(J=now + self.timing.timeout_s)
        return [Send(data, self.flow)]

    def tick(self, now: float) -> list[Effect]:
        if not self.timers.due(now):
            return []
        self._end()  # J
        return [Ended()]

    def _end(self) -> None:
        self._move(State.TERMINATED)
        self.timers.keep_only()

    def _move(self, to: State) -> None:
        assert to in MOVES[self.state], (self.state, to)
        self.state = to
