"""Owns the states of a call and the legal moves between them; `gateway/b2bua/call` asserts them."""

from enum import Enum


class State(Enum):
    ADMITTING = "admitting"
    ABANDONED = "abandoned"
    MEDIA_OPENING = "media-opening"
    CONNECTING = "connecting"
    ALERTING = "alerting"
    ANSWERING = "answering"
    TALKING = "talking"
    RELEASING = "releasing"
    ENDED = "ended"

    # Members are single: their identity is their hash, and costs no call of Python's.
    __hash__ = object.__hash__


MOVES: frozenset[tuple[State, State]] = frozenset(
    {
        (State.ADMITTING, State.ABANDONED),
        (State.ADMITTING, State.MEDIA_OPENING),
        (State.ADMITTING, State.ENDED),
        (State.ABANDONED, State.RELEASING),
        (State.ABANDONED, State.ENDED),
        (State.MEDIA_OPENING, State.ABANDONED),
        (State.MEDIA_OPENING, State.CONNECTING),
        (State.MEDIA_OPENING, State.ANSWERING),
        (State.MEDIA_OPENING, State.RELEASING),
        (State.MEDIA_OPENING, State.ENDED),
        (State.CONNECTING, State.CONNECTING),
        (State.CONNECTING, State.ALERTING),
        (State.CONNECTING, State.ANSWERING),
        (State.CONNECTING, State.RELEASING),
        (State.ALERTING, State.CONNECTING),
        (State.ALERTING, State.ANSWERING),
        (State.ALERTING, State.RELEASING),
        (State.ANSWERING, State.TALKING),
        (State.ANSWERING, State.RELEASING),
        (State.TALKING, State.RELEASING),
        (State.RELEASING, State.ENDED),
    }
)

RINGING = (State.CONNECTING, State.ALERTING)
