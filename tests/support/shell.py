"""Kept shells: what the gateway's parts write, log and send, to be looked at afterwards."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from gateway.aio.metrics import Metrics
from gateway.model.record import Record
from sip.effects import Effect
from sip.endpoint import Endpoint
from sip.target import LocalNames
from sip.timers import SipTimers
from tests.support.factories import CountingIds


class KeptJournal:
    """Keeps every batch. `durable` says what `done` is told; None keeps it waiting."""

    def __init__(self, durable: bool | None = True) -> None:
        self.batches: list[Sequence[Record]] = []
        self.waiting: list[Callable[[bool], None]] = []
        self.durable = durable

    def write(self, records: Sequence[Record], done: Callable[[bool], None] | None = None) -> None:
        self.batches.append(records)
        if done is None:
            return
        if self.durable is None:
            self.waiting.append(done)
        else:
            done(self.durable)

    @property
    def records(self) -> list[Record]:
        return [record for batch in self.batches for record in batch]


class KeptLog:
    """Keeps (event, facts) of every line."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.lines]

    def debug(self, event: str, **facts: Any) -> None:
        self.lines.append((event, facts))

    info = warning = error = debug


class KeptSip:
    """A real endpoint whose effects go nowhere but into a list."""

    def __init__(self) -> None:
        self.endpoint = Endpoint(CountingIds(), SipTimers(), LocalNames())
        self.effects: list[Effect] = []

    def execute(self, effects: Iterable[Effect]) -> None:
        self.effects += effects


def fresh_metrics() -> Metrics:
    return Metrics(CollectorRegistry())
