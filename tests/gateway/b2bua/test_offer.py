"""A call's offers and answers, on the real SDP rewriting."""

import pytest

from gateway.b2bua.effects import AcceptReoffer, RejectReoffer, Reoffer, UpdateMedia
from gateway.b2bua.offer import Offers, policy_towards, refusal_of
from gateway.model.call import LegSide, SrtpPolicy
from media.errors import SdpError
from tests.gateway.b2bua.test_call import octets, opened, sdp, target
from tests.support import factories

KEY = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


def talking(a_srtp: SrtpPolicy = SrtpPolicy.OPTIONAL) -> Offers:
    offers = Offers(a_srtp, False, octets)
    offers.receive_first(sdp(), target())
    offers.opened(opened().opened)
    offers.offer_to_b()
    offers.receive_answer(sdp("203.0.113.9"))
    offers.answer_to_a()
    return offers


def test_srtp_on_one_side_and_rtp_on_the_other() -> None:
    """R93: the PBX speaks SRTP, the carrier RTP; no key crosses."""
    secure = sdp().replace(b"RTP/AVP", b"RTP/SAVP")
    secure += b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + KEY.encode() + b"\r\n"
    offers = Offers(SrtpPolicy.REQUIRED, False, octets)
    offers.receive_first(secure, target())
    offers.opened(opened().opened)
    towards_carrier = offers.offer_to_b()
    assert b"RTP/AVP" in towards_carrier
    assert b"crypto" not in towards_carrier
    offers.receive_answer(sdp("203.0.113.9"))
    answer = offers.answer_to_a()
    assert b"RTP/SAVP" in answer
    assert KEY.encode() not in answer
    by_side = {effect.side: effect.ends for effect in offers.updates()}  # type: ignore[union-attr]
    assert by_side[LegSide.A][0].receive_key is not None
    assert by_side[LegSide.B][0].receive_key is None


def test_an_offer_from_either_side_goes_to_the_other() -> None:
    for side in LegSide:
        offers = talking()
        (reoffer,) = offers.reoffered(side, sdp(direction="sendonly"))
        assert isinstance(reoffer, Reoffer)
        assert reoffer.side is side.other
        effects = offers.reoffer_answered(side.other, sdp(direction="recvonly"))
        assert [type(effect) for effect in effects] == [UpdateMedia, UpdateMedia, AcceptReoffer]
        assert offers.waiting is None


def test_an_answer_nobody_waits_for_changes_nothing() -> None:
    offers = talking()
    assert offers.reoffer_answered(LegSide.B, sdp()) == []
    assert offers.reoffer_rejected(LegSide.B, 488, "Not Acceptable Here") == []


def test_an_unreadable_offer_is_refused_with_488() -> None:
    """RFC 3261 §14.2: the session goes on as it was."""
    (reject,) = talking().reoffered(LegSide.A, b"garbage")
    assert reject == RejectReoffer(LegSide.A, 488, "Not Acceptable Here")


def test_an_unreadable_answer_refuses_the_one_who_asked() -> None:
    offers = talking()
    offers.reoffered(LegSide.A, sdp(direction="sendonly"))
    (reject,) = offers.reoffer_answered(LegSide.B, b"garbage")
    assert reject == RejectReoffer(LegSide.A, 488, "Not Acceptable Here")
    assert offers.waiting is None


@pytest.mark.parametrize(
    ("policy", "transport", "offered"),
    [
        (SrtpPolicy.NONE, "tls", False),
        (SrtpPolicy.OPTIONAL, "udp", False),
        (SrtpPolicy.OPTIONAL, "tls", True),
        (SrtpPolicy.REQUIRED, "udp", True),
    ],
)
def test_srtp_is_offered_where_it_must_be_or_tls_invites_it(
    policy: SrtpPolicy, transport: str, offered: bool
) -> None:
    """R88, R92"""
    one = target()
    flow = factories.flow(transport=transport)
    towards = type(one)(
        one.label, one.uri, one.to_user, flow, one.realm, one.dialect, policy, one.trusted
    )
    assert policy_towards(towards).offer_srtp is offered


def test_what_an_sdp_error_means_to_the_caller() -> None:
    assert refusal_of(SdpError("srtp-required")).code == "SRTP_REQUIRED"
    assert refusal_of(SdpError("no-media")).status == 488
