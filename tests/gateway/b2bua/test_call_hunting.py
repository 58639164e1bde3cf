"""The call machine and the hunt: time limits, the next carrier, early media that was shown."""

import re
from dataclasses import replace

from gateway.b2bua import effects as do
from gateway.b2bua import events as on
from gateway.model.call import EndCause, SrtpPolicy
from tests.gateway.b2bua.test_call import Ladder, admission, closed, kinds, opened, sdp, target
from tests.support.ids import SequenceIds

ONE, TWO = target("carrier:one"), target("carrier:two")
KEY = b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def two_carriers() -> Ladder:
    return Ladder().connecting(ONE, TWO)


def dialled(effects: list[do.Effect]) -> do.Originate:
    (found,) = [effect for effect in effects if isinstance(effect, do.Originate)]
    return found


def test_a_carrier_that_tries_at_once_and_rings_late_is_waited_for() -> None:
    call = two_carriers()
    assert call.at(0.1).take(on.Progressed(100, "Trying", b"")) == []
    assert call.at(6.5).tick() == []
    assert kinds(call.at(8).take(on.Progressed(180, "Ringing", b""))) == [do.Progress]
    assert call.call.deadline == 60.0


def test_a_carrier_that_only_tries_hands_over_at_the_ring_limit() -> None:
    call = two_carriers()
    call.at(0.1).take(on.Progressed(100, "Trying", b""))
    effects = call.at(60).tick()
    assert kinds(effects) == [do.Abandon, do.Originate]
    assert dialled(effects).target is TWO
    assert [judged.carrier_id for judged in call.judged] == [1]


def test_a_silent_last_carrier_is_a_time_out() -> None:
    call = Ladder().connecting(ONE)
    effects = call.at(6).tick()
    assert effects[:2] == [do.Abandon(), do.Relay(408, "Request Timeout")]
    assert closed(call).attempts == "one:silent"


def test_the_judgement_follows_the_table() -> None:
    call = two_carriers()
    call.take(on.Rejected(503, "Service Unavailable", 30.0))
    assert call.judged == [do.JudgeCarrier(1, "503 Service Unavailable", 30.0)]
    call.take(on.Answered(sdp("203.0.113.9")))
    assert call.judged[1:] == [do.JudgeCarrier(1, "", None)]


def test_the_record_names_every_attempt() -> None:
    call = two_carriers()
    call.take(on.Rejected(503, "Service Unavailable"))
    call.take(on.Answered(sdp("203.0.113.9")))
    call.take(on.AnswerRecorded(True))
    call.call.receive(on.Hangup(EndCause.OPERATOR), 9.0)
    assert closed(call).attempts == "one:503 two:200"


def test_a_caller_who_gives_up_leaves_a_cancelled_attempt() -> None:
    call = two_carriers()
    call.take(on.Cancelled())
    assert closed(call).attempts == "one:cancelled"


def test_nobody_was_tried_when_there_were_no_ports() -> None:
    call = Ladder().admitted(ONE)
    call.take(on.Cancelled())
    call.take(opened())
    assert closed(call).attempts == ""


def test_a_full_carrier_is_passed_over_without_blame() -> None:
    call = two_carriers()
    assert dialled(call.take(on.CarrierFull())).target is TWO
    assert call.judged == []
    effects = call.take(on.CarrierFull())
    assert kinds(effects) == [do.Refuse, do.CloseMedia]
    settle = closed(call)
    assert (settle.refusal_code, settle.attempts) == ("CARRIERS_FULL", "one:full two:full")


def test_a_full_carrier_after_the_end_changes_nothing() -> None:
    call = Ladder().talking()
    assert call.take(on.CarrierFull()) == []


def body_shown(effects: list[do.Effect]) -> bytes:
    (shown,) = [effect for effect in effects if isinstance(effect, do.Progress | do.Answer)]
    return shown.body


def origin(body: bytes) -> tuple[str, int]:
    found = re.search(rb"^o=\S+ (\d+) (\d+) ", body, re.MULTILINE)
    assert found
    return found[1].decode(), int(found[2])


def test_early_media_of_one_carrier_and_the_answer_of_the_next_are_one_session_to_the_caller() -> (
    None
):
    """R88, RFC 3264 §8: the same key, port and o= line; only its version grows."""
    secure = sdp().replace(b"RTP/AVP", b"RTP/SAVP")
    secure += b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY + b"\r\n"
    call = Ladder(secure, SequenceIds().octets)
    call.start()
    call.take(on.Admitted(replace(admission(ONE, TWO), a_srtp=SrtpPolicy.REQUIRED)))
    first_invite = dialled(call.take(opened()))
    early = body_shown(call.take(on.Progressed(183, "Progress", sdp("203.0.113.9", 5000))))

    effects = call.take(on.Rejected(503, "Service Unavailable"))
    second_invite = dialled(effects)
    # The media plane forgets the first carrier before the second one is dialled.
    assert kinds(effects) == [do.UpdateMedia, do.UpdateMedia, do.Originate]
    forgotten = effects[1]
    assert isinstance(forgotten, do.UpdateMedia)
    assert forgotten.ends[0].remote is None
    assert second_invite.offer != b"" and b"crypto" not in second_invite.offer

    call.take(on.Answered(sdp("203.0.113.77", 7000)))
    answer = body_shown(call.take(on.AnswerRecorded(True)))
    assert re.findall(rb"a=crypto:.*", answer) == re.findall(rb"a=crypto:.*", early) != []
    assert re.findall(rb"m=audio \d+", answer) == re.findall(rb"m=audio \d+", early)
    session, version = origin(early)
    assert origin(answer)[0] == session
    assert origin(answer)[1] in (version, version + 1)
    # The carriers learn nothing of each other.
    assert origin(first_invite.offer)[0] != session


def test_a_changed_answer_of_the_next_carrier_raises_the_version_by_one() -> None:
    """RFC 3264 §8."""
    call = two_carriers()
    early = body_shown(call.take(on.Progressed(183, "Progress", sdp("203.0.113.9"))))
    call.take(on.Rejected(500, "Server Internal Error"))
    call.take(on.Answered(sdp("203.0.113.77", direction="sendonly")))
    answer = body_shown(call.take(on.AnswerRecorded(True)))
    session, version = origin(early)
    assert origin(answer) == (session, version + 1)


def test_without_early_media_the_next_carrier_is_simply_dialled() -> None:
    call = two_carriers()
    call.take(on.Progressed(180, "Ringing", b""))
    assert kinds(call.take(on.Rejected(503, "Service Unavailable"))) == [do.Originate]
