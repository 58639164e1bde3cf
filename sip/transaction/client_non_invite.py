"""Non-INVITE client transaction (RFC 3261 §17.1.2, with RFC 4320 in mind).

The final response is passed up once; over UDP its repetitions are absorbed until Timer K.
"""

from enum import Enum, auto

from sip.effects import Deliver, Effect, Ended, Send
from sip.flow import Flow
from sip.message import Request, Response
from sip.timers import SipTimers
from sip.transaction.machine import ClientOwner, ClientTransaction


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


class ClientNonInvite(ClientTransaction):
    __slots__ = ("interval", "state")

    def __init__(
        self,
        key: str,
        request: Request,
        data: bytes,
        flow: Flow,
        timing: SipTimers,
        owner: ClientOwner,
    ) -> None:
        super().__init__(key, request, data, flow, timing, owner)
        self.state = State.TRYING
        self.interval = timing.t1_s

    @property
    def pending(self) -> bool:
        return self.state in (State.TRYING, State.PROCEEDING)

    def start(self, now: float) -> list[Effect]:
        timers = self.timers
        timers.set("F", now + self.timing.timeout_s)
        if not self.flow.reliable:
            timers.set("E", now + self.interval)
        return [Send(self.data, self.flow)]

    def receive(self, response: Response, now: float) -> list[Effect]:
        if not self.pending:
            return []
        if response.status < 200:
            if self.state is State.TRYING:
                self._move(State.PROCEEDING)
                if not self.flow.reliable:
                    # §17.1.2.2: once a provisional came, E fires every T2.
                    self.interval = self.timing.t2_s
            return [Deliver(response)]
        self._move(State.COMPLETED)
        if self.flow.reliable:  # Timer K is zero
            self._end()
            return [Deliver(response), Ended()]
        self.data = b""
        self.timers.keep_only(K=now + self.timing.t4_s)
        return [Deliver(response)]

    def fail(self) -> list[Effect]:
        if not self.pending:
            return []
        self._end()
        return [Ended("transport")]

    def tick(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for name in self.timers.due(now):
            match name:
                case "E":
                    self.interval = min(2 * self.interval, self.timing.t2_s)
                    self.timers.set("E", now + self.interval)
                    effects.append(Send(self.data, self.flow))
                case "F":
                    self._end()
                    return [Ended("timeout")]
                case _:  # K
                    self._end()
                    return [Ended()]
        return effects

    def _end(self) -> None:
        self._move(State.TERMINATED)
        self.timers.keep_only()

    def _move(self, to: State) -> None:
        assert to in MOVES[self.state], (self.state, to)
        self.state = to
