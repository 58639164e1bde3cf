"""An engine under test, and phones with real sockets that speak through it."""

import asyncio
import os
import socket
import struct
from collections.abc import Callable

from pylibsrtp import Policy, Session

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
from media.rtp import packet
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
        self.opened: MediaOpened | None = None

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


class Peer:
    """A phone: RTP and RTCP sockets, SRTP when it has keys."""

    def __init__(self, source: int, *, suite: str = "", key: bytes = b"", family: int = 4) -> None:
        self.ssrc = source
        self.sequence = 65530  # wraps soon
        self.suite = suite
        self.key = SrtpKey(suite, key or os.urandom(30)) if suite else None
        self._out = self._session(self.key, Policy.SSRC_ANY_OUTBOUND)
        self._in: Session | None = None
        self.heard_key: SrtpKey | None = None
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

    def set_key(self, key: SrtpKey | None) -> None:
        """Protect with another key from now on."""
        self.key = key
        self._out = self._session(key, Policy.SSRC_ANY_OUTBOUND)

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


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.001)
