"""What lives on between two offers, and what is made new (RFC 4568 §7)."""

from base64 import b64encode
from itertools import count

import pytest

from media.errors import SdpError
from media.sdp.crypto import SHA1_80
from media.sdp.keying import (
    SidePolicy,
    Terms,
    refusal_of,
    terms_of_answer,
    terms_of_offer,
    terms_to_offer,
)
from media.sdp.model import Line, MediaDescription

REQUIRED = SidePolicy("required")


def octets():
    numbers = count(1)
    return lambda size: bytes([next(numbers)]) * size


def audio(profile: str = "RTP/SAVP", key: int | None = 1, *more: str) -> MediaDescription:
    lines = [Line("a", each) for each in more]
    if key is not None:
        text = b64encode(bytes([key]) * 30).decode()
        lines.append(Line("a", f"crypto:1 {SHA1_80} inline:{text}"))
    return MediaDescription("audio", 4000, profile, ("0",), tuple(lines))


@pytest.mark.parametrize(
    ("policy", "offers"),
    [
        (SidePolicy("none"), False),
        (SidePolicy("none", offer_srtp=True), False),
        (SidePolicy("optional"), False),
        (SidePolicy("optional", offer_srtp=True), True),
        (SidePolicy("required"), True),
    ],
)
def test_the_policy_says_what_is_offered(policy, offers):
    assert bool(terms_to_offer(audio("RTP/AVP", None), policy, None, octets()).ours) is offers


def test_an_offer_repeats_the_one_line_agreed():
    offered = terms_to_offer(audio(), REQUIRED, None, octets())
    agreed = terms_of_answer(audio(), offered)
    assert len(offered.ours) == 2
    again = terms_to_offer(audio(), REQUIRED, agreed, octets())
    assert again.ours == offered.ours[:1]


def test_no_key_is_told_to_the_engine_before_the_answer():
    offered = terms_to_offer(audio(), REQUIRED, None, octets())
    assert offered.secure
    assert (offered.send_key, offered.receive_key) == (None, None)


def test_an_answer_without_our_tag_is_refused():
    offered = terms_to_offer(audio(), REQUIRED, None, octets())
    with pytest.raises(SdpError, match="srtp-unusable"):
        terms_of_answer(audio(key=None), offered)


def test_mux_is_agreed_only_when_both_want_it():
    terms = terms_of_offer(audio("RTP/AVP", None, "rtcp-mux"), SidePolicy(), None, octets())
    assert terms.mux
    assert not terms_of_answer(audio("RTP/AVP", None), terms).mux
    assert terms_of_answer(audio("RTP/AVP", None, "rtcp-mux"), terms).mux
    assert not terms_of_answer(audio("RTP/AVP", None, "rtcp-mux"), Terms("audio")).mux


def test_an_opaque_stream_has_no_keys_and_keeps_its_profile():
    image = MediaDescription("image", 4000, "udptl", ("t38",))
    terms = terms_to_offer(image, SidePolicy("optional", offer_srtp=True), None, octets())
    assert terms.profile(image) == "udptl"
    assert not terms.secure
    assert terms_of_answer(image, terms) == terms


def test_a_required_policy_refuses_what_cannot_be_protected():
    image = MediaDescription("image", 4000, "udptl", ("t38",))
    assert refusal_of(image, REQUIRED, "192.0.2.1") == "srtp-required"
    assert refusal_of(image, SidePolicy(), "192.0.2.1") == ""
    assert refusal_of(image, SidePolicy(), None) == "no-connection"
