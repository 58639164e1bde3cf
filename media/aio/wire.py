"""Owns the sockets of one leg and every packet that passes them (RFC 3550, RFC 3711, RFC 5761).

A `Wire` reads its RTP and RTCP sockets until they are empty, checks, latches, unprotects and hands
over to the wire of the other side, which protects and sends. Ports and sessions are the relay's.
"""

import socket
from asyncio import AbstractEventLoop
from collections.abc import Callable

from media.aio.srtp import SrtpReceiver, SrtpSender
from media.plane import Address, StreamEnd
from media.rtcp import is_rtcp
from media.rtp import is_rtp, sequence, ssrc, with_ssrc
from media.session import Leg

BATCH = 64  # packets per wake-up: no socket may starve the others
MAX_DATAGRAM = 2048
_ECHO_SSRC = 0x5A5A5A5A


class Wire:
    """Both sockets of one leg. `other` is where packets go on: itself for an echo."""

    __slots__ = (
        "_clock",
        "_loop",
        "_receiver",
        "_rtcp",
        "_rtp",
        "_sender",
        "_trim",
        "leg",
        "other",
        "port",
    )

    def __init__(
        self,
        loop: AbstractEventLoop,
        clock: Callable[[], float],
        leg: Leg,
        sockets: tuple[socket.socket, socket.socket],
        port: int,
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._rtp, self._rtcp = sockets
        self._trim = self._rtp.family == socket.AF_INET6
        self._receiver: SrtpReceiver | None = None
        self._sender: SrtpSender | None = None
        self.leg = leg
        self.other = self
        self.port = port
        loop.add_reader(self._rtp, self._drain, self._rtp, self._take_rtp)
        loop.add_reader(self._rtcp, self._drain, self._rtcp, self._take_rtcp)

    def describe(self, end: StreamEnd, now: float) -> None:
        """Take over a description. A key that did not change keeps its context (R93, pain 9)."""
        before = self.leg.end
        if end.receive_key != before.receive_key:
            key = end.receive_key
            self._receiver = SrtpReceiver(key) if key is not None else None
        if end.send_key != before.send_key:
            key = end.send_key
            self._sender = SrtpSender(key) if key is not None else None
        self.leg.describe(end, now)

    def close(self) -> None:
        for each in (self._rtp, self._rtcp):
            self._loop.remove_reader(each)
            each.close()

    def _drain(self, source: socket.socket, take: Callable[[bytes, Address, float], None]) -> None:
        now = self._clock()
        receive = source.recvfrom
        for _ in range(BATCH):
            try:
                data, sender = receive(MAX_DATAGRAM)
            except OSError:
                # Empty, or an ICMP error: either way the next wake-up tells more.
                return
            if len(data) == MAX_DATAGRAM:
                # The kernel cut it: no packet of ours is that long.
                self.leg.dropped_malformed += 1
                continue
            take(data, sender[:2] if self._trim else sender, now)

    def _take_rtp(self, data: bytes, source: Address, now: float) -> None:
        leg = self.leg
        end = leg.end
        if not leg.active:
            leg.dropped_source += 1
            return
        if end.opaque:
            self._take_opaque(data, source, now)
            return
        # RFC 5761 §4; first, because an empty report is shorter than an RTP header.
        if end.rtcp_mux and is_rtcp(data):
            self._take_rtcp(data, source, now)
            return
        if not is_rtp(data):
            leg.dropped_malformed += 1
            return
        latch = leg.latch
        known = source == latch.locked
        if not known and not latch.admits(source, now):
            leg.dropped_source += 1
            return
        receiver = self._receiver
        if receiver is not None:
            plain = receiver.rtp(data)
            if plain is None:
                leg.dropped_auth += 1
                return
            data = plain
        if known:
            latch.heard_at = now
        elif not latch.believe(
            source, now, trusted=receiver is not None, ssrc=ssrc(data), sequence=sequence(data)
        ):
            leg.dropped_source += 1
            return
        leg.received += 1
        leg.octets_received += len(data)
        other = self.other
        if other is self:
            # RFC 3550 §8.2: packets under its own SSRC would look like a loop to the peer.
            data = with_ssrc(data, ssrc(data) ^ _ECHO_SSRC)
        other.send_rtp(data)

    def _take_opaque(self, data: bytes, source: Address, now: float) -> None:
        leg = self.leg
        latch = leg.latch
        if source == latch.locked:
            latch.heard_at = now
        elif not latch.admits(source, now) or not latch.believe(source, now):
            leg.dropped_source += 1
            return
        leg.received += 1
        leg.octets_received += len(data)
        self.other.send_rtp(data)

    def _take_rtcp(self, data: bytes, source: Address, now: float) -> None:
        leg = self.leg
        if not leg.active:
            leg.dropped_source += 1
            return
        if leg.end.opaque or not is_rtcp(data):
            leg.dropped_malformed += 1
            return
        rtp_source = leg.latch.locked
        muxed = leg.end.rtcp_mux and source == rtp_source
        latch = leg.rtcp_latch
        known = muxed or source == latch.locked
        if not known and not latch.admits(source, now):
            leg.dropped_source += 1
            return
        if self._receiver is not None:
            plain = self._receiver.rtcp(data)
            if plain is None:
                leg.dropped_auth += 1
                return
            data = plain
        if known:
            latch.heard_at = now
        else:
            trusted = self._receiver is not None or (
                rtp_source is not None and rtp_source[0] == source[0]
            )
            if not latch.believe(source, now, trusted=trusted):
                leg.dropped_source += 1
                return
        if self.other is not self:
            self.other.send_rtcp(data)

    def send_rtp(self, data: bytes) -> None:
        leg = self.leg
        target = leg.latch.destination
        if target is None or not leg.active:
            return
        if self._sender is not None:
            protected = self._sender.rtp(data)
            if protected is None:
                return
            data = protected
        try:
            self._rtp.sendto(data, target)
        except OSError:
            # A full buffer or an unreachable network loses a packet, as networks do.
            return
        leg.sent += 1

    def send_rtcp(self, data: bytes) -> None:
        leg = self.leg
        if not leg.active or leg.end.opaque:
            return
        mux = leg.end.rtcp_mux
        target = leg.latch.destination if mux else leg.rtcp_latch.destination
        if target is None:
            return
        if self._sender is not None:
            protected = self._sender.rtcp(data)
            if protected is None:
                return
            data = protected
        try:
            (self._rtp if mux else self._rtcp).sendto(data, target)
        except OSError:
            return
