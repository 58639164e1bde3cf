"""Ladders of the call machine: what happened on the left, what shall be done on the right."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from gateway.b2bua import effects as do
from gateway.b2bua import events as on
from gateway.b2bua.call import Call, CallLimits
from gateway.b2bua.hunt import HuntLimits
from gateway.b2bua.offer import Octets
from gateway.b2bua.state import State
from gateway.model.call import (
    Admission,
    Attempt,
    CallerIdentity,
    CallKind,
    ChannelLease,
    Dialect,
    Direction,
    EndCause,
    LegSide,
    Source,
    SrtpPolicy,
    Target,
)
from gateway.refusal import refuse
from media.plane import MediaOpened, MediaReport, StreamCounters
from rating.ledger import Hold
from rating.tariff import Rate
from sip.flow import Flow

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RATE = Rate("44", "United Kingdom", 6_000)
LIMITS = CallLimits(HuntLimits(response_s=6.0, ring_s=60.0), max_duration_s=43_200.0)
COUNTED = MediaReport((StreamCounters(received=5, sent=4),), (StreamCounters(received=4, sent=5),))


def sdp(host: str = "192.0.2.1", port: int = 4000, direction: str = "sendrecv") -> bytes:
    lines = (
        "v=0",
        f"o=- 1 1 IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP 8",
        "a=rtpmap:8 PCMA/8000",
        f"a={direction}",
    )
    return "\r\n".join((*lines, "")).encode()


def octets(count: int) -> bytes:
    return sha256(b"test").digest()[:count].ljust(count, b"k")


def target(label: str = "carrier:one") -> Target:
    flow = Flow("udp", ("198.51.100.1", 5060), ("203.0.113.9", 5060))
    return Target(
        label, "sip:+442079460123@203.0.113.9", "+442079460123", flow, "sipgw.test",
        Dialect.MODERN, SrtpPolicy.NONE, True, carrier_id=1,
    )  # fmt: skip


def admission(*targets: Target, kind: CallKind = CallKind.PSTN) -> Admission:
    paid = kind is CallKind.PSTN
    return Admission(
        call_id="c-1",
        kind=kind,
        profile_id=7,
        direction=Direction.OUTGOING,
        lease=ChannelLease("c-1", 7, Direction.OUTGOING, AT),
        caller=CallerIdentity(None),
        called="+442079460123",
        targets=targets,
        a_srtp=SrtpPolicy.OPTIONAL,
        hold=Hold("c-1", "profile:7", 3_000, "USD") if paid else None,
        rate=RATE if paid else None,
    )


class Ladder:
    """One call; time moves only by `at`."""

    def __init__(self, offer: bytes = b"", entropy: Octets = octets) -> None:
        attempt = Attempt(
            "c-1", Source.PROFILE, 7, "+442079460123", "sipgw.test", "sip", "",
            Flow("tls", ("198.51.100.1", 5061), ("192.0.2.1", 40000)), "a@pbx", AT, 0.0,
        )  # fmt: skip
        self.call = Call(attempt, offer or sdp(), entropy, LIMITS)
        self.now = 0.0
        self.judged: list[do.JudgeCarrier] = []  # beside what the ladders are about

    def at(self, now: float) -> "Ladder":
        self.now = now
        return self

    def start(self) -> list[type]:
        return kinds(self.call.start(self.now))

    def take(self, event: on.Event) -> list[do.Effect]:
        return self._rest_of(self.call.receive(event, self.now))

    def tick(self) -> list[do.Effect]:
        return self._rest_of(self.call.tick(self.now))

    def _rest_of(self, effects: list[do.Effect]) -> list[do.Effect]:
        self.judged += [effect for effect in effects if isinstance(effect, do.JudgeCarrier)]
        return [effect for effect in effects if not isinstance(effect, do.JudgeCarrier)]

    def admitted(self, *targets: Target, kind: CallKind = CallKind.PSTN) -> "Ladder":
        self.start()
        if kind is not CallKind.ECHO and not targets:
            targets = (target(),)
        self.take(on.Admitted(admission(*targets, kind=kind)))
        return self

    def connecting(self, *targets: Target) -> "Ladder":
        self.admitted(*targets).take(opened())
        return self

    def talking(self) -> "Ladder":
        self.connecting().take(on.Answered(sdp("203.0.113.9")))
        self.take(on.AnswerRecorded(True))
        return self


def opened() -> on.MediaReady:
    return on.MediaReady(MediaOpened((("198.51.100.1", 20000),), (("198.51.100.1", 20002),)))


def kinds(effects: list[do.Effect]) -> list[type]:
    return [type(effect) for effect in effects]


def settlement(effects: list[do.Effect]) -> do.Settle:
    (found,) = [effect for effect in effects if isinstance(effect, do.Settle)]
    return found


def closed(ladder: Ladder) -> do.Settle:
    return settlement(ladder.take(on.MediaClosed(COUNTED)))


def test_a_call_is_admitted_relayed_answered_and_settled_once() -> None:
    """R70, R93: the whole walk; talk time runs from the 200 to the BYE."""
    call = Ladder()
    assert call.start() == [do.Admit]
    assert kinds(call.take(on.Admitted(admission(target())))) == [do.OpenMedia]
    (invite,) = call.take(opened())
    assert isinstance(invite, do.Originate)
    assert b"m=audio 20002 RTP/AVP 8" in invite.offer
    assert kinds(call.at(1).take(on.Progressed(180, "Ringing", b""))) == [do.Progress]
    assert kinds(call.at(5).take(on.Answered(sdp("203.0.113.9")))) == [do.RecordAnswer]
    *updates, answer = call.take(on.AnswerRecorded(True))
    assert kinds(updates) == [do.UpdateMedia, do.UpdateMedia]
    assert isinstance(answer, do.Answer) and b"m=audio 20000 RTP/AVP 8" in answer.body
    release, close = call.at(25).take(on.HungUp(LegSide.A, "bye"))
    assert isinstance(release, do.Release) and release.side is LegSide.B
    assert isinstance(close, do.CloseMedia)
    settle = closed(call)
    assert settle.cause is EndCause.CALLER_HUNG_UP
    assert (settle.answered_now, settle.ended_now) == (5, 25)
    assert settle.media == "a 5/4 b 4/5"
    assert call.take(on.HungUp(LegSide.B, "bye")) == []


def test_a_denied_call_is_refused_and_recorded() -> None:
    call = Ladder()
    call.start()
    assert kinds(call.take(on.Denied(refuse("CREDIT")))) == [do.Refuse, do.RecordRefusal]
    assert call.call.state is State.ENDED


def test_caller_cancels_while_admitting() -> None:
    """What arrives after the caller gave up is given back; nothing is dialled."""
    call = Ladder()
    call.start()
    assert call.take(on.Cancelled()) == []
    effects = call.take(on.Admitted(admission(target())))
    assert settlement(effects).cause is EndCause.CANCELLED
    assert kinds(effects) == [do.Settle]


def test_caller_cancels_while_ports_are_opened() -> None:
    call = Ladder().admitted()
    assert call.take(on.Cancelled()) == []
    assert kinds(call.take(opened())) == [do.CloseMedia]
    assert closed(call).answered_now is None


def test_caller_cancels_while_it_rings() -> None:
    call = Ladder().connecting()
    call.take(on.Progressed(180, "Ringing", b""))
    assert kinds(call.take(on.Cancelled())) == [do.Abandon, do.CloseMedia]
    settle = closed(call)
    assert (settle.cause, settle.sip_status) == (EndCause.CANCELLED, 487)


def test_caller_cancels_between_answer_and_its_record() -> None:
    """The caller never heard the answer, so nothing is charged (R70)."""
    call = Ladder().connecting()
    call.take(on.Answered(sdp("203.0.113.9")))
    assert kinds(call.take(on.Cancelled())) == [do.Release, do.CloseMedia]
    assert closed(call).answered_now is None
    assert call.take(on.AnswerRecorded(True)) == []


def test_ports_used_up_refuses_before_anybody_is_dialled() -> None:
    call = Ladder().admitted()
    effects = call.take(on.MediaRefused(refuse("MEDIA_EXHAUSTED")))
    assert kinds(effects) == [do.Refuse, do.Settle]
    assert settlement(effects).refusal_code == "MEDIA_EXHAUSTED"


@pytest.mark.parametrize("offer", [b"garbage", b"v=0\r\n", b"\x00\xff"])
def test_an_unusable_offer_is_refused_and_everything_given_back(offer: bytes) -> None:
    call = Ladder(offer)
    call.start()
    effects = call.take(on.Admitted(admission(target())))
    assert kinds(effects) == [do.Refuse, do.Settle]
    assert settlement(effects).sip_status == 488


def test_plain_rtp_is_refused_where_srtp_is_required() -> None:
    """R91: a profile that requires SRTP never talks in the clear."""
    call = Ladder()
    call.start()
    must = replace(admission(target()), a_srtp=SrtpPolicy.REQUIRED)
    assert settlement(call.take(on.Admitted(must))).refusal_code == "SRTP_REQUIRED"


def test_early_media_reaches_the_caller_rewritten() -> None:
    call = Ladder().connecting()
    effects = call.take(on.Progressed(183, "Session Progress", sdp("203.0.113.9")))
    assert kinds(effects) == [do.UpdateMedia, do.UpdateMedia, do.Progress]
    assert isinstance(effects[-1], do.Progress)
    ends = [effect.ends[0] for effect in effects if isinstance(effect, do.UpdateMedia)]
    assert not any(end.expect_media for end in ends), "nobody owes a packet while it rings"
    assert b"203.0.113.9" not in effects[-1].body


def test_early_media_that_cannot_be_read_is_only_ringing() -> None:
    call = Ladder().connecting()
    (progress,) = call.take(on.Progressed(183, "Session Progress", b"garbage"))
    assert progress == do.Progress(183, "Session Progress", b"")


def test_busy_ends_the_hunt_and_is_told_as_it_is() -> None:
    call = Ladder().connecting(target("carrier:one"), target("carrier:two"))
    effects = call.take(on.Rejected(486, "Busy Here"))
    assert effects[0] == do.Relay(486, "Busy Here")
    settle = closed(call)
    assert (settle.cause, settle.target) == (EndCause.REJECTED, "carrier:one")


def test_a_broken_carrier_hands_over_to_the_next() -> None:
    call = Ladder().connecting(target("carrier:one"), target("carrier:two"))
    (invite,) = call.take(on.Rejected(503, "Service Unavailable"))
    assert isinstance(invite, do.Originate) and invite.target.label == "carrier:two"
    assert kinds(call.take(on.Rejected(503, "Service Unavailable"))) == [do.Relay, do.CloseMedia]


def test_a_silent_carrier_is_given_up_after_its_time() -> None:
    call = Ladder().connecting(target("carrier:one"), target("carrier:two"))
    assert call.call.deadline == 6.0
    assert call.at(5.9).tick() == []
    abandon, invite = call.at(6.0).tick()
    assert isinstance(abandon, do.Abandon)
    assert isinstance(invite, do.Originate) and invite.target.label == "carrier:two"


def test_ringing_too_long_is_no_answer() -> None:
    call = Ladder().connecting()
    call.at(2).take(on.Progressed(180, "Ringing", b""))
    call.at(30).take(on.Progressed(180, "Ringing", b""))
    assert call.call.deadline == 60
    assert kinds(call.at(60).tick()) == [do.Abandon, do.Refuse, do.CloseMedia]
    settle = closed(call)
    assert (settle.refusal_code, settle.attempts) == ("NO_ANSWER", "one:no-answer")


def test_an_answer_without_usable_media_ends_both_legs() -> None:
    call = Ladder().connecting()
    effects = call.take(on.Answered(b"garbage"))
    assert kinds(effects) == [do.Release, do.Refuse, do.CloseMedia]
    assert closed(call).answered_now is None


def test_an_answer_that_cannot_be_recorded_ends_both_legs_uncharged() -> None:
    call = Ladder().connecting()
    call.take(on.Answered(sdp("203.0.113.9")))
    assert kinds(call.take(on.AnswerRecorded(False))) == [do.Release, do.Refuse, do.CloseMedia]
    settle = closed(call)
    assert (settle.answered_now, settle.refusal_code) == (None, "STORE_UNAVAILABLE")


def test_the_called_side_may_hang_up_before_its_answer_is_recorded() -> None:
    call = Ladder().connecting()
    call.take(on.Answered(sdp("203.0.113.9")))
    assert kinds(call.take(on.HungUp(LegSide.B, "bye"))) == [do.Refuse, do.CloseMedia]
    assert closed(call).answered_now is None


@pytest.mark.parametrize(
    ("side", "why", "cause"),
    [
        (LegSide.A, "bye", EndCause.CALLER_HUNG_UP),
        (LegSide.B, "bye", EndCause.CALLED_HUNG_UP),
        (LegSide.A, "lost", EndCause.LOST_PEER),
        (LegSide.B, "no-ack", EndCause.LOST_PEER),
    ],
)
def test_whoever_goes_the_other_side_is_told(side: LegSide, why: str, cause: EndCause) -> None:
    call = Ladder().talking()
    release, _ = call.at(3).take(on.HungUp(side, why))
    assert isinstance(release, do.Release) and release.side is side.other
    assert closed(call).cause is cause


def test_hold_and_resume_cross_the_call() -> None:
    """R93: a re-INVITE is offered on, and its answer comes back rewritten."""
    call = Ladder().talking()
    (offer,) = call.take(on.Reoffered(LegSide.A, sdp(direction="sendonly")))
    assert isinstance(offer, do.Reoffer) and offer.side is LegSide.B
    assert b"a=sendonly" in offer.body and b"192.0.2.1" not in offer.body
    *_, accept = call.take(on.ReofferAnswered(LegSide.B, sdp("203.0.113.9", direction="recvonly")))
    assert isinstance(accept, do.AcceptReoffer) and accept.side is LegSide.A
    assert b"a=recvonly" in accept.body
    (resume,) = call.take(on.Reoffered(LegSide.A, sdp()))
    assert isinstance(resume, do.Reoffer)


def test_two_offers_at_once_are_refused_with_491() -> None:
    call = Ladder().talking()
    call.take(on.Reoffered(LegSide.A, sdp(direction="sendonly")))
    (reject,) = call.take(on.Reoffered(LegSide.B, sdp("203.0.113.9", direction="sendonly")))
    assert reject == do.RejectReoffer(LegSide.B, 491, "Request Pending")


def test_a_rejected_offer_changes_nothing() -> None:
    call = Ladder().talking()
    call.take(on.Reoffered(LegSide.A, sdp(direction="inactive")))
    (reject,) = call.take(on.ReofferRejected(LegSide.B, 488, "Not Acceptable Here"))
    assert reject == do.RejectReoffer(LegSide.A, 488, "Not Acceptable Here")
    assert call.call.state is State.TALKING


def test_the_echo_answers_by_itself() -> None:
    """R121, R74: no leg B, no credit."""
    call = Ladder().admitted(kind=CallKind.ECHO)
    assert kinds(call.take(opened())) == [do.RecordAnswer]
    *_, answer = call.take(on.AnswerRecorded(True))
    assert isinstance(answer, do.Answer) and b"m=audio 20000" in answer.body
    accept, *_ = call.take(on.Reoffered(LegSide.A, sdp(direction="sendonly")))
    assert isinstance(accept, do.AcceptReoffer)
    assert kinds(call.at(9).take(on.HungUp(LegSide.A, "bye"))) == [do.CloseMedia]
    assert closed(call).target == "echo"


def test_credit_is_extended_before_it_ends() -> None:
    """R63, R65: the next increment is asked for while the last one still runs."""
    call = Ladder().talking()
    assert call.call.deadline == 28.0
    (extend,) = call.at(28).tick()
    assert isinstance(extend, do.ExtendHold) and extend.cover_s == 36
    assert call.take(on.HoldExtended(36)) == []
    assert call.call.deadline == 34.0


def test_without_credit_the_call_is_cut_at_the_last_paid_second() -> None:
    """R65: cut at 30 + 6k, and never billed past it however late the tick comes."""
    call = Ladder().talking()
    call.at(28).tick()
    call.take(on.HoldDenied())
    (again,) = call.at(28.5).tick()
    assert isinstance(again, do.ExtendHold)
    call.take(on.HoldDenied())
    (last,) = call.at(30.05).tick()
    assert isinstance(last, do.ExtendHold)
    call.take(on.HoldDenied())
    effects = call.at(30.15).tick()
    assert kinds(effects) == [do.Release, do.Release, do.CloseMedia]
    settle = closed(call)
    assert (settle.cause, settle.ended_now) == (EndCause.CREDIT_EXHAUSTED, 30.0)


def test_a_recharge_during_the_call_prolongs_it() -> None:
    """R61: a denied increment is asked for again until the last paid second."""
    call = Ladder().talking()
    call.at(28).tick()
    call.take(on.HoldDenied())
    call.at(28.5).tick()
    call.take(on.HoldExtended(36))
    assert call.at(30.5).tick() == []
    assert call.call.state is State.TALKING


def test_no_call_lasts_longer_than_the_longest_allowed() -> None:
    """R47: 12 hours by default, for free calls too."""
    call = Ladder().admitted(kind=CallKind.ECHO)
    call.take(opened())
    call.take(on.AnswerRecorded(True))
    assert call.call.deadline == 43_200
    assert kinds(call.at(43_200).tick()) == [do.Release, do.CloseMedia]
    assert closed(call).cause is EndCause.MAX_DURATION


def test_silence_ends_the_call() -> None:
    """R73: a dead media path ends the call, billed to its proof of life."""
    call = Ladder().talking()
    effects = call.at(12).take(on.MediaSilent(LegSide.A, 10.0))
    assert kinds(effects) == [do.Release, do.Release, do.CloseMedia]
    settle = closed(call)
    assert (settle.cause, settle.ended_now) == (EndCause.MEDIA_SILENT, 2.0)


@pytest.mark.parametrize("walk", ["start", "admitted", "connecting", "talking"])
def test_a_shutdown_ends_a_call_in_any_state(walk: str) -> None:
    call = Ladder()
    getattr(call, walk)()
    effects = call.take(on.Hangup(EndCause.SHUTDOWN))
    assert effects, "the caller is told"
    if walk == "start":
        effects = call.take(on.Admitted(admission(target())))
    elif walk == "admitted":
        call.take(opened())
        effects = [closed(call)]
    else:
        effects = [closed(call)]
    assert settlement(effects)
    assert call.call.state is State.ENDED


@pytest.mark.parametrize("walk", ["start", "admitted", "connecting", "talking"])
def test_a_broken_machine_still_gives_everything_back(walk: str) -> None:
    call = Ladder()
    getattr(call, walk)()
    effects = call.call.abort(3.0)
    assert (do.Settle in kinds(effects)) is (walk != "start")
    assert call.call.state is State.ENDED
    assert call.call.abort(4.0) == []
