"""Asks commands as a caller would, and carries their changes out in memory."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.commands.base import Args, Change, CommandError, Env, Json
from gateway.commands.table import VERBS
from gateway.hot_state import HotState
from gateway.model.record import EntryPosted, Record
from rating.ledger import Entry
from tests.support import factories as make


class KeptArchive:
    """Remembers the entries it is shown, and the decks it is told of."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.decks: set[tuple[str, str]] = set()

    def entry(self, entry_id: str) -> Entry | None:
        return self.entries.get(entry_id)

    def has_deck(self, name: str, version: str) -> bool:
        return (name, version) in self.decks

    def keep(self, records: list[Record]) -> None:
        for record in records:
            if isinstance(record, EntryPosted):
                self.entries.setdefault(record.entry.id, record.entry)


def env(archive: KeptArchive | None = None, **fields: Any) -> Env:
    return Env(make.AT, make.CountingIds(), archive or KeptArchive(), **fields)


def decide(hot: HotState, verb: str, environment: Env | None = None, **args: object) -> Change:
    """A command that shall change something; nothing is carried out."""
    outcome = VERBS[verb].run(hot, Args(args), environment or env())
    assert isinstance(outcome, Change), outcome
    assert VERBS[verb].changes
    return outcome


def do(hot: HotState, verb: str, environment: Env | None = None, **args: object) -> Json:
    """The answer, after the change was carried out as if it was durable."""
    outcome = VERBS[verb].run(hot, Args(args), environment or env())
    if not isinstance(outcome, Change):
        return outcome
    return carry_out(hot, outcome)


def carry_out(hot: HotState, change: Change) -> Json:
    change.apply(hot)
    for owner, owner_id in change.drops:
        hot.location.drop_owner(owner, owner_id)
    return change.answer(hot)


def records(change: Change) -> list[Record]:
    return [record for batch in change.batches for record in batch]


def refused(ask: Callable[[], object]) -> CommandError:
    with pytest.raises(CommandError) as caught:
        ask()
    return caught.value


def code(hot: HotState, verb: str, environment: Env | None = None, **args: object) -> str:
    """The code of a refusal."""
    return refused(lambda: do(hot, verb, environment, **args)).code
