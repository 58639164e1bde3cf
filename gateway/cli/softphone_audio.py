"""Owns the audio of the test softphone: a stream that speaks a tone and measures what returns.

PCMU with or without SDES-SRTP (RFC 3550, RFC 4568). Knows nothing of SIP.
"""

import asyncio
import math
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from media.aio.srtp import SrtpReceiver, SrtpSender
from media.errors import SdpError
from media.plane import SrtpKey
from media.sdp.endpoint import OwnOffer
from media.tone import FRAME, decode, level_of, rms, tone

RTP_HEADER = struct.Struct("!BBHII")
PACKET_S = 0.02
PCMU = 0
USERNAME = "sipgw-try"
KEPT_PACKETS = 50  # what is judged: the last second
QUIETEST_DB = -12.0
LEAST_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class AudioReport:
    """What one stream did. Levels in dB relative to what was sent."""

    sent: int
    received: int
    undecipherable: int  # arrived, but failed SRTP authentication
    srtp_suite: str  # empty: plain RTP
    tone_hz: int
    level_db: float | None  # of our tone in what came back; None: nothing came
    share: float  # of the power of what came back that is our tone
    round_trip_ms: float | None

    @property
    def heard(self) -> bool:
        """True when our own tone came back, clearly and not much weaker."""
        if self.level_db is None:
            return False
        return self.level_db > QUIETEST_DB and self.share > LEAST_SHARE


class ToneStream:
    """Offer, accept, start, stop, report: in this order, once."""

    def __init__(
        self,
        host: str,
        octets: Callable[[int], bytes],
        *,
        secure: bool,
        frequency_hz: int = 440,
        break_srtp: bool = False,
    ) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self._octets = octets
        self._break_srtp = break_srtp
        self._frequency_hz = frequency_hz
        self._own = OwnOffer(
            (host, self.port), octets, srtp=secure, payload_types=(PCMU,), username=USERNAME
        )
        self._frames: Iterator[bytes] = tone(frequency_hz)
        self._remote: tuple[str, int] | None = None
        self._suite = ""
        self._sender: SrtpSender | None = None  # both None: plain RTP
        self._receiver: SrtpReceiver | None = None
        self._ssrc = int.from_bytes(octets(4), "big")
        self._timer: asyncio.TimerHandle | None = None
        self._awaited: dict[int, tuple[float, bytes]] = {}  # by timestamp
        self._delays_ms: list[float] = []
        self._heard: deque[bytes] = deque(maxlen=KEPT_PACKETS)
        self._spoken: deque[bytes] = deque(maxlen=KEPT_PACKETS)
        self._sent = self._received = self._undecipherable = 0

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def offer(self) -> bytes:
        """Our SDP: PCMU, with keys when secure."""
        return self._own.body()

    def accept(self, body: bytes) -> None:
        """Take the answer; raises SdpError when it does not fit our offer."""
        end = self._own.accept(body).end
        if end.remote is None:
            raise SdpError("no-media", "the answer has no address")
        self._remote = end.remote
        if end.receive_key is not None:
            self._receiver = SrtpReceiver(end.receive_key)
        if end.send_key is not None:
            self._sender = SrtpSender(self._sending(end.send_key))

    def _sending(self, key: SrtpKey) -> SrtpKey:
        self._suite = key.suite
        if self._break_srtp:  # the far end was told the right one
            return SrtpKey(key.suite, self._octets(len(key.key_salt)))
        return key

    def start(self) -> None:
        """Speak and listen until `stop`."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._socket, self._receive)
        self._tick(loop.time())

    def stop(self) -> None:
        """Fall silent and close; the report stays readable."""
        if self._timer is not None:
            self._timer.cancel()
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _tick(self, due: float) -> None:
        loop = asyncio.get_running_loop()
        self._send(loop.time())
        due += PACKET_S
        self._timer = loop.call_at(due, self._tick, due)

    def _send(self, now: float) -> None:
        assert self._remote is not None
        self._sent += 1
        timestamp = self._sent * FRAME
        frame = next(self._frames)
        self._spoken.append(frame)
        header = RTP_HEADER.pack(0x80, PCMU, self._sent & 0xFFFF, timestamp, self._ssrc)
        self._awaited[timestamp] = (now, frame)
        packet = header + frame
        wire = packet if self._sender is None else self._sender.rtp(packet)
        # A packet the kernel does not take is a lost packet: RTP lives with those.
        with suppress(BlockingIOError, ConnectionRefusedError):
            self._socket.sendto(wire or b"", self._remote)

    def _receive(self) -> None:
        now = asyncio.get_running_loop().time()
        while True:
            try:
                packet = self._socket.recv(2048)
            except (BlockingIOError, ConnectionRefusedError):
                return
            self._take(packet, now)

    def _take(self, packet: bytes, now: float) -> None:
        if len(packet) < RTP_HEADER.size or packet[0] >> 6 != 2 or 192 <= packet[1] <= 223:
            return  # not RTP, or RTCP (RFC 5761 §4)
        plain = packet if self._receiver is None else self._receiver.rtp(packet)
        if plain is None:
            self._undecipherable += 1
            return
        self._received += 1
        _, kind, _, timestamp, _ = RTP_HEADER.unpack_from(plain)
        payload = plain[RTP_HEADER.size :]
        if kind & 0x7F == PCMU:
            self._heard.append(payload)
        # The far end may have put its own SSRC there: a packet is known by timestamp and payload.
        sent_at, frame = self._awaited.pop(timestamp, (0.0, b""))
        if frame and frame == payload:
            self._delays_ms.append((now - sent_at) * 1000)

    def report(self) -> AudioReport:
        level_db, share = self._judge()
        delays = sorted(self._delays_ms)
        return AudioReport(
            sent=self._sent,
            received=self._received,
            undecipherable=self._undecipherable,
            srtp_suite=self._suite,
            tone_hz=self._frequency_hz,
            level_db=level_db,
            share=share,
            round_trip_ms=delays[len(delays) // 2] if delays else None,
        )

    def _judge(self) -> tuple[float | None, float]:
        """Level of our tone relative to what we sent, and its share of what came back."""
        heard = decode(b"".join(self._heard), PCMU)
        share = level_of(self._frequency_hz, heard)
        returned = rms(heard) * math.sqrt(share)
        reference = rms(decode(b"".join(self._spoken), PCMU))
        if not returned or not reference:
            return None, 0.0
        return 20 * math.log10(returned / reference), share
