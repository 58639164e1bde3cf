"""Owns the knowledge whether the store can write, from the writer's counters (pain 5).

A failed commit, or a writer that stands still with work before it, closes the door: new calls are
refused at once instead of each waiting for its own failure. A commit opens it again. What is
refused meanwhile, and what is kept, is for others.
"""

from collections.abc import Callable
from typing import Protocol

from gateway.aio.log import Log
from gateway.aio.metrics import Metrics
from gateway.ports import Clock

STALLED_S = 3.0


class Counters(Protocol):
    """What the writer has done since the start."""

    @property
    def commits(self) -> int: ...

    @property
    def failed_commits(self) -> int: ...

    @property
    def backlog(self) -> int:
        """Records that wait."""
        ...


class StoreWatch:
    """Call `look` once a second and on every error of the writer; `changed(ok)` follows."""

    def __init__(
        self,
        counters: Callable[[], Counters],
        clock: Clock,
        log: Log,
        metrics: Metrics,
        changed: Callable[[bool], None],
        kept: Callable[[], int],
    ) -> None:
        """`kept`: how many batches wait to be offered again, each of them a probe."""
        self._counters = counters
        self._kept = kept
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._changed = changed
        self._commits = self._failed = 0
        self._moved_now = clock.now()
        self.ok = True
        metrics.store_ok.set(1)

    def look(self) -> None:
        now, seen = self._clock.now(), self._counters()
        committed = seen.commits != self._commits
        failed = seen.failed_commits != self._failed
        if committed or failed or not seen.backlog:
            self._moved_now = now
        self._commits, self._failed = seen.commits, seen.failed_commits
        if failed:
            self._set(False, "a commit failed")
        elif now - self._moved_now >= STALLED_S:
            self._set(False, f"nothing was written for {STALLED_S:g} s, {seen.backlog} wait")
        elif committed or not (seen.backlog or self._kept()):
            # With nothing under way only the next attempt can tell.
            self._set(True, "")

    def _set(self, ok: bool, why: str) -> None:
        if ok is self.ok:
            return
        self.ok = ok
        self._metrics.store_ok.set(int(ok))
        if ok:
            self._log.warning("the store writes again")
        else:
            self._log.error("the store cannot write: new calls are refused", why=why)
        self._changed(ok)
