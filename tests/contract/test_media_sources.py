"""Whom a `MediaPlane` believes, before and after updates (pain 8, 9; RFC 3711, RFC 4961)."""

import os

import pytest
from pylibsrtp import Policy

from media.plane import (
    Side,
    SrtpKey,
    StreamEnd,
)
from media.rtp import packet
from media.sdp.crypto import SHA1_80
from tests.contract.media_peers import our_key, talk, until

# --- who may send


async def test_packets_of_a_stranger_are_dropped_and_counted(engine, phone):
    """Pain 8: a locked source stays."""
    a, b, stranger = phone(1), phone(2), phone(3)
    opened = talk(engine, a, b)
    said = a.say(opened.a[0])
    assert await b.hear() == said
    for _ in range(5):
        stranger.say(opened.a[0])
    said = a.say(opened.a[0])
    assert await b.hear() == said, "nothing of the stranger came through"
    said = b.say(opened.b[0])
    assert await a.hear() == said
    report = engine.close()
    assert report.a[0].dropped_source == 5
    assert report.a[0].latched == a.address


async def test_a_peer_behind_nat_is_answered_where_it_sends_from(engine, phone):
    """Pain 8, RFC 4961: the SDP names an address that is not the real one."""
    a, b, behind = phone(1), phone(2), phone(3)
    opened = talk(engine, a, b)
    for _ in range(3):
        said = behind.say(opened.a[0])
        assert await b.hear() == said
    said = b.say(opened.b[0])
    assert await behind.hear() == said


async def test_one_authenticated_packet_is_enough_to_believe_a_source(engine, phone):
    a, b = phone(1, suite=SHA1_80), phone(2)
    moved = phone(1, suite=SHA1_80, key=a.key.key_salt)
    opened = talk(engine, a, b)
    moved.end(our_key(SHA1_80, 1))
    said = moved.say(opened.a[0])
    assert await b.hear() == said
    said = b.say(opened.b[0])
    assert await moved.hear() == said


async def test_a_wrong_key_is_dropped_counted_and_not_believed(engine, phone):
    a, b, forger = phone(1, suite=SHA1_80), phone(2), phone(3, suite=SHA1_80)
    opened = talk(engine, a, b)
    for _ in range(5):
        forger.say(opened.a[0])
    said = a.say(opened.a[0])
    assert await b.hear() == said
    report = engine.close()
    assert report.a[0].dropped_auth == 5
    assert report.a[0].received == 1
    assert report.a[0].latched == a.address


async def test_plain_packets_do_not_pass_where_srtp_was_agreed(engine, phone):
    a, b, plain = phone(1, suite=SHA1_80), phone(2), phone(3)
    opened = talk(engine, a, b)
    plain.say(opened.a[0])
    said = a.say(opened.a[0])
    assert await b.hear() == said
    assert engine.close().a[0].dropped_auth == 1


async def test_a_replayed_packet_is_dropped(engine, phone):
    """RFC 3711 §3.3.2."""
    a, b = phone(1, suite=SHA1_80), phone(2)
    opened = talk(engine, a, b)
    plain = packet(0, 1, 1, 9, b"once")
    wire = a._out.protect(plain)
    for _ in range(3):
        a.rtp.sendto(wire, opened.a[0])
    assert await b.hear() == plain
    said = a.say(opened.a[0])
    assert await b.hear() == said
    assert engine.close().a[0].dropped_auth == 2


@pytest.mark.parametrize("noise", [b"", b"\x80", b"\x80" * 11, b"\0" * 40, b"\xc0" * 40])
async def test_malformed_packets_are_dropped_and_counted(engine, phone, noise):
    a, b = phone(1), phone(2)
    opened = talk(engine, a, b)
    a.rtp.sendto(noise, opened.a[0])
    a.rtcp.sendto(noise, (opened.a[0][0], opened.a[0][1] + 1))
    said = a.say(opened.a[0])
    assert await b.hear() == said
    a.report((opened.a[0][0], opened.a[0][1] + 1))
    await b.hear_rtcp()
    assert engine.close().a[0].dropped_malformed == 2


async def test_nothing_passes_before_a_side_is_described_or_when_it_is_off(engine, phone):
    a, b = phone(1), phone(2)
    opened = engine.open()
    engine.plane.update("m-1", Side.B, (b.end(),))
    a.say(opened.a[0])
    a.report((opened.a[0][0], opened.a[0][1] + 1))
    said = b.say(opened.b[0])
    engine.plane.update("m-1", Side.A, (a.end(active=False),))
    a.say(opened.a[0])
    await until(lambda: engine.plane.report("m-1").a[0].dropped_source == 3)
    engine.plane.update("m-1", Side.A, (a.end(),))
    said = a.say(opened.a[0])
    assert await b.hear() == said


# --- updates


async def test_hold_and_resume_keep_the_srtp_state(engine, phone):
    """R93, pain 9: same keys, no new context: sequence numbers wrap, the rollover counter stays."""
    a, b = phone(1, suite=SHA1_80), phone(2)
    opened = talk(engine, a, b)
    for _ in range(10):  # wraps from 65535 to 0
        said = a.say(opened.a[0])
        assert await b.hear() == said
    first = a.end(our_key(SHA1_80, 1))
    for end in (
        StreamEnd(None, None, False, first.receive_key, first.send_key, expect_media=False),
        first,
    ):
        engine.plane.update("m-1", Side.A, (end,))
        said = a.say(opened.a[0])
        assert await b.hear() == said
    report = engine.close()
    assert report.a[0].dropped_auth == 0
    assert report.a[0].received == 12


