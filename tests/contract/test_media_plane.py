"""What every `MediaPlane` must do, driven through real sockets (R88, R92, R93, pain 8, 9)."""

import os
import socket

import pytest

from media.aio.relay import PythonRelay, RelaySettings
from media.plane import (
    MediaFailed,
    MediaOpened,
    MediaReport,
    Side,
)
from media.rtp import payload_type, sequence, ssrc
from media.sdp.crypto import SHA1_32, SHA1_80
from tests.contract.media_peers import LOOPBACK, HandClock, describe, our_key, talk


@pytest.mark.parametrize("b_suite", ["", SHA1_80, SHA1_32])
@pytest.mark.parametrize("a_suite", ["", SHA1_80, SHA1_32])
async def test_packets_cross_in_both_directions(engine, phone, a_suite, b_suite):
    """R93: every mix of plain and protected legs."""
    a, b = phone(1, suite=a_suite), phone(2, suite=b_suite)
    opened = talk(engine, a, b)
    for _ in range(10):
        said = a.say(opened.a[0])
        assert await b.hear() == said
        said = b.say(opened.b[0])
        assert await a.hear() == said
    report = engine.close()
    assert (report.a[0].received, report.a[0].sent) == (10, 10)
    assert (report.b[0].received, report.b[0].sent) == (10, 10)
    assert report.a[0].octets_received == 1720
    assert report.a[0].latched == a.address


async def test_protected_packets_are_not_readable_on_the_wire(engine, phone):
    a, b = phone(1), phone(2, suite=SHA1_80)
    opened = talk(engine, a, b)
    a.say(opened.a[0], b"secret" * 20)
    data = await b._next(b.rtp)
    assert b"secret" not in data
    assert len(data) == 12 + 120 + 10


@pytest.mark.parametrize("b_suite", ["", SHA1_80])
@pytest.mark.parametrize("a_suite", ["", SHA1_32])
async def test_rtcp_crosses_beside_rtp(engine, phone, a_suite, b_suite):
    a, b = phone(1, suite=a_suite), phone(2, suite=b_suite)
    opened = talk(engine, a, b)
    host, port = opened.a[0]
    said = a.report((host, port + 1))
    assert await b.hear_rtcp() == said
    host, port = opened.b[0]
    said = b.report((host, port + 1))
    assert await a.hear_rtcp() == said
    assert engine.close().a[0].received == 0, "RTCP is not counted as media"


@pytest.mark.parametrize("a_suite", ["", SHA1_80])
async def test_a_muxed_side_has_rtcp_on_its_rtp_port(engine, phone, a_suite):
    """RFC 5761."""
    a, b = phone(1, suite=a_suite), phone(2)
    opened = talk(engine, a, b, rtcp_mux=True)
    said = a.say(opened.a[0])
    assert await b.hear() == said
    said = a.report(opened.a[0], muxed=True)
    assert await b.hear_rtcp() == said
    host, port = opened.b[0]
    said = b.report((host, port + 1))
    assert await a.hear_rtcp(muxed=True) == said


async def test_opaque_packets_pass_untouched(engine, phone):
    a, b = phone(1), phone(2)
    opened = engine.open()
    engine.plane.update("m-1", Side.A, (a.end(opaque=True),))
    engine.plane.update("m-1", Side.B, (b.end(opaque=True),))
    a.rtp.sendto(b"\0\1udptl", opened.a[0])
    assert await b.hear() == b"\0\1udptl"
    b.rtp.sendto(b"x", opened.b[0])
    assert await a.hear() == b"x"


async def test_streams_of_one_session_do_not_mix(engine, phone):
    a, b, video_a, video_b = (phone(each) for each in range(1, 5))
    opened = engine.open(2)
    engine.plane.update("m-1", Side.A, (a.end(), video_a.end()))
    engine.plane.update("m-1", Side.B, (b.end(), video_b.end()))
    said = video_a.say(opened.a[1])
    assert await video_b.hear() == said
    said = a.say(opened.a[0])
    assert await b.hear() == said


