"""Owns the shape of a command: its arguments, its refusal with a stable code, and `Change`, what is
to be written and then done.

A command decides and changes nothing, except that it reserves money. Whoever runs it writes
`Change.batches`, each of them atomic, and calls `apply` when all are durable, or `undo` when they
are not. Commands that change something run one after the other, so that a decision still holds when
it is applied (R96).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

from gateway.hot_state import HotState
from gateway.model.binding import Owner
from gateway.model.record import Record
from gateway.ports import Archive, Ids

Json = dict[str, object]

# Every code a program may rely on, with what it means.
CODES: dict[str, str] = {
    "BAD_ARGUMENT": "an argument is missing, unknown, or not of its kind",
    "NOT_FOUND": "there is nothing of that name",
    "UNCLEAR": "the name fits several",
    "TAKEN": "the name, number or address belongs to another already",
    "AMBIGUOUS": "afterwards two places could not be told apart",
    "PRIVATE_ADDRESS": "a PBX's fixed address must be public",
    "BAD_CHANNELS": "a profile has 1 to 300 channels",
    "BAD_NUMBER": "not a full international number",
    "BAD_AMOUNT": "not an amount of money that can be moved",
    "INSUFFICIENT_CREDIT": "the account has less than that to give",
    "KEY_REUSED": "the key stands for another movement of money",
    "ATTACHED_ELSEWHERE": "the account belongs to another profile",
    "NOT_ATTACHED": "the account belongs to no profile",
    "BAD_DECK": "rows of the rate deck are wrong; details name the lines",
    "NO_UPLOAD": "no lines of a deck were sent before",
    "BUILT_IN": "the built-in carrier is not for changing",
    "STORE_FAILED": "the store could not write it; nothing was changed",
    "UNKNOWN_VERB": "there is no such verb",
    "BAD_MESSAGE": "not one JSON object with id, verb and args on one line",
    "TOO_LONG": "the message is longer than the limit",
    "BUSY": "too many clients are connected",
    "STOPPING": "the gateway is being stopped",
    "INTERNAL": "a fault of the gateway; its log says more",
}


class CommandError(Exception):
    """No, with a stable code for programs and a sentence for people."""

    def __init__(self, code: str, sentence: str, details: Sequence[object] = ()) -> None:
        assert code in CODES, code
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.details = tuple(details)


@dataclass(frozen=True, slots=True)
class Env:
    """What a command needs besides the hot state. `at` is UTC."""

    at: datetime
    ids: Ids
    archive: Archive
    allow_private_peers: bool = False


def _nothing(hot: HotState) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Change:
    """What to write, then what to do in memory, then what to answer."""

    batches: tuple[tuple[Record, ...], ...]
    apply: Callable[[HotState], None]
    answer: Callable[[HotState], Json]
    undo: Callable[[HotState], None] = _nothing
    drops: tuple[tuple[Owner, int], ...] = ()  # AORs whose registrations end with it
    subject: str = ""  # for the log; never a secret


Outcome = Json | Change

PAGE = 500  # of a long list in one answer: whoever asks must not hold up calls

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for."""

    offset: int
    limit: int

    def of(self, items: Collection[_Item]) -> list[_Item]:
        return list(islice(items, self.offset, self.offset + self.limit))


class Args:
    """The arguments of one command, each taken once; what is left over is refused."""

    __slots__ = ("_left",)

    def __init__(self, given: Mapping[str, object]) -> None:
        self._left = dict(given)

    def text(self, name: str) -> str:
        value = self.optional_text(name)
        if not value:
            raise CommandError("BAD_ARGUMENT", f"{name} is missing")
        return value

    def optional_text(self, name: str) -> str | None:
        """The text, "" included; None when it was not given."""
        value = self._left.pop(name, None)
        if value is None or (isinstance(value, str) and _clean(value)):
            return value
        raise CommandError("BAD_ARGUMENT", f"{name} must be text without control characters")

    def lines(self, name: str) -> str:
        """Text of several lines."""
        value = self._left.pop(name, None)
        if not isinstance(value, str):
            raise CommandError("BAD_ARGUMENT", f"{name} must be text")
        return value

    def optional_int(self, name: str, least: int = 0, most: int = 2**31) -> int | None:
        value = self._left.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise CommandError("BAD_ARGUMENT", f"{name} must be a number from {least} to {most}")
        return value

    def optional_seconds(self, name: str, least: float, most: float) -> float | None:
        value = self._left.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise CommandError("BAD_ARGUMENT", f"{name} must be a number of seconds")
        if not least <= value <= most:
            raise CommandError("BAD_ARGUMENT", f"{name} must be from {least:g} to {most:g} s")
        return float(value)

    def optional_flag(self, name: str) -> bool | None:
        value = self._left.pop(name, None)
        if value is None or isinstance(value, bool):
            return value
        raise CommandError("BAD_ARGUMENT", f"{name} must be true or false")

    def page(self) -> Page:
        """`offset` and `limit` of a list; the whole answer says how many there are in `total`."""
        offset, limit = self.optional_int("offset"), self.optional_int("limit", 1, PAGE)
        return Page(offset or 0, limit or PAGE)

    def count_or_text(self, name: str) -> int | str | None:
        value = self._left.pop(name, None)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise CommandError("BAD_ARGUMENT", f"{name} must be a number")

    def end(self) -> None:
        """Refuse arguments that nobody asked for: a typing error must not pass in silence."""
        if self._left:
            names = ", ".join(sorted(self._left))
            raise CommandError("BAD_ARGUMENT", f"unknown: {names}")


def _clean(text: str) -> bool:
    return len(text) <= 1_000 and text.isprintable()


def choice(name: str, value: str, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise CommandError("BAD_ARGUMENT", f"{name} must be one of: {', '.join(allowed)}")
    return value
