"""Whatever a peer writes, a negotiation answers it or raises `SdpError` (RFC 3264)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from media.errors import SdpError
from media.plane import MediaOpened, Side
from media.sdp.crypto import SHA1_80
from media.sdp.offer_answer import RelayNegotiation, SidePolicy
from media.sdp.parser import parse_sdp
from tests.media.sdp.bodies import counting_octets, crypto, sdp

MEDIA = st.sampled_from(
    [
        "m=audio 4000 RTP/AVP 0 101",
        "m=audio 4000 RTP/SAVP 0",
        "m=audio 0 RTP/AVP 0",
        "m=video 4002 RTP/AVPF 96",
        "m=image 4004 udptl t38",
        "m=message 4006 TCP/MSRP *",
        "m=audio 4008 UDP/TLS/RTP/SAVPF 111",
    ]
)
BELOW = st.sampled_from(
    [
        crypto(1, SHA1_80, 1),
        crypto(2, SHA1_80, 2),
        "a=crypto:1 broken",
        "a=sendonly",
        "a=inactive",
        "a=rtcp-mux",
        "a=rtcp:9",
        "c=IN IP4 0.0.0.0",
        "c=IN IP6 2001:db8::1",
        "c=broken",
        "a=candidate:1",
    ]
)
BODIES = st.lists(st.tuples(MEDIA, st.lists(BELOW, max_size=4)), max_size=4).map(
    lambda parts: sdp(*(line for media, below in parts for line in (media, *below)))
)
POLICIES = st.builds(SidePolicy, st.sampled_from(["none", "optional", "required"]), st.booleans())
STEPS = st.lists(
    st.tuples(st.sampled_from(list(Side)), BODIES, BODIES, st.integers(0, 4)),
    min_size=1,
    max_size=4,
)


def opened(count: int) -> MediaOpened:
    return MediaOpened(
        tuple(("198.51.100.1", 20000 + 2 * each) for each in range(count)),
        tuple(("198.51.100.2", 30000 + 2 * each) for each in range(count)),
    )


@given(POLICIES, POLICIES, STEPS)
@settings(max_examples=100, deadline=None)
def test_every_ladder_keeps_the_rules_of_offer_and_answer(policy_a, policy_b, steps):
    made = RelayNegotiation(policy_a, policy_b, counting_octets())
    policies = {Side.A: policy_a, Side.B: policy_b}
    started = False
    for side, offer, answer, fate in steps:
        try:
            count = made.receive_offer(side, offer)
        except SdpError:
            continue
        if not started:
            made.set_local(opened(count))
            started = True
        try:
            to_other = parse_sdp(made.offer_for(side.other))
        except SdpError:
            made.abandon()
            continue
        assert [each.media for each in to_other.media] == [
            each.media for each in parse_sdp(offer).media
        ]
        assert len({each.port for each in to_other.media if each.port}) == sum(
            1 for each in to_other.media if each.port
        ), "no port serves two m-lines"
        try:
            made.receive_answer(side.other, answer)
        except SdpError:
            made.abandon()
            continue
        if fate == 0:
            made.abandon()
            continue
        back = parse_sdp(made.answer_for(side))
        assert len(back.media) == len(to_other.media)
        for mine, theirs in zip(back.media, parse_sdp(offer).media, strict=True):
            assert mine.profile == theirs.profile
            assert theirs.port or not mine.port
        for each in Side:
            for end in made.ends(each):
                assert (end.receive_key is None) == (end.send_key is None)
                if policies[each].srtp == "required" and end.active:
                    assert end.receive_key is not None
                if policies[each].srtp == "none":
                    assert end.receive_key is None


@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(max_examples=150, deadline=None)
def test_no_octets_raise_anything_but_an_sdp_error(first, second):
    good = sdp("m=audio 4000 RTP/AVP 0")
    for offer, answer in ((good + first, good + second), (first, second), (good, second)):
        made = RelayNegotiation(SidePolicy(), SidePolicy(), counting_octets())
        try:
            made.set_local(opened(made.receive_offer(Side.A, offer)))
            made.offer_for(Side.B)
            made.receive_answer(Side.B, answer)
            made.answer_for(Side.A)
            made.ends(Side.A)
            made.is_hold(Side.B)
        except SdpError:
            continue
