"""Executes `ExtendHold` and `Settle`, and writes the heartbeats of running calls in batches.

That a settlement becomes durable in the end is the outbox's (`gateway/aio/outbox`).
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from gateway.aio.admitter import Admitter
from gateway.aio.log import Log
from gateway.aio.metrics import Metrics
from gateway.b2bua import effects as do
from gateway.b2bua.events import HoldDenied, HoldExtended
from gateway.hot_state import HotState
from gateway.model.call import Attempt, CallId, CallOutcome
from gateway.model.record import CallAnswered, CallBeats, CallSettled
from gateway.model.record import HoldExtended as HoldRecord
from gateway.ports import Clock, Journal
from gateway.settlement import Settled, settle
from rating import credit
from rating.errors import InsufficientCredit

BEAT_S = 5.0  # a heartbeat is at most 6 s old (R73)


class Settler:
    def __init__(
        self,
        hot: HotState,
        journal: Journal,
        admitter: Admitter,
        clock: Clock,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._hot = hot
        self._journal = journal
        self._admitter = admitter
        self._clock = clock
        self._log = log
        self._metrics = metrics

    def record_answer(
        self,
        call_id: CallId,
        target: str,
        a_dialog: str,
        b_dialog: str,
        done: Callable[[bool], None],
    ) -> None:
        record = CallAnswered(call_id, self._clock.at(), target, a_dialog, b_dialog)
        self._journal.write([record], done)

    def extend(
        self, effect: do.ExtendHold, done: Callable[[HoldExtended | HoldDenied], None]
    ) -> None:
        """Hold one increment more; granted when it is durable."""
        admission = effect.admission
        assert admission.hold is not None
        assert admission.rate is not None
        total = credit.hold_for(admission.rate, effect.cover_s)
        try:
            self._hot.ledger.extend(admission.hold.id, total)
        except InsufficientCredit:
            done(HoldDenied())
            return

        def committed(durable: bool) -> None:
            # Not durable: the increment is not granted, though memory still holds its price; the
            # next attempt asks for the same total.
            done(HoldExtended(effect.cover_s) if durable else HoldDenied(unwritten=True))

        self._journal.write([HoldRecord(admission.call_id, total)], committed)

    def settle(self, effect: do.Settle, attempt: Attempt, b_sip_call_id: str) -> None:
        """The end of an admitted call: rate, post, release, and one CDR."""
        at = self._clock.at()
        ended_at = at - timedelta(seconds=self._clock.now() - effect.ended_now)
        outcome = outcome_of(effect, attempt, ended_at, b_sip_call_id)
        settled = settle(outcome, self._hot, at)
        self._journal.write([CallSettled(settled.cdr, settled.entry)])
        self._admitter.given_back(effect.admission)
        self._count(settled)

    def beat(self, call_ids: Iterable[CallId]) -> None:
        ids = tuple(call_ids)
        if ids:
            self._journal.write([CallBeats(ids, self._clock.at())])

    def _count(self, settled: Settled) -> None:
        cdr = settled.cdr
        self._metrics.calls.labels(cdr.kind, cdr.cause).inc()
        self._metrics.talk.inc(cdr.duration_s)
        if cdr.charge_micros:
            self._metrics.charged.labels(cdr.currency).inc(cdr.charge_micros)
        if cdr.refusal:
            self._metrics.refusals.labels(cdr.refusal).inc()
        self._log.info(
            "call ended",
            call=cdr.call_id,
            profile=cdr.profile_id,
            kind=cdr.kind,
            caller=cdr.caller,
            called=cdr.called,
            cause=cdr.cause,
            status=cdr.sip_status,
            code=cdr.refusal,
            duration_s=round(cdr.duration_s, 3),
            billed_s=cdr.billed_s,
            charge_micros=cdr.charge_micros,
            currency=cdr.currency,
            derivation=cdr.derivation,
            target=cdr.target,
            attempts=cdr.attempts,
            media=cdr.media,
            a_sip_call_id=cdr.a_sip_call_id,
            b_sip_call_id=cdr.b_sip_call_id,
        )


def outcome_of(
    effect: do.Settle, attempt: Attempt, ended_at: datetime, b_sip_call_id: str
) -> CallOutcome:
    """The facts of the end; the answer's wall time follows from the monotonic talk time."""
    duration_s = 0.0
    answered_at = None
    if effect.answered_now is not None:
        duration_s = max(0.0, effect.ended_now - effect.answered_now)
        answered_at = ended_at - timedelta(seconds=duration_s)
    return CallOutcome(
        admission=effect.admission,
        started_at=attempt.at,
        answered_at=answered_at,
        ended_at=ended_at,
        duration_s=duration_s,
        cause=effect.cause,
        sip_status=effect.sip_status,
        target=effect.target,
        a_sip_call_id=attempt.sip_call_id,
        b_sip_call_id=b_sip_call_id,
        media=effect.media,
        refusal=effect.refusal_code,
        attempts=effect.attempts,
    )
