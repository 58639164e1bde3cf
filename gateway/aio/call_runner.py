"""Feeds events to the call machines and executes their effects inline; keeps the live calls.

One of the two supervision points: a call whose machine breaks is ended and logged, the others go
on. Decides nothing about calls.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from gateway.aio.admitter import Admitter
from gateway.aio.carrier_monitor import CarrierMonitor
from gateway.aio.deadlines import Deadlines
from gateway.aio.log import Log
from gateway.aio.media_control import MediaControl
from gateway.aio.metrics import Metrics
from gateway.aio.settler import BEAT_S, Settler
from gateway.aio.sip_port import Names, SipPort
from gateway.b2bua import effects as do
from gateway.b2bua import events as on
from gateway.b2bua.call import Call, CallLimits
from gateway.b2bua.crossing import InvitePlan, invite_for, release_headers
from gateway.b2bua.hunt import retry_after_s
from gateway.b2bua.state import State
from gateway.model.call import Attempt, CallId, EndCause, LegSide, Source
from gateway.ports import Clock, Ids
from gateway.refusal import headers
from media.plane import Side
from sip.effects import Effect as SipEffect
from sip.invite import events as invite
from sip.invite.uac import InviteUac
from sip.invite.uas import InviteUas
from sip.message import Request

Session = InviteUas | InviteUac

SIDE_OF = {Side.A: LegSide.A, Side.B: LegSide.B}


class LiveCall:
    """A call machine with its two INVITE sessions. The machine never sees them."""

    __slots__ = ("a", "attempt", "b", "b_sip_call_id", "call", "call_id", "invite")

    def __init__(self, attempt: Attempt, call: Call, a: InviteUas, request: Request) -> None:
        self.call_id = attempt.call_id
        self.attempt = attempt
        self.call = call
        self.a = a
        self.invite = request
        self.b: InviteUac | None = None
        self.b_sip_call_id = ""

    def leg(self, side: LegSide) -> Session | None:
        return self.a if side is LegSide.A else self.b


class CallRunner:
    def __init__(
        self,
        sip: SipPort,
        admitter: Admitter,
        settler: Settler,
        media: MediaControl,
        names: Names,
        carriers: CarrierMonitor,
        clock: Clock,
        ids: Ids,
        log: Log,
        metrics: Metrics,
        limits: CallLimits,
        plan: InvitePlan,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._sip = sip
        self._admitter = admitter
        self._settler = settler
        self._media = media
        self._names = names
        self._carriers = carriers
        self._clock = clock
        self._ids = ids
        self._log = log
        self._metrics = metrics
        self._limits = limits
        self._plan = plan
        self._live: dict[CallId, LiveCall] = {}
        self._by_session: dict[Session, tuple[LiveCall, LegSide]] = {}
        self._deadlines: Deadlines[CallId] = Deadlines(loop, clock, self._on_due)
        self._inbox: deque[tuple[LiveCall, on.Event]] = deque()
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._last_beat = clock.now()
        self._execute = self._executors()
        self.handlers = self._event_handlers()

    def _executors(self) -> dict[type[do.Effect], Callable[[LiveCall, Any], None]]:
        return {
            do.Admit: self._do_admit,
            do.OpenMedia: self._do_open_media,
            do.UpdateMedia: self._do_update_media,
            do.CloseMedia: self._do_close_media,
            do.Originate: self._do_originate,
            do.Abandon: self._do_abandon,
            do.JudgeCarrier: self._do_judge_carrier,
            do.Progress: self._do_progress,
            do.RecordAnswer: self._do_record_answer,
            do.Answer: self._do_answer,
            do.Refuse: self._do_refuse,
            do.Relay: self._do_relay,
            do.Reoffer: self._do_reoffer,
            do.AcceptReoffer: self._do_accept_reoffer,
            do.RejectReoffer: self._do_reject_reoffer,
            do.ExtendHold: self._do_extend_hold,
            do.Release: self._do_release,
            do.Settle: self._do_settle,
            do.RecordRefusal: self._do_record_refusal,
        }

    def _event_handlers(self) -> dict[type[object], Callable[[Any], None]]:
        """What the dispatcher hands to the calls."""
        return {
            invite.Progressed: self._on_progressed,
            invite.Answered: self._on_answered,
            invite.Refused: self._on_refused,
            invite.Cancelled: self._on_cancelled,
            invite.Released: self._on_released,
            invite.Updated: self._on_updated,
            invite.UpdateAnswered: self._on_update_answered,
            invite.UpdateRefused: self._on_update_refused,
        }

    # The registry of live calls.

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(self._live.values())

    def open(self, attempt: Attempt, session: InviteUas, request: Request) -> None:
        """An identified INVITE becomes a call."""
        call = Call(attempt, request.body, self._ids.octets, self._limits)
        live = LiveCall(attempt, call, session, request)
        self._live[attempt.call_id] = live
        self._by_session[session] = live, LegSide.A
        # A PBX may stand behind a NAT; a carrier means the addresses it writes.
        session.via_flow = attempt.source is not Source.CARRIER
        self._metrics.live_calls.inc()
        self._idle.clear()
        self._run(live, call.start(attempt.now))
        self._drain()

    def hang_up(self, call_id: CallId, cause: EndCause) -> bool:
        """End one call; False when it is not there."""
        live = self._live.get(call_id)
        if live is None:
            return False
        self._feed(live, on.Hangup(cause))
        return True

    def hang_up_all(self, cause: EndCause) -> None:
        for call_id in list(self._live):
            self.hang_up(call_id, cause)

    async def idle(self) -> None:
        """Wait until no call is left."""
        await self._idle.wait()

    def beat(self, now: float) -> None:
        """Proof of life of all answered calls, when it is due."""
        if now - self._last_beat < BEAT_S:
            return
        self._last_beat = now
        self._settler.beat(
            call_id for call_id, live in self._live.items() if live.call.state is State.TALKING
        )

    def silent(self, session_id: str, side: Side, silent_s: float) -> None:
        """The media plane heard nothing (`MediaEvents`)."""
        live = self._live.get(session_id)
        if live is not None:
            self._feed(live, on.MediaSilent(SIDE_OF[side], silent_s))

    # Events in.

    def _feed(self, live: LiveCall, event: on.Event) -> None:
        if live.call_id not in self._live:
            self._too_late(live, event)
            return
        self._inbox.append((live, event))
        self._drain()

    def _too_late(self, live: LiveCall, event: on.Event) -> None:
        """The machine broke while it waited: what it is given now goes straight back."""
        if isinstance(event, on.MediaReady):
            self._media.close(live.call_id, lambda closed: None)
        elif isinstance(event, on.Admitted):
            admission, now = event.admission, self._clock.now()
            cause, label = EndCause.INTERNAL_ERROR, admission.kind.value
            effect = do.Settle(admission, None, now, cause, 500, "INTERNAL", label, "")
            self._settler.settle(effect, live.attempt, "")

    def _drain(self) -> None:
        """One event at a time: what an effect brings about waits until its siblings are done."""
        if self._busy:
            return
        self._busy = True
        try:
            while self._inbox:
                live, event = self._inbox.popleft()
                now = self._clock.now()
                try:
                    effects = live.call.receive(event, now)
                except Exception as error:
                    effects = self._broken(live, error)
                self._run(live, effects)
        finally:
            self._busy = False

    def _on_due(self, call_id: CallId, now: float) -> None:
        live = self._live.get(call_id)
        if live is None:
            return
        try:
            effects = live.call.tick(now)
        except Exception as error:
            effects = self._broken(live, error)
        self._run(live, effects)
        self._drain()

    def _broken(self, live: LiveCall, error: Exception) -> list[do.Effect]:
        """Supervision: a bug in one call must not take the gateway down."""
        self._log.error("call broke", call=live.call_id, exc_info=error)
        self._abort(live)
        return []

    def _run(self, live: LiveCall, effects: list[do.Effect]) -> None:
        was, self._busy = self._busy, True
        try:
            for effect in effects:
                self._execute[type(effect)](live, effect)
        except Exception as error:
            self._broken(live, error)
        finally:
            self._busy = was
        if live.call.state is State.ENDED:
            self._forget(live)
        else:
            self._deadlines.set(live.call_id, live.call.deadline)

    def _abort(self, live: LiveCall) -> None:
        """Each step on its own: one that fails too must not keep the others from happening."""
        for effect in live.call.abort(self._clock.now()):
            try:
                self._execute[type(effect)](live, effect)
            except Exception as error:
                self._log.error("abort step failed", call=live.call_id, exc_info=error)

    def _forget(self, live: LiveCall) -> None:
        if self._live.pop(live.call_id, None) is None:
            return
        self._deadlines.set(live.call_id, None)
        self._by_session.pop(live.a, None)
        if live.b is not None:
            self._by_session.pop(live.b, None)
        self._carriers.give_back(live.call_id)
        self._metrics.live_calls.dec()
        if not self._live:
            self._idle.set()

    # What the SIP core says, in the call's words.

    def _from(self, session: object, event: Callable[[LegSide], on.Event]) -> None:
        found = self._by_session.get(session)  # type: ignore[call-overload]
        if found is not None:
            live, side = found
            self._feed(live, event(side))

    def _on_progressed(self, event: invite.Progressed) -> None:
        response = event.response
        heard = on.Progressed(response.status, response.reason, response.body)
        self._from(event.session, lambda side: heard)

    def _on_answered(self, event: invite.Answered) -> None:
        self._from(event.session, lambda side: on.Answered(event.response.body))

    def _on_refused(self, event: invite.Refused) -> None:
        asked = event.response.headers.get("Retry-After") if event.response else None
        rejected = on.Rejected(event.status, event.reason, retry_after_s(asked))
        self._from(event.session, lambda side: rejected)

    def _on_cancelled(self, event: invite.Cancelled) -> None:
        self._from(event.session, lambda side: on.Cancelled())

    def _on_released(self, event: invite.Released) -> None:
        self._from(event.session, lambda side: on.HungUp(side, event.reason))

    def _on_updated(self, event: invite.Updated) -> None:
        self._from(event.session, lambda side: on.Reoffered(side, event.request.body))

    def _on_update_answered(self, event: invite.UpdateAnswered) -> None:
        body = event.response.body
        self._from(event.session, lambda side: on.ReofferAnswered(side, body))

    def _on_update_refused(self, event: invite.UpdateRefused) -> None:
        self._from(event.session, lambda side: on.ReofferRejected(side, event.status, event.reason))

    # Effects out.

    def _sip_do(self, effects: list[SipEffect]) -> None:
        self._sip.execute(effects)

    def _do_admit(self, live: LiveCall, effect: do.Admit) -> None:
        self._admitter.admit(effect.attempt, lambda verdict: self._feed(live, verdict))

    def _do_open_media(self, live: LiveCall, effect: do.OpenMedia) -> None:
        flow_b = effect.target.flow if effect.target else None
        self._media.open(
            live.call_id, effect.streams, effect.echo, live.attempt.flow, flow_b,
            lambda opened: self._feed(live, opened),
        )  # fmt: skip

    def _do_update_media(self, live: LiveCall, effect: do.UpdateMedia) -> None:
        self._media.update(live.call_id, effect.side, effect.ends)

    def _do_close_media(self, live: LiveCall, effect: do.CloseMedia) -> None:
        self._media.close(live.call_id, lambda closed: self._feed(live, closed))

    def _do_originate(self, live: LiveCall, effect: do.Originate) -> None:
        target = effect.target
        self._drop_b(live)
        if not self._carriers.take(live.call_id, target.carrier_id):
            self._feed(live, on.CarrierFull())
            return
        request = invite_for(
            target,
            effect.admission.caller,
            effect.offer,
            self._plan,
            self._names.sent_by(target.flow),
            live.invite.max_forwards,
            self._ids,
        )
        credentials = (target.username, target.password or "") if target.username else None
        session, effects = self._sip.endpoint.invite(
            request,
            target.flow,
            self._clock.now(),
            credentials=credentials,
            via_flow=target.carrier_id is None,
        )
        session.holds_ack = True  # until the journal knows the dialog: see `_do_answer`
        live.b, live.b_sip_call_id = session, request.call_id
        self._by_session[session] = live, LegSide.B
        self._log.info(
            "dialling",
            call=live.call_id,
            target=target.label,
            uri=target.uri,
            b_sip_call_id=request.call_id,
        )
        self._sip_do(effects)

    def _do_abandon(self, live: LiveCall, effect: do.Abandon) -> None:
        session = live.b
        if session is not None:
            self._drop_b(live)
            self._sip_do(session.cancel(self._clock.now()))

    def _do_judge_carrier(self, live: LiveCall, effect: do.JudgeCarrier) -> None:
        self._carriers.judge(effect)

    def _drop_b(self, live: LiveCall) -> None:
        if live.b is not None:
            self._by_session.pop(live.b, None)
            live.b = None

    def _do_progress(self, live: LiveCall, effect: do.Progress) -> None:
        self._sip_do(live.a.progress(effect.status, self._clock.now(), effect.reason, effect.body))

    def _do_record_answer(self, live: LiveCall, effect: do.RecordAnswer) -> None:
        b_dialog = live.b.dialog_state() if live.b is not None else ""
        self._settler.record_answer(
            live.call_id, effect.target, live.a.dialog_state(), b_dialog,
            lambda durable: self._feed(live, on.AnswerRecorded(durable)),
        )  # fmt: skip

    def _do_answer(self, live: LiveCall, effect: do.Answer) -> None:
        now = self._clock.now()
        if live.b is not None:
            # R73: no dialog is confirmed that a restart would not find in the journal.
            self._sip_do(live.b.acknowledge())
        self._sip_do(live.a.answer(effect.body, now))
        self._metrics.setup.observe(now - live.attempt.now)
        admission = live.call.admission
        assert admission is not None
        self._log.info(
            "call answered",
            call=live.call_id,
            profile=admission.profile_id,
            kind=admission.kind.value,
            caller=str(admission.caller),
            called=admission.called,
        )

    def _do_refuse(self, live: LiveCall, effect: do.Refuse) -> None:
        refusal = effect.refusal
        self._sip_do(
            live.a.refuse(refusal.status, self._clock.now(), refusal.reason, headers(refusal))
        )

    def _do_relay(self, live: LiveCall, effect: do.Relay) -> None:
        self._sip_do(live.a.refuse(effect.status, self._clock.now(), effect.reason))

    def _do_reoffer(self, live: LiveCall, effect: do.Reoffer) -> None:
        session = live.leg(effect.side)
        if session is not None:
            self._sip_do(session.reoffer(effect.body, self._clock.now()))

    def _do_accept_reoffer(self, live: LiveCall, effect: do.AcceptReoffer) -> None:
        session = live.leg(effect.side)
        if session is not None:
            self._sip_do(session.accept_update(effect.body, self._clock.now()))

    def _do_reject_reoffer(self, live: LiveCall, effect: do.RejectReoffer) -> None:
        session = live.leg(effect.side)
        if session is not None:
            self._sip_do(session.reject_update(effect.status, self._clock.now(), effect.reason))

    def _do_extend_hold(self, live: LiveCall, effect: do.ExtendHold) -> None:
        self._settler.extend(effect, lambda verdict: self._feed(live, verdict))

    def _do_release(self, live: LiveCall, effect: do.Release) -> None:
        session = live.leg(effect.side)
        if session is not None:
            self._sip_do(session.bye(self._clock.now(), release_headers(effect.cause)))

    def _do_settle(self, live: LiveCall, effect: do.Settle) -> None:
        self._settler.settle(effect, live.attempt, live.b_sip_call_id)

    def _do_record_refusal(self, live: LiveCall, effect: do.RecordRefusal) -> None:
        self._admitter.record_refusal(live.attempt, effect.refusal)
