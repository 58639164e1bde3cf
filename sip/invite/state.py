"""Owns the states an INVITE session goes through, on either side, and the moves between them."""

from enum import Enum, auto


class State(Enum):
    CALLING = auto()  # UAC: nothing heard yet
    PROCEEDING = auto()  # UAC: a provisional response came
    CANCELLING = auto()  # UAC: the TU gave up; the final response is outstanding
    OFFERED = auto()  # UAS: the TU owes a final response
    ANSWERED = auto()  # UAS: our 2xx waits for its ACK
    CONFIRMED = auto()
    ENDING = auto()  # our BYE is outstanding; the peer's may cross it
    ENDED = auto()

    # Members are single: their identity is their hash, and costs no call of Python's.
    __hash__ = object.__hash__


MOVES: dict[State, frozenset[State]] = {
    State.CALLING: frozenset({State.PROCEEDING, State.CANCELLING, State.CONFIRMED, State.ENDED}),
    State.PROCEEDING: frozenset({State.CANCELLING, State.CONFIRMED, State.ENDED}),
    State.CANCELLING: frozenset({State.ENDING, State.ENDED}),
    State.OFFERED: frozenset({State.ANSWERED, State.ENDED}),
    State.ANSWERED: frozenset({State.CONFIRMED, State.ENDING, State.ENDED}),
    State.CONFIRMED: frozenset({State.ENDING, State.ENDED}),
    State.ENDING: frozenset({State.ENDED}),
    State.ENDED: frozenset(),
}

EARLY = frozenset({State.CALLING, State.PROCEEDING, State.CANCELLING, State.OFFERED})
