"""Owns `PythonRelay`, the reference `MediaPlane`: sessions, ports and the silence timer (R88, R93).

What runs where the native engine was not built. The packets themselves are `wire`'s, the rules
`session`'s and `latch`'s.
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass

from media.aio.srtp import SUITES
from media.aio.wire import Wire
from media.errors import MediaError
from media.plane import (
    Address,
    Capabilities,
    MediaEvents,
    MediaFailed,
    MediaOpened,
    MediaReport,
    Side,
    StreamEnd,
)
from media.ports import PortPool
from media.session import Leg, MediaSession

_BIND_TRIES = 16


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where the relay listens. `bind` and `advertise` are address literals by IP version (4, 6)."""

    bind: dict[int, str]
    advertise: dict[int, str]
    port_low: int = 20000
    port_high: int = 29999
    cool_down_s: float = 4.0
    silence_s: float = 30.0
    dscp: int = 46  # RFC 4594 §4.1: telephony is expedited


class _NoPorts(MediaError):
    """The reason is the text."""


class _Session:
    """The core's session and the wires that serve it."""

    __slots__ = ("core", "wires")

    def __init__(self, core: MediaSession) -> None:
        self.core = core
        self.wires: dict[Side, list[tuple[int, Wire]]] = {Side.A: [], Side.B: []}


class PythonRelay:
    """The Python engine: drained sockets on the event loop, SRTP by libsrtp.

    `clock` gives monotonic seconds, `octets(n)` random octets; `events` may be set later. `open`
    needs the running loop; `aclose` belongs to the end of the process.
    """

    capabilities = Capabilities(SUITES, echo=True, opaque=True)

    def __init__(
        self,
        settings: RelaySettings,
        *,
        clock: Callable[[], float],
        octets: Callable[[int], bytes],
        events: MediaEvents | None = None,
    ) -> None:
        self.events = events
        self._settings = settings
        self._clock = clock
        self._sessions: dict[str, _Session] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._pools = {
            family: PortPool(settings.port_low, settings.port_high, octets, settings.cool_down_s)
            for family in settings.bind
        }

    def open(
        self,
        session_id: str,
        streams: int,
        done: Callable[[MediaOpened | MediaFailed], None],
        *,
        echo: bool = False,
        families: tuple[int, int] = (4, 4),
    ) -> None:
        """Take ports for `streams` streams on both sides (side A only for `echo`)."""
        assert session_id not in self._sessions, f"media session {session_id} is open"
        session = _Session(MediaSession(session_id, streams, echo=echo))
        try:
            for side, family in zip((Side.A, Side.B), families, strict=True):
                for leg in session.core.legs(side):
                    session.wires[side].append((family, self._wire(leg, family)))
        except _NoPorts as problem:
            self._release(session)
            done(MediaFailed(str(problem)))
            return
        for (_, one), (_, two) in zip(session.wires[Side.A], session.wires[Side.B], strict=False):
            one.other, two.other = two, one
        self._sessions[session_id] = session
        self._watch()
        done(MediaOpened(self._addresses(session, Side.A), self._addresses(session, Side.B)))

    def update(self, session_id: str, side: Side, ends: tuple[StreamEnd, ...]) -> None:
        """Tell or change what `side` looks like. Unchanged keys keep their SRTP state."""
        wires = self._session(session_id).wires[side]
        assert len(ends) == len(wires), f"{len(ends)} ends for {len(wires)} streams"
        now = self._clock()
        for (_, wire), end in zip(wires, ends, strict=True):
            wire.describe(end, now)

    def report(self, session_id: str) -> MediaReport:
        return self._session(session_id).core.report()

    def close(self, session_id: str, done: Callable[[MediaReport], None]) -> None:
        """Release the ports (after a cool-down) and give the last counters."""
        session = self._session(session_id)
        del self._sessions[session_id]
        self._release(session)
        done(session.core.report())

    def tick(self) -> None:
        """Report the sides that fell silent; the relay calls it by itself."""
        now = self._clock()
        for session in list(self._sessions.values()):
            for side, silent_s in session.core.fallen_silent(now, self._settings.silence_s):
                # The first side's report may already have closed the session.
                if self.events is not None and session.core.session_id in self._sessions:
                    self.events.silent(session.core.session_id, side, silent_s)

    async def aclose(self) -> None:
        """Close every socket; sessions that are still open are gone without a word."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for session in self._sessions.values():
            self._release(session)
        self._sessions.clear()

    def _session(self, session_id: str) -> _Session:
        found = self._sessions.get(session_id)
        if found is None:
            raise MediaError(f"no media session {session_id}")
        return found

    def _watch(self) -> None:
        if self._timer is None:
            step_s = min(1.0, self._settings.silence_s / 4)
            self._timer = asyncio.get_running_loop().call_later(step_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.tick()
        if self._sessions:
            self._watch()

    def _wire(self, leg: Leg, family: int) -> Wire:
        pool = self._pools.get(family)
        if pool is None:
            raise _NoPorts(f"no address for IPv{family}")
        for _ in range(_BIND_TRIES):
            now = self._clock()
            port = pool.take(now)
            if port is None:
                raise _NoPorts("media ports are used up")
            try:
                pair = self._bound(family, port)
            except OSError as problem:
                # Somebody else may have the port: it rests, another one is tried.
                pool.release(port, now)
                if problem.errno in (errno.EMFILE, errno.ENFILE):
                    raise _NoPorts("file descriptors are used up") from problem
                continue
            return Wire(asyncio.get_running_loop(), self._clock, leg, pair, port)
        raise _NoPorts("media ports cannot be bound")

    def _bound(self, family: int, port: int) -> tuple[socket.socket, socket.socket]:
        """RTP and RTCP sockets on `port` and `port` + 1; raises OSError and leaves none open."""
        rtp = self._socket(family, port)
        try:
            return rtp, self._socket(family, port + 1)
        except OSError:
            rtp.close()
            raise

    def _socket(self, family: int, port: int) -> socket.socket:
        version = socket.AF_INET6 if family == 6 else socket.AF_INET
        made = socket.socket(version, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            if family == 6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, self._settings.dscp << 2)
            else:
                made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, self._settings.dscp << 2)
            made.bind((self._settings.bind[family], port))
        except OSError:
            made.close()
            raise
        return made

    def _addresses(self, session: _Session, side: Side) -> tuple[Address, ...]:
        advertise = self._settings.advertise
        return tuple((advertise[family], wire.port) for family, wire in session.wires[side])

    def _release(self, session: _Session) -> None:
        now = self._clock()
        for wires in session.wires.values():
            for family, wire in wires:
                wire.close()
                self._pools[family].release(wire.port, now)
