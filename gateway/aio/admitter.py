"""Executes `Admit`: asks `admission` on the hot state, journals what was taken, answers when
durable.

The decision itself is synchronous, so no other call can come between question and answer (R35,
R63).
"""

from collections.abc import Callable

from gateway.admission import AdmissionEnv, admit_inbound, admit_onnet, admit_outbound
from gateway.aio.log import Log
from gateway.aio.metrics import Metrics
from gateway.b2bua.events import Admitted, Denied
from gateway.hot_state import HotState
from gateway.model.call import Admission, Attempt, Source
from gateway.model.record import CallAdmitted, CallRefused
from gateway.ports import Clock, Journal
from gateway.refusal import Refusal, refuse
from gateway.settlement import give_back, refused_cdr

RULES = {
    Source.PROFILE: admit_outbound,
    Source.CARRIER: admit_inbound,
    Source.ONNET: admit_onnet,
}


class Admitter:
    """`closing` or `store_down` set: every new call is refused, running ones go on."""

    def __init__(
        self,
        hot: HotState,
        env: AdmissionEnv,
        journal: Journal,
        clock: Clock,
        log: Log,
        metrics: Metrics,
        max_calls: int,
    ) -> None:
        self._hot = hot
        self._env = env
        self._journal = journal
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._max_calls = max_calls
        self.live = 0
        self.closing = False
        self.store_down = False
        self._busiest = 0

    def admit(self, attempt: Attempt, done: Callable[[Admitted | Denied], None]) -> None:
        verdict = self._decide(attempt)
        if isinstance(verdict, Refusal):
            done(Denied(verdict))
            return
        self._hold_channel(verdict)

        def committed(durable: bool) -> None:
            if durable:
                done(Admitted(verdict))
                return
            self._metrics.commit_failures.inc()
            give_back(verdict, self._hot)
            self.given_back(verdict)
            done(Denied(refuse("STORE_UNAVAILABLE")))

        self._journal.write([admitted_record(attempt, verdict)], committed)

    def _decide(self, attempt: Attempt) -> Admission | Refusal:
        if self.closing:
            return refuse("SHUTTING_DOWN")
        if self.store_down:
            return refuse("STORE_UNAVAILABLE")
        if self.live >= self._max_calls:
            return refuse("CALLS_FULL")
        return RULES[attempt.source](attempt, self._hot, self._env)

    def _hold_channel(self, admission: Admission) -> None:
        self.live += 1
        self._metrics.channels.inc(1 + len(admission.also_leases))
        for lease in (admission.lease, *admission.also_leases):
            held = len(self._hot.profile_by_id[lease.profile_id].leases)
            if held > self._busiest:
                self._busiest = held
                self._metrics.busiest.set(held)

    def given_back(self, admission: Admission) -> None:
        """The call's channels are free again."""
        self.live -= 1
        self._metrics.channels.dec(1 + len(admission.also_leases))

    def record_refusal(self, attempt: Attempt, refusal: Refusal) -> None:
        """Every refused attempt has its log line, its count and its CDR (pain 5)."""
        self._metrics.refusals.labels(refusal.code).inc()
        # R122: somebody may be in need; the operator shall see it among all other lines.
        emergency = refusal.code == "EMERGENCY_NOT_OFFERED"
        say = self._log.warning if emergency else self._log.info
        say(
            "call refused",
            call=attempt.call_id,
            code=refusal.code,
            status=refusal.status,
            sentence=refusal.sentence,
            detail=refusal.detail,
            source=attempt.source.value,
            source_id=attempt.source_id,
            called=attempt.called,
            sip_call_id=attempt.sip_call_id,
        )
        cdr = refused_cdr(attempt, refusal, self._clock.at(), self._hot)
        self._journal.write([CallRefused(cdr)])


def admitted_record(attempt: Attempt, admission: Admission) -> CallAdmitted:
    hold = admission.hold
    return CallAdmitted(
        call_id=admission.call_id,
        profile_id=admission.profile_id,
        kind=admission.kind.value,
        direction=admission.direction.value,
        caller=str(admission.caller),
        called=admission.called,
        started_at=attempt.at,
        a_sip_call_id=attempt.sip_call_id,
        held_micros=hold.micros if hold else 0,
        currency=hold.currency if hold else "",
        rate=admission.rate,
    )
