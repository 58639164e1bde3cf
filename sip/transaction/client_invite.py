"""INVITE client transaction (RFC 3261 §17.1.1, as amended by RFC 6026 §7.2).

A 2xx is passed up each time it comes: its ACK is the UAC core's. Any other final response is passed
up once and acknowledged here, each time it comes. PROCEEDING has no deadline by the RFC: how long
to ring is the TU's to say.
"""

from enum import Enum, auto

from sip.effects import Deliver, Effect, Ended, Send
from sip.flow import Flow
from sip.headers import Headers
from sip.message import Request, Response
from sip.timers import SipTimers
from sip.transaction.machine import ClientOwner, ClientTransaction


class State(Enum):
    CALLING = auto()
    PROCEEDING = auto()
    ACCEPTED = auto()
    COMPLETED = auto()
    TERMINATED = auto()

    # Members are single: their identity is their hash, and costs no call of Python's.
    __hash__ = object.__hash__


MOVES: dict[State, frozenset[State]] = {
    State.CALLING: frozenset({State.PROCEEDING, State.ACCEPTED, State.COMPLETED, State.TERMINATED}),
    State.PROCEEDING: frozenset({State.ACCEPTED, State.COMPLETED, State.TERMINATED}),
    State.ACCEPTED: frozenset({State.TERMINATED}),
    State.COMPLETED: frozenset({State.TERMINATED}),
    State.TERMINATED: frozenset(),
}


class ClientInvite(ClientTransaction):
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
        self.state = State.CALLING
        self.interval = timing.t1_s

    @property
    def pending(self) -> bool:
        return self.state in (State.CALLING, State.PROCEEDING)

    def start(self, now: float) -> list[Effect]:
        timers = self.timers
        timers.set("B", now + self.timing.timeout_s)
        if not self.flow.reliable:
            timers.set("A", now + self.interval)
        return [Send(self.data, self.flow)]

    def receive(self, response: Response, now: float) -> list[Effect]:
        match self.state, response.status // 100:
            case State.CALLING, 1:
                self._move(State.PROCEEDING)
                self.timers.keep_only()
                return [Deliver(response)]
            case State.PROCEEDING, 1:
                return [Deliver(response)]
            case ((State.CALLING | State.PROCEEDING), 2):
                # RFC 6026 §7.2: wait for further 2xx, of this branch of a fork or of another.
                self._move(State.ACCEPTED)
                self.data = b""
                self.timers.keep_only(M=now + self.timing.timeout_s)
                return [Deliver(response)]
            case ((State.CALLING | State.PROCEEDING), _):
                return self._refused(response, now)
            case State.COMPLETED, (3 | 4 | 5 | 6):
                return [Send(self.data, self.flow)]
            case State.ACCEPTED, 2:
                return [Deliver(response)]
        return []

    def _refused(self, response: Response, now: float) -> list[Effect]:
        assert self.request is not None
        ack = Send(ack_for(self.request, response).to_bytes(), self.flow)
        self._move(State.COMPLETED)
        if self.flow.reliable:  # Timer D is zero: nothing can be repeated
            self._end()
            return [ack, Deliver(response), Ended()]
        self.data = ack.data
        self.timers.keep_only(D=now + self.timing.d_s)
        return [ack, Deliver(response)]

    def fail(self) -> list[Effect]:
        if not self.pending:
            return []
        self._end()
        return [Ended("transport")]

    def abandon(self) -> list[Effect]:
        """The TU waits no longer for the answer to its CANCEL (RFC 3261 §9.1)."""
        if not self.pending:
            return []
        self._end()
        return [Ended()]

    def tick(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for name in self.timers.due(now):
            match name:
                case "A":  # §17.1.1.2: double each time
                    self.interval *= 2
                    self.timers.set("A", now + self.interval)
                    effects.append(Send(self.data, self.flow))
                case "B":
                    self._end()
                    return [Ended("timeout")]
                case _:  # D, M
                    self._end()
                    return [Ended()]
        return effects

    def _end(self) -> None:
        self._move(State.TERMINATED)
        self.timers.keep_only()

    def _move(self, to: State) -> None:
        assert to in MOVES[self.state], (self.state, to)
        self.state = to


def ack_for(invite: Request, response: Response) -> Request:
    """The ACK of a final response other than 2xx (RFC 3261 §17.1.1.3)."""
    fields: list[tuple[str, str]] = []
    via_taken = False
    for name, value in invite.headers.items():
        match name.lower():
            case "via" | "v" if not via_taken:
                via_taken = True  # one Via only, equal to the top Via of the INVITE
                fields.append(("Via", value))
            case "from" | "f" | "call-id" | "i" | "route" | "max-forwards":
                fields.append((name, value))
            case "to" | "t":
                fields.append(("To", response.headers.get("To") or value))
            case "cseq":
                fields.append(("CSeq", f"{invite.cseq.number} ACK"))
    return Request("ACK", invite.uri, Headers(fields), b"")
