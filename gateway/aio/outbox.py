"""Owns what must reach the store however long it cannot write: settlements and refused attempts.

A journal in front of the writer. A batch that nobody waits for and that holds such a record is kept
until it is durable: offered again one at a time while the store fails, all together once one of
them went through. Everything else passes through untouched. (R73; pain 5)
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from gateway.aio.log import Log
from gateway.aio.metrics import Metrics
from gateway.model.record import CallRefused, CallSettled, Record
from gateway.ports import Journal

RETRY_S = 1.0
MOST_REFUSALS = 10_000  # kept at most; a settlement is never dropped

Batch = Sequence[Record]


class Outbox:
    """`store_down` set: what comes is kept without troubling the store."""

    def __init__(
        self,
        journal: Journal,
        log: Log,
        metrics: Metrics,
        loop: asyncio.AbstractEventLoop,
        most_refusals: int = MOST_REFUSALS,
    ) -> None:
        self._journal = journal
        self._log = log
        self._metrics = metrics
        self._loop = loop
        self._most_refusals = most_refusals
        self._kept: deque[Batch] = deque()
        self._offered = 0
        self._retry: asyncio.TimerHandle | None = None
        self.store_down = False

    @property
    def unwritten(self) -> int:
        """Batches that are not durable yet, those under way included."""
        return len(self._kept) + self._offered

    def write(self, records: Sequence[Record], done: Callable[[bool], None] | None = None) -> None:
        if done is not None or not any(isinstance(r, CallSettled | CallRefused) for r in records):
            self._journal.write(records, done)
        elif self.store_down:
            self._keep(records)
        else:
            self._offer(records)

    def _offer(self, batch: Batch) -> None:
        self._offered += 1

        def committed(durable: bool) -> None:
            self._offered -= 1
            if durable:
                self._release_kept()
                return
            self._metrics.commit_failures.inc()
            self._keep(batch)

        self._journal.write(batch, committed)

    def _keep(self, batch: Batch) -> None:
        refusals_only = all(isinstance(record, CallRefused) for record in batch)
        if refusals_only and len(self._kept) >= self._most_refusals:
            self._log.error("refused attempt not recorded: too many wait for the store")
            return
        self._kept.append(batch)
        self._metrics.unwritten.set(len(self._kept))
        if self._retry is None:
            self._retry = self._loop.call_later(RETRY_S, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        if self._kept:
            self._log.error("records wait for the store", batches=len(self._kept))
            # The eldest alone: one that can never be written comes to the end of the queue again.
            self._offer(self._kept.popleft())

    def _release_kept(self) -> None:
        """The store writes again: all that waits follows."""
        if not self._kept:
            return
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        kept, self._kept = self._kept, deque()
        self._metrics.unwritten.set(0)
        for batch in kept:
            self._offer(batch)

    def close(self) -> int:
        """Offer what is left a last time; how many batches there are."""
        if self._retry is not None:
            self._retry.cancel()
        kept, self._kept = self._kept, deque()
        for batch in kept:
            self._journal.write(batch)
        return len(kept)
