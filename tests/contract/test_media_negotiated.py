"""SDP and packets together: what was negotiated is what flows (R88, R93, pain 9)."""

import os

import pytest

from media.plane import Side
from media.sdp.crypto import SHA1_80
from media.sdp.endpoint import OwnOffer
from media.sdp.model import MediaDirection
from media.sdp.offer_answer import RelayNegotiation, SidePolicy
from tests.contract.media_peers import Peer


class Caller:
    """A phone whose keys come from its own SDP."""

    def __init__(self, peer: Peer, *, srtp: bool) -> None:
        self.peer = peer
        self.sdp = OwnOffer(peer.address, os.urandom, srtp=srtp)

    def settle(self, agreed) -> None:
        """Take the keys over; libsrtp contexts live as long as their keys do."""
        end = agreed.end
        if end.send_key != self.peer.key:
            self.peer.set_key(end.send_key)
        if end.receive_key != self.peer.heard_key:
            self.peer.end(end.receive_key)
            self.peer.heard_key = end.receive_key
        self.target = end.remote


def exchange(engine, relay, offerer, answerer, side, direction=MediaDirection.SENDRECV):
    """One offer/answer round from `side`; opens the engine's session in the first."""
    relay.receive_offer(side, offerer.sdp.body(direction))
    if engine.opened is None:
        engine.opened = engine.open()
        relay.set_local(engine.opened)
    body, heard = answerer.sdp.answer(relay.offer_for(side.other))
    relay.receive_answer(side.other, body)
    got = offerer.sdp.accept(relay.answer_for(side))
    for each in Side:
        engine.plane.update("m-1", each, relay.ends(each))
    answerer.settle(heard)
    offerer.settle(got)


async def speak(a, b):
    for one, two in ((a, b), (b, a)):
        said = one.peer.say(one.target)
        assert await two.peer.hear() == said


@pytest.mark.parametrize("called_srtp", [False, True])
@pytest.mark.parametrize("caller_srtp", [False, True])
async def test_audio_survives_hold_and_resume_from_both_sides(
    engine, phone, caller_srtp, called_srtp
):
    a, b = Caller(phone(1), srtp=caller_srtp), Caller(phone(2), srtp=False)
    policy_b = SidePolicy("required" if called_srtp else "none")
    relay = RelayNegotiation(SidePolicy(), policy_b, os.urandom)
    exchange(engine, relay, a, b, Side.A)
    assert (a.peer.key is not None) is caller_srtp
    assert (b.peer.key is not None) is called_srtp
    await speak(a, b)
    for side, one, two in ((Side.A, a, b), (Side.B, b, a)):
        keys = relay.ends(Side.A)[0].send_key, relay.ends(Side.B)[0].send_key
        exchange(engine, relay, one, two, side, MediaDirection.SENDONLY)
        assert relay.is_hold(side)
        assert not relay.ends(side)[0].expect_media
        said = one.peer.say(one.target)
        assert await two.peer.hear() == said, "music on hold"
        exchange(engine, relay, one, two, side)
        assert (relay.ends(Side.A)[0].send_key, relay.ends(Side.B)[0].send_key) == keys
        for _ in range(5):
            await speak(a, b)
    report = engine.close()
    assert report.a[0].dropped_auth == report.b[0].dropped_auth == 0
    assert (report.a[0].received, report.b[0].received) == (12, 12)


async def test_a_phone_that_starts_anew_with_another_key_is_understood(engine, phone):
    """RFC 3711: new keys, new contexts on both directions of that hop alone."""
    a, b = Caller(phone(1), srtp=True), Caller(phone(2), srtp=False)
    relay = RelayNegotiation(SidePolicy(), SidePolicy("required"), os.urandom)
    exchange(engine, relay, a, b, Side.A)
    await speak(a, b)
    before = relay.ends(Side.B)[0]
    fresh = Caller(a.peer, srtp=True)
    exchange(engine, relay, fresh, b, Side.A)
    assert relay.ends(Side.B)[0] == before
    assert fresh.peer.key.suite == SHA1_80
    for _ in range(5):
        await speak(fresh, b)
    assert engine.close().a[0].dropped_auth == 0
