"""The call machine: leg A (the caller, we are UAS) and leg B (the called, we are UAC) share one
fate.

ADMITTING → MEDIA_OPENING → CONNECTING → ALERTING → ANSWERING → TALKING → RELEASING → ENDED. Waiting
is always a state, so whatever arrives meanwhile has an answer: a caller who gives up while we wait
for admission or ports makes the call ABANDONED, and what then arrives is given back. An admitted
call emits exactly one `Settle`. SIP, SDP, prices and rules live elsewhere; this file only knows
their order.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.b2bua import effects as do
from gateway.b2bua import events as on
from gateway.b2bua.credit_watch import CreditWatch, Due
from gateway.b2bua.effects import Effect
from gateway.b2bua.hunt import Hunt, HuntLimits, shown
from gateway.b2bua.offer import Octets, Offers, refusal_of
from gateway.b2bua.state import MOVES, RINGING, State
from gateway.model.call import Admission, Attempt, CallKind, EndCause, LegSide
from gateway.refusal import Refusal, refuse
from media.errors import SdpError
from media.plane import MediaReport, StreamCounters


@dataclass(frozen=True, slots=True)
class CallLimits:
    hunt: HuntLimits = field(default_factory=HuntLimits)
    max_duration_s: float = 43_200.0  # R47: 12 hours


@dataclass(frozen=True, slots=True)
class _Ending:
    """How the call ends, known before everything is given back."""

    cause: EndCause
    sip_status: int
    refusal_code: str
    ended_now: float


class Call:
    """One call. Every verb returns the effects to execute, in order."""

    __slots__ = (
        "_admission",
        "_answered_now",
        "_attempt",
        "_credit",
        "_ending",
        "_hunt",
        "_limits",
        "_octets",
        "_offer",
        "_offers",
        "media_open",
        "state",
    )

    def __init__(self, attempt: Attempt, offer: bytes, octets: Octets, limits: CallLimits) -> None:
        self._attempt = attempt
        self._offer = offer
        self._octets = octets
        self._limits = limits
        self.state = State.ADMITTING
        self._admission: Admission | None = None
        self._offers: Offers | None = None
        self.media_open = False
        self._hunt = Hunt((), limits.hunt)
        self._credit: CreditWatch | None = None
        self._answered_now: float | None = None
        self._ending: _Ending | None = None

    @property
    def admission(self) -> Admission | None:
        return self._admission

    @property
    def answered_now(self) -> float | None:
        return self._answered_now

    @property
    def target(self) -> str:
        """Label of the target that is tried or talked to."""
        return self._hunt.label

    @property
    def deadline(self) -> float | None:
        """When `tick` is due, in monotonic seconds."""
        if self.state in RINGING:
            return self._hunt.deadline
        if self.state is State.TALKING and self._answered_now is not None:
            longest = self._answered_now + self._limits.max_duration_s
            return longest if self._credit is None else min(longest, self._credit.deadline)
        return None

    def abort(self, now: float) -> list[Effect]:
        """The machine itself broke: end both legs, give everything back, keep the money right."""
        if self.state is State.ENDED:
            return []
        talking = self.state in (State.TALKING, State.RELEASING)
        leg_a = (
            do.Release(LegSide.A, EndCause.INTERNAL_ERROR)
            if talking
            else do.Refuse(refuse("INTERNAL"))
        )
        effects: list[Effect] = [leg_a, do.Abandon(), *self._release_b()]
        if self.media_open:
            effects.append(do.CloseMedia())
        if self.state is State.ANSWERING:
            self._answered_now = None  # the caller never heard the answer (R70)
        self.state = State.ENDED
        if self._admission is not None:
            self._note_ending(EndCause.INTERNAL_ERROR, 500, now, "INTERNAL")
            self.media_open = False
            effects.append(self._settlement(""))
        return effects

    def start(self, now: float) -> list[Effect]:
        return [do.Admit(self._attempt)]

    def receive(self, event: on.Event, now: float) -> list[Effect]:
        """Take what happened. An event that comes too late for its state changes nothing."""
        if self.state is State.ENDED:
            return []
        return HANDLERS[type(event)](self, event, now)

    def tick(self, now: float) -> list[Effect]:
        if self.state in RINGING and self._hunt.deadline is not None:
            if now < self._hunt.deadline:
                return []
            judged = self._hunt.timed_out()
            if self._hunt.rang:
                return [
                    do.Abandon(),
                    do.Refuse(refuse("NO_ANSWER")),
                    *self._end(EndCause.NO_ANSWER, 480, now, "NO_ANSWER"),
                ]
            return [do.Abandon(), *judged, *self._hunt_on(408, "Request Timeout", now)]
        if self.state is not State.TALKING or self._answered_now is None:
            return []
        longest = self._answered_now + self._limits.max_duration_s
        if now >= longest:
            return self._hang_up_both(EndCause.MAX_DURATION, longest)
        if self._credit is None or self._admission is None:
            return []
        match self._credit.tick(now):
            case Due.CUT:
                return self._hang_up_both(self._credit.cut_cause, now)
            case Due.EXTEND:
                return [do.ExtendHold(self._admission, self._credit.wanted_s)]
            case Due.NOTHING:
                return []

    # Setting up.

    def _admitted(self, event: on.Admitted, now: float) -> list[Effect]:
        admission = self._admission = event.admission
        if self.state is State.ABANDONED:
            return self._give_back(now)
        self._hunt = Hunt(admission.targets, self._limits.hunt)
        echo = admission.kind is CallKind.ECHO
        target = None if echo else self._hunt.next_target()
        assert echo or target is not None, "admitted without a target"
        self._offers = Offers(admission.a_srtp, echo, self._octets)
        try:
            streams = self._offers.receive_first(self._offer, target)
        except SdpError as error:
            return self._refuse_and_end(refusal_of(error), now)
        self._move(State.MEDIA_OPENING)
        return [do.OpenMedia(streams, echo, target)]

    def _denied(self, event: on.Denied, now: float) -> list[Effect]:
        given_up = self.state is State.ABANDONED
        self._move(State.ENDED)
        record = do.RecordRefusal(event.refusal)
        return [record] if given_up else [do.Refuse(event.refusal), record]

    def _media_ready(self, event: on.MediaReady, now: float) -> list[Effect]:
        self.media_open = True
        if self.state is State.ABANDONED:
            return self._give_back(now)
        offers, admission = self._set_up
        offers.opened(event.opened)
        if admission.kind is CallKind.ECHO:
            return self._answer_recordable(now)
        return self._dial(now)

    def _media_refused(self, event: on.MediaRefused, now: float) -> list[Effect]:
        if self.state is State.ABANDONED:
            return self._give_back(now)
        return self._refuse_and_end(event.refusal, now)

    def _dial(self, now: float) -> list[Effect]:
        offers, admission = self._set_up
        assert self._hunt.current is not None
        self._hunt.dialled(now)
        self._move(State.CONNECTING)
        return [do.Originate(self._hunt.current, admission, offers.offer_to_b())]

    def _progressed(self, event: on.Progressed, now: float) -> list[Effect]:
        if self.state not in RINGING:
            return []
        judged = self._hunt.progressed(event.status)
        if event.status == 100:
            return []
        offers, _ = self._set_up
        if self.state is State.CONNECTING:
            self._move(State.ALERTING)
        if not event.body:
            return [*judged, do.Progress(event.status, event.reason, b"")]
        try:
            offers.receive_answer(event.body)
            early = offers.answer_to_a()
        except SdpError:
            # A call can ring without early media; the final answer will be judged again.
            return [*judged, do.Progress(event.status, event.reason, b"")]
        updates = offers.updates(early=True)
        return [*judged, *updates, do.Progress(event.status, event.reason, early)]

    def _answered(self, event: on.Answered, now: float) -> list[Effect]:
        if self.state not in RINGING:
            return []
        offers, _ = self._set_up
        judged = self._hunt.answered()
        try:
            if event.body:
                offers.receive_answer(event.body)
            offers.answer_to_a()
        except SdpError as error:
            refusal = refuse("MEDIA_NOT_ACCEPTABLE", f"the called side's answer: {error}")
            release = do.Release(LegSide.B, EndCause.REFUSED)
            return [release, *judged, *self._refuse_and_end(refusal, now)]
        return [*judged, *self._answer_recordable(now)]

    def _answer_recordable(self, now: float) -> list[Effect]:
        self._answered_now = now
        self._move(State.ANSWERING)
        return [do.RecordAnswer(self._hunt.label or "echo")]

    def _answer_recorded(self, event: on.AnswerRecorded, now: float) -> list[Effect]:
        if self.state is not State.ANSWERING:
            return []
        if not event.durable:
            self._answered_now = None
            return [*self._release_b(), *self._refuse_and_end(refuse("STORE_UNAVAILABLE"), now)]
        offers, admission = self._set_up
        self._move(State.TALKING)
        assert self._answered_now is not None
        if admission.rate is not None and admission.hold is not None:
            self._credit = CreditWatch(admission.rate, self._answered_now)
        return [*offers.updates(), do.Answer(offers.answer_to_a())]

    def _rejected(self, event: on.Rejected, now: float) -> list[Effect]:
        if self.state not in RINGING:
            return []
        judged = self._hunt.failed(event.status, event.reason, event.rest_s)
        return [*judged, *self._hunt_on(event.status, event.reason, now)]

    def _carrier_full(self, event: on.CarrierFull, now: float) -> list[Effect]:
        if self.state not in RINGING:
            return []
        self._hunt.full()
        if self._hunt.may_go_on:
            return self._hunt_on(503, "", now)
        return self._refuse_and_end(refuse("CARRIERS_FULL"), now)

    def _hunt_on(self, status: int, reason: str, now: float) -> list[Effect]:
        """The next target, or this status as the end of the call."""
        target = self._hunt.next_target() if self._hunt.may_go_on else None
        if target is not None:
            offers, _ = self._set_up
            return [*offers.turn_to(target), *self._dial(now)]
        told, words = shown(status, reason, self._hunt.at_carrier)
        cause = EndCause.NO_ANSWER if status in (408, 480) else EndCause.REJECTED
        return [do.Relay(told, words), *self._end(cause, status, now)]

    # Talking.

    def _reoffered(self, event: on.Reoffered, now: float) -> list[Effect]:
        if self.state is not State.TALKING or self._offers is None:
            return [do.RejectReoffer(event.side, 491, "Request Pending")]
        return self._offers.reoffered(event.side, event.body)

    def _reoffer_answered(self, event: on.ReofferAnswered, now: float) -> list[Effect]:
        if self.state is not State.TALKING or self._offers is None:
            return []
        return self._offers.reoffer_answered(event.side, event.body)

    def _reoffer_rejected(self, event: on.ReofferRejected, now: float) -> list[Effect]:
        if self.state is not State.TALKING or self._offers is None:
            return []
        return self._offers.reoffer_rejected(event.side, event.status, event.reason)

    def _hold_extended(self, event: on.HoldExtended, now: float) -> list[Effect]:
        if self.state is State.TALKING and self._credit is not None:
            self._credit.extended(event.covered_s)
        return []

    def _hold_denied(self, event: on.HoldDenied, now: float) -> list[Effect]:
        if self.state is State.TALKING and self._credit is not None:
            self._credit.denied(now, unwritten=event.unwritten)
        return []

    def _media_silent(self, event: on.MediaSilent, now: float) -> list[Effect]:
        if self.state is not State.TALKING or self._answered_now is None:
            return []
        # R73: billed to the last proof of life, not to the moment the silence was noticed.
        heard_now = max(self._answered_now, now - event.silent_s)
        return self._hang_up_both(EndCause.MEDIA_SILENT, heard_now)

    # Ending.

    def _cancelled(self, event: on.Cancelled, now: float) -> list[Effect]:
        if self.state in (State.ADMITTING, State.MEDIA_OPENING):
            self._note_ending(EndCause.CANCELLED, 487, now)
            self._move(State.ABANDONED)
            return []
        if self.state in RINGING:
            return [do.Abandon(), *self._end(EndCause.CANCELLED, 487, now)]
        if self.state is State.ANSWERING:
            # The caller never heard the answer: nothing to pay (R70).
            self._answered_now = None
            return [*self._release_b(), *self._end(EndCause.CANCELLED, 487, now)]
        return []

    def _hung_up(self, event: on.HungUp, now: float) -> list[Effect]:
        by_caller = event.side is LegSide.A
        if self.state is State.TALKING:
            cause = EndCause.CALLER_HUNG_UP if by_caller else EndCause.CALLED_HUNG_UP
            if event.why != "bye":
                cause = EndCause.LOST_PEER
            release = self._release_b() if by_caller else [do.Release(LegSide.A, cause)]
            return [*release, *self._end(cause, 200, now)]
        if by_caller:
            return self._cancelled(on.Cancelled(), now)
        if self.state is State.ANSWERING:
            self._answered_now = None
            return self._refuse_and_end(refuse("CALLED_GONE"), now)
        return []

    def _hangup(self, event: on.Hangup, now: float) -> list[Effect]:
        by_operator = event.cause is EndCause.OPERATOR
        refusal = refuse("ENDED_BY_OPERATOR" if by_operator else "SHUTTING_DOWN")
        match self.state:
            case State.ADMITTING | State.MEDIA_OPENING:
                self._note_ending(event.cause, refusal.status, now, refusal.code)
                self._move(State.ABANDONED)
                return [do.Refuse(refusal)]
            case State.CONNECTING | State.ALERTING:
                return [do.Abandon(), *self._refuse_and_end(refusal, now)]
            case State.ANSWERING:
                self._answered_now = None
                return [*self._release_b(), *self._refuse_and_end(refusal, now)]
            case State.TALKING:
                return self._hang_up_both(event.cause, now)
            case _:
                return []

    def _hang_up_both(self, cause: EndCause, now: float) -> list[Effect]:
        release_b = [do.Release(LegSide.B, cause)] if self._has_b else []
        return [do.Release(LegSide.A, cause), *release_b, *self._end(cause, 200, now)]

    def _release_b(self) -> list[Effect]:
        return [do.Release(LegSide.B, EndCause.CALLER_HUNG_UP)] if self._has_b else []

    def _refuse_and_end(self, refusal: Refusal, now: float) -> list[Effect]:
        end = self._end(EndCause.REFUSED, refusal.status, now, refusal.code)
        return [do.Refuse(refusal), *end]

    def _end(self, cause: EndCause, status: int, now: float, code: str = "") -> list[Effect]:
        self._note_ending(cause, status, now, code)
        return self._give_back(now)

    def _note_ending(self, cause: EndCause, status: int, now: float, code: str = "") -> None:
        # Nobody is billed past the last paid second, however late the end is noticed (R65).
        ended_now = now if self._credit is None else min(now, self._credit.cut_at)
        self._ending = _Ending(cause, status, code, ended_now)

    def _give_back(self, now: float) -> list[Effect]:
        """Ports first, because the last counters belong to the CDR; then everything else."""
        if not self.media_open:
            return self._settle("")
        self._move(State.RELEASING)
        return [do.CloseMedia()]

    def _media_closed(self, event: on.MediaClosed, now: float) -> list[Effect]:
        self.media_open = False
        return self._settle(summary(event.report))

    def _settle(self, media: str) -> list[Effect]:
        self._move(State.ENDED)
        return [self._settlement(media)]

    def _settlement(self, media: str) -> do.Settle:
        ending, admission = self._ending, self._admission
        assert ending is not None
        assert admission is not None
        return do.Settle(
            admission,
            self._answered_now,
            ending.ended_now,
            ending.cause,
            ending.sip_status,
            ending.refusal_code,
            self._hunt.label or admission.kind.value,
            media,
            self._hunt.attempts,
        )

    # The machine itself.

    @property
    def _set_up(self) -> tuple[Offers, Admission]:
        assert self._offers is not None
        assert self._admission is not None
        return self._offers, self._admission

    @property
    def _has_b(self) -> bool:
        return self._hunt.current is not None

    def _move(self, state: State) -> None:
        assert (self.state, state) in MOVES, f"{self.state} -> {state}"
        self.state = state


HANDLERS: dict[type[on.Event], Callable[..., list[Effect]]] = {
    on.Admitted: Call._admitted,
    on.Denied: Call._denied,
    on.MediaReady: Call._media_ready,
    on.MediaRefused: Call._media_refused,
    on.MediaClosed: Call._media_closed,
    on.Progressed: Call._progressed,
    on.Answered: Call._answered,
    on.AnswerRecorded: Call._answer_recorded,
    on.Rejected: Call._rejected,
    on.CarrierFull: Call._carrier_full,
    on.Cancelled: Call._cancelled,
    on.HungUp: Call._hung_up,
    on.Reoffered: Call._reoffered,
    on.ReofferAnswered: Call._reoffer_answered,
    on.ReofferRejected: Call._reoffer_rejected,
    on.HoldExtended: Call._hold_extended,
    on.HoldDenied: Call._hold_denied,
    on.MediaSilent: Call._media_silent,
    on.Hangup: Call._hangup,
}


def summary(report: MediaReport) -> str:
    """Packets received/sent by side, as the CDR keeps them: "a 500/498 b 498/500"."""

    def of(side: str, streams: tuple[StreamCounters, ...]) -> str:
        return f"{side} {sum(s.received for s in streams)}/{sum(s.sent for s in streams)}"

    sides = [of("a", report.a)] + ([of("b", report.b)] if report.b else [])
    return " ".join(sides)