async def test_what_goes_out_stays_one_srtp_stream_over_hold(engine, phone):
    a, b = phone(1, suite=SHA1_80), phone(2)
    opened = talk(engine, a, b)
    key = our_key(SHA1_80, 1)
    held = StreamEnd(a.address, None, False, a.key, key, expect_media=False)
    resumed = StreamEnd(a.address, None, False, a.key, key)
    for end in (held, resumed, held):
        for _ in range(5):
            said = b.say(opened.b[0])
            assert await a.hear() == said, "one context of the phone reads it all"
        engine.plane.update("m-1", Side.A, (end,))


async def test_a_changed_key_counts_from_its_update_on(engine, phone):
    a, b = phone(1, suite=SHA1_80), phone(2)
    opened = talk(engine, a, b)
    said = a.say(opened.a[0])
    assert await b.hear() == said
    old_key = a._out
    a.key = SrtpKey(SHA1_80, os.urandom(30))
    a._out = a._session(a.key, Policy.SSRC_ANY_OUTBOUND)
    engine.plane.update("m-1", Side.A, (a.end(our_key(SHA1_80, 9)),))
    a.rtp.sendto(old_key.protect(packet(0, 7, 7, 1, b"late")), opened.a[0])
    said = a.say(opened.a[0])
    assert await b.hear() == said
    said = b.say(opened.b[0])
    assert await a.hear() == said
    assert engine.close().a[0].dropped_auth == 1


async def test_a_new_address_in_an_update_is_sent_to_at_once(engine, phone):
    a, b, moved = phone(1), phone(2), phone(3)
    opened = talk(engine, a, b)
    said = a.say(opened.a[0])
    assert await b.hear() == said
    engine.plane.update("m-1", Side.A, (moved.end(),))
    said = b.say(opened.b[0])
    assert await moved.hear() == said
    a.say(opened.a[0])  # its last packet was still on the way
    said = moved.say(opened.a[0])
    assert await b.hear() == said
    assert engine.close().a[0].latched == moved.address


async def test_another_source_is_believed_after_silence(engine, phone):
    a, b, moved = phone(1), phone(2), phone(3)
    opened = talk(engine, a, b)
    said = a.say(opened.a[0])
    assert await b.hear() == said
    engine.clock.time += 6.0
    for _ in range(3):
        said = moved.say(opened.a[0])
        assert await b.hear() == said
    said = b.say(opened.b[0])
    assert await moved.hear() == said


async def test_rtcp_of_a_stranger_is_dropped_once_the_media_source_is_known(engine, phone):
    a, b, stranger = phone(1), phone(2), phone(3)
    opened = talk(engine, a, b)
    control = (opened.a[0][0], opened.a[0][1] + 1)
    said = a.report(control)
    assert await b.hear_rtcp() == said
    for _ in range(4):
        stranger.report(control)
    said = a.report(control)
    assert await b.hear_rtcp() == said
    assert engine.close().a[0].dropped_source == 4


async def test_forged_rtcp_is_dropped_and_counted(engine, phone):
    a, b, forger = phone(1, suite=SHA1_80), phone(2), phone(3, suite=SHA1_80)
    opened = talk(engine, a, b)
    control = (opened.a[0][0], opened.a[0][1] + 1)
    forger.report(control)
    said = a.report(control)
    assert await b.hear_rtcp() == said
    assert engine.close().a[0].dropped_auth == 1


async def test_too_many_unknown_sources_are_not_even_candidates(engine, phone):
    a, b = phone(1), phone(2)
    strangers = [phone(each) for each in range(10, 16)]
    opened = talk(engine, a, b)
    for each in strangers:
        each.say(opened.a[0])
    await until(lambda: engine.plane.report("m-1").a[0].dropped_source == 2)
    said = a.say(opened.a[0])
    while await b.hear() != said:
        pass
    assert engine.close().a[0].latched == a.address


async def test_opaque_packets_of_a_stranger_are_dropped(engine, phone):
    a, b, stranger = phone(1), phone(2), phone(3)
    opened = engine.open()
    engine.plane.update("m-1", Side.A, (a.end(opaque=True),))
    engine.plane.update("m-1", Side.B, (b.end(opaque=True),))
    for sender, data in ((a, b"first"), (stranger, b"forged"), (a, b"second")):
        sender.rtp.sendto(data, opened.a[0])
    assert [await b.hear(), await b.hear()] == [b"first", b"second"]
    assert engine.close().a[0].dropped_source == 1


async def test_a_side_without_an_address_is_sent_to_when_it_was_heard(engine, phone):
    """The hold of old, or a name in c=: only the source tells where to send."""
    a, b = phone(1), phone(2)
    opened = engine.open()
    engine.plane.update("m-1", Side.A, (a.end(remote=None, remote_rtcp=None),))
    engine.plane.update("m-1", Side.B, (b.end(),))
    b.say(opened.b[0])
    b.report((opened.b[0][0], opened.b[0][1] + 1))
    for _ in range(3):
        said = a.say(opened.a[0])
        assert await b.hear() == said
    said = b.say(opened.b[0])
    assert await a.hear() == said
    assert engine.close().a[0].sent == 1
