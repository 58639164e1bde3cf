"""Periodic duties, once a second: expired bindings, heartbeats, batched refreshes, ended bans,
replaced passwords that are used up, the look at the store, and the audit of channel leases and
credit holds against live calls (R35, R63). An orphan is an alarm, never a habit.
"""

import asyncio

from gateway.admission import SECOND_LEASE
from gateway.aio.call_runner import CallRunner
from gateway.aio.doorman import Doorman
from gateway.aio.log import Log
from gateway.aio.metrics import Metrics
from gateway.aio.register_handler import RegisterHandler
from gateway.aio.store_watch import StoreWatch
from gateway.credentials import pruned, record_of
from gateway.hot_state import HotState
from gateway.model.record import BindingRemoved
from gateway.ports import Clock, Journal

PERIOD_S = 1.0


class Sweeper:
    def __init__(
        self,
        hot: HotState,
        runner: CallRunner,
        register: RegisterHandler,
        doorman: Doorman,
        journal: Journal,
        clock: Clock,
        log: Log,
        metrics: Metrics,
        store: StoreWatch,
    ) -> None:
        self._hot = hot
        self._runner = runner
        self._register = register
        self._doorman = doorman
        self._journal = journal
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._store = store
        self._suspects: set[tuple[int, str]] = set()
        self._suspect_holds: set[str] = set()

    async def run(self) -> None:
        """Until cancelled: the calls of a gateway that drains need their heartbeats too."""
        while True:
            await asyncio.sleep(PERIOD_S)
            try:
                self.sweep()
            except Exception as error:  # one duty that broke must not end all of them for ever
                self._log.error("sweep failed", exc_info=error)

    def sweep(self) -> None:
        now = self._clock.now()
        self._runner.beat(now)
        self._store.look()
        self._register.flush()
        self._expire(now)
        self._forget_passwords(now)
        self._doorman.sweep(now)
        self._audit()

    def _expire(self, now: float) -> None:
        deadline = self._hot.location.deadline
        if deadline is None or deadline > now:
            return
        expired = self._hot.location.tick(now)
        self._metrics.bindings.set(len(self._hot.location))
        self._register.forget(expired)
        if expired:
            self._journal.write([BindingRemoved(b.owner, b.owner_id, b.contact) for b in expired])
        for binding in expired:
            self._log.warning(
                "registration expired",
                owner=binding.owner.value,
                owner_id=binding.owner_id,
                contact=binding.contact,
                user_agent=binding.user_agent,
            )

    def _forget_passwords(self, now: float) -> None:
        """A replaced password goes with the last binding that was made with it (R83, R84)."""
        for profile in self._hot.profile_by_id.values():
            kept = pruned(profile, self._hot.location, now)
            if kept == profile.old_passwords:
                continue
            profile.old_passwords = kept
            self._journal.write([record_of(profile)])
            self._log.info("replaced password forgotten", profile=profile.id, kept=len(kept))

    def _audit(self) -> None:
        """A lease or hold whose call is not alive twice in a row is drift: say so loudly."""
        live = {call.call_id for call in self._runner}
        orphans = {
            (profile.id, call_id)
            for profile in self._hot.profile_by_id.values()
            for call_id in profile.leases
            if call_id.removesuffix(SECOND_LEASE) not in live
        }
        for profile_id, call_id in orphans & self._suspects:
            self._metrics.orphaned_leases.inc()
            self._log.error("channel held by no call", profile=profile_id, call=call_id)
        self._suspects = orphans
        # Other holds are an operator's transfers under way ("move:").
        calls = (hold.id for hold in self._hot.ledger.holds() if hold.id.startswith("c-"))
        holds = {hold_id for hold_id in calls if hold_id not in live}
        for hold_id in holds & self._suspect_holds:
            self._metrics.orphaned_holds.inc()
            self._log.error("credit held by no call", hold=hold_id)
        self._suspect_holds = holds