async def test_both_sides_may_be_ipv6_or_one(engine, phone):
    a, b = phone(1, family=6), phone(2, suite=SHA1_80)
    opened = engine.open(families=(6, 4))
    assert opened.a[0][0] == "::1"
    describe(engine, a, b)
    said = a.say(opened.a[0])
    assert await b.hear() == said
    said = b.say(opened.b[0])
    assert await a.hear() == said
    assert engine.close().a[0].latched == a.address


# --- echo


@pytest.mark.parametrize("suite", ["", SHA1_80, SHA1_32])
async def test_an_echo_returns_every_packet_under_its_own_source(engine, phone, suite):
    """RFC 3550 §8.2: the same SSRC would look like a loop."""
    a = phone(1, suite=suite)
    opened = engine.open(echo=True)
    assert opened.b == ()
    engine.plane.update("m-1", Side.A, (a.end(our_key(suite)),))
    for _ in range(10):
        said = a.say(opened.a[0])
        back = await a.hear()
        assert back[12:] == said[12:]
        assert sequence(back) == sequence(said)
        assert payload_type(back) == 0
        assert ssrc(back) != a.ssrc
    report = engine.close()
    assert report.a[0].sent == 10
    assert report.b == ()


# --- silence, ports, life


async def test_a_side_that_falls_silent_is_reported_once(engine, phone):
    """R73: the gateway ends calls without media."""
    a, b = phone(1), phone(2)
    opened = talk(engine, a, b)
    engine.clock.time += 6.0
    said = a.say(opened.a[0])
    assert await b.hear() == said
    engine.clock.time += 6.0
    engine.tick()
    engine.tick()
    assert engine.events.silences == [("m-1", Side.B, 12.0)]
    engine.clock.time += 6.0
    engine.tick()
    assert engine.events.silences[1:] == [("m-1", Side.A, 12.0)]


async def test_silence_on_hold_means_nothing(engine, phone):
    a, b = phone(1), phone(2)
    talk(engine, a, b)
    for side, peer in ((Side.A, a), (Side.B, b)):
        engine.plane.update("m-1", side, (peer.end(expect_media=False),))
    engine.clock.time += 100.0
    engine.tick()
    describe(engine, a, b)
    engine.tick()
    assert engine.events.silences == []
    engine.clock.time += 11.0
    engine.tick()
    assert len(engine.events.silences) == 2


async def test_used_up_ports_fail_the_open_and_leave_none_behind():
    clock = HandClock()
    low = 61000 + os.getpid() % 500 * 8  # above what the system hands out itself
    settings = RelaySettings(LOOPBACK, LOOPBACK, low, low + 7, cool_down_s=4.0)
    relay = PythonRelay(settings, clock=clock, octets=os.urandom)
    answers: list[MediaOpened | MediaFailed] = []
    reports: list[MediaReport] = []
    try:
        relay.open("one", 2, answers.append)
        relay.open("two", 1, answers.append)
        assert isinstance(answers[0], MediaOpened)
        assert answers[1] == MediaFailed("media ports are used up")
        relay.close("one", reports.append)
        relay.open("three", 1, answers.append)
        assert isinstance(answers[2], MediaFailed), "the ports cool down first"
        clock.time += 5.0
        relay.open("four", 2, answers.append)
        assert isinstance(answers[3], MediaOpened)
    finally:
        await relay.aclose()


async def test_a_family_without_an_address_fails_the_open():
    relay = PythonRelay(
        RelaySettings({4: "127.0.0.1"}, {4: "127.0.0.1"}), clock=HandClock(), octets=os.urandom
    )
    answers: list[MediaOpened | MediaFailed] = []
    relay.open("one", 1, answers.append, families=(4, 6))
    assert answers == [MediaFailed("no address for IPv6")]
    await relay.aclose()


async def test_advertised_ports_are_even_and_their_own(engine):
    opened = engine.open(3)
    ports = [port for _, port in (*opened.a, *opened.b)]
    assert len(set(ports)) == 6
    assert all(port % 2 == 0 for port in ports)


async def test_a_closed_session_receives_no_more(engine, phone):
    a, b = phone(1), phone(2)
    opened = talk(engine, a, b)
    engine.close()
    a.say(opened.a[0])
    probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    probe.bind(opened.a[0])  # the port is free again
    probe.close()
