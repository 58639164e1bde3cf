"""What every `MediaPlane` must do, driven through real sockets (R88, R92, R93, pain 8, 9)."""

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable

import pytest
from pylibsrtp import Policy, Session

from media.aio.relay import PythonRelay, RelaySettings
from media.plane import (
    Address,
    MediaFailed,
    MediaOpened,
    MediaPlane,
    MediaReport,
    Side,
    SrtpKey,
    StreamEnd,
)
from media.rtp import packet, payload_type, sequence, ssrc
from media.sdp.crypto import SHA1_32, SHA1_80

PATIENCE_S = 3.0
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
PROFILES = {
    SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    SHA1_32: Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}


class HandClock:
    """Monotonic seconds that move when told."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class Events:
    def __init__(self) -> None:
        self.silences: list[tuple[str, Side, float]] = []

    def silent(self, session_id: str, side: Side, silent_s: float) -> None:
        self.silences.append((session_id, side, silent_s))


class Engine:
    """An engine, what drives its time, and what it reported."""

    def __init__(self, plane: MediaPlane, tick: Callable[[], None], clock: HandClock) -> None:
        self.plane = plane
        self.tick = tick
        self.clock = clock
        self.events = Events()

    def open(self, streams: int = 1, **options: object) -> MediaOpened:
        answers: list[MediaOpened | MediaFailed] = []
        self.plane.open("m-1", streams, answers.append, **options)  # type: ignore[arg-type]
        (opened,) = answers
        assert isinstance(opened, MediaOpened)
        return opened

    def close(self, session_id: str = "m-1") -> MediaReport:
        answers: list[MediaReport] = []
        self.plane.close(session_id, answers.append)
        return answers[0]


@pytest.fixture(params=["python"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    clock = HandClock()
    settings = RelaySettings(LOOPBACK, LOOPBACK, 40000, 60000, cool_down_s=4.0, silence_s=10.0)
    relay = PythonRelay(settings, clock=clock, octets=os.urandom)
    made = Engine(relay, relay.tick, clock)
    relay.events = made.events
    yield made
    await relay.aclose()


class Peer:
    """A phone: RTP and RTCP sockets, SRTP when it has keys."""

    def __init__(self, source: int, *, suite: str = "", key: bytes = b"", family: int = 4) -> None:
        self.ssrc = source
        self.sequence = 65530  # wraps soon
        self.suite = suite
        self.key = SrtpKey(suite, key or os.urandom(30)) if suite else None
        self._out = self._session(self.key, Policy.SSRC_ANY_OUTBOUND)
        self._in: Session | None = None
        version = socket.AF_INET6 if family == 6 else socket.AF_INET
        self.rtp = self._bound(version, family)
        self.rtcp = self._bound(version, family)
        self.target: Address | None = None

    @staticmethod
    def _bound(version: int, family: int) -> socket.socket:
        made = socket.socket(version, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind((LOOPBACK[family], 0))
        return made

    def _session(self, key: SrtpKey | None, direction: int) -> Session | None:
        if key is None:
            return None
        profile = PROFILES[key.suite]
        return Session(Policy(key=key.key_salt, ssrc_type=direction, srtp_profile=profile))

    @property
    def address(self) -> Address:
        found: Address = self.rtp.getsockname()[:2]
        return found

    def end(self, send_key: SrtpKey | None = None, **more: object) -> StreamEnd:
        """How the engine is told about this peer; `send_key` protects what comes to it."""
        self._in = self._session(send_key, Policy.SSRC_ANY_INBOUND)
        known = {"remote": self.address, "remote_rtcp": self.rtcp.getsockname()[:2], **more}
        return StreamEnd(receive_key=self.key, send_key=send_key, **known)  # type: ignore[arg-type]

    def say(self, target: Address, text: bytes = b"hello" * 32) -> bytes:
        """Send one packet; what the other peer should get."""
        plain = packet(0, self.sequence, self.sequence * 160, self.ssrc, text)
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.rtp.sendto(self._out.protect(plain) if self._out else plain, target)
        return plain

    def report(self, target: Address, *, muxed: bool = False) -> bytes:
        plain = struct.pack("!BBHI", 0x80, 201, 1, self.ssrc)
        data = self._out.protect_rtcp(plain) if self._out else plain
        (self.rtp if muxed else self.rtcp).sendto(data, target)
        return plain

    async def hear(self) -> bytes:
        data = await self._next(self.rtp)
        return self._in.unprotect(data) if self._in else data

    async def hear_rtcp(self, *, muxed: bool = False) -> bytes:
        data = await self._next(self.rtp if muxed else self.rtcp)
        return self._in.unprotect_rtcp(data) if self._in else data

    async def _next(self, source: socket.socket) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.get_running_loop().sock_recv(source, 2048)

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


@pytest.fixture
def phone() -> AsyncIterator[Callable[..., Peer]]:
    made: list[Peer] = []

    def make(source: int, **options: object) -> Peer:
        made.append(Peer(source, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()


def our_key(suite: str, octet: int = 7) -> SrtpKey | None:
    return SrtpKey(suite, bytes([octet]) * 30) if suite else None


def talk(engine: Engine, a: Peer, b: Peer, **more: object) -> MediaOpened:
    """A session between two peers, described to the engine."""
    opened = engine.open()
    describe(engine, a, b, **more)
    return opened


def describe(engine: Engine, a: Peer, b: Peer, **more: object) -> None:
    engine.plane.update("m-1", Side.A, (a.end(our_key(a.suite, 1), **more),))
    engine.plane.update("m-1", Side.B, (b.end(our_key(b.suite, 2)),))


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


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.001)
