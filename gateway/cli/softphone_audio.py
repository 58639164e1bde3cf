"""Owns the audio of the test softphone: one RTP stream that speaks a tone and measures what returns.

PCMU with or without SDES-SRTP (RFC 3550, RFC 4568). Knows nothing of SIP.
"""

import asyncio
import math
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

from media.errors import SdpError
from media.plane import SrtpKey
from media.sdp.crypto import SHA1_32, SHA1_80, SUITES, CryptoAttribute, choose, read_all
from media.sdp.parser import parse_sdp
from media.tone import decode_pcmu, level_of, tone

RTP_HEADER = struct.Struct("!BBHII")
PACKET_S = 0.02
SAMPLES_PER_PACKET = 160
PCMU = 0
KEPT_PACKETS = 50  # what is judged: the last second
PROFILES = {
    SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    SHA1_32: Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}


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
        return self.level_db is not None and self.level_db > -12.0 and self.share > 0.5


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
        self._host = host
        self._octets = octets
        self._break_srtp = break_srtp
        self._frequency_hz = frequency_hz
        self._own_keys = (
            {suite: CryptoAttribute(tag, SrtpKey(suite, octets(SUITES[suite])))
             for tag, suite in enumerate(SUITES, 1)}
            if secure else {}
        )  # fmt: skip
        self._frames: Iterator[bytes] = tone(frequency_hz)
        self._remote: tuple[str, int] | None = None
        self._suite = ""
        self._protect: Session | None = None
        self._unprotect: Session | None = None
        self._ssrc = int.from_bytes(octets(4), "big")
        self._sequence = int.from_bytes(octets(2), "big") & 0x7FFF
        self._timer: asyncio.TimerHandle | None = None
        self._sent_at: dict[int, float] = {}
        self._delays_ms: list[float] = []
        self._heard: deque[bytes] = deque(maxlen=KEPT_PACKETS)
        self._spoken: deque[bytes] = deque(maxlen=KEPT_PACKETS)
        self._counts = {"sent": 0, "received": 0, "undecipherable": 0}

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def offer(self) -> bytes:
        """Our SDP: PCMU, and a key per suite when secure."""
        version = "IP6" if ":" in self._host else "IP4"
        profile = "RTP/SAVP" if self._own_keys else "RTP/AVP"
        lines = [
            "v=0", f"o=sipgw-try 1 1 IN {version} {self._host}", "s=-",
            f"c=IN {version} {self._host}", "t=0 0",
            f"m=audio {self.port} {profile} {PCMU}", "a=rtpmap:0 PCMU/8000", "a=ptime:20",
            *(f"a=crypto:{attribute}" for attribute in self._own_keys.values()),
            "a=sendrecv", "",
        ]  # fmt: skip
        return "\r\n".join(lines).encode()

    def accept(self, body: bytes) -> None:
        """Take the answer; raises SdpError when it does not fit our offer."""
        description = parse_sdp(body)
        if not description.media or not description.media[0].port:
            raise SdpError("refused", "the audio stream was refused")
        media = description.media[0]
        host = description.connection(0)
        if host is None:
            raise SdpError("malformed", "no connection address")
        if str(PCMU) not in media.formats:
            raise SdpError("no-codec", "PCMU was not accepted")
        self._remote = (host, media.port)
        if self._own_keys:
            theirs = choose(read_all(media.attributes("crypto")))
            if theirs is None:
                raise SdpError("srtp-required", "SRTP was offered and not accepted")
            self._secure(theirs.key)

    def _secure(self, theirs: SrtpKey) -> None:
        self._suite = theirs.suite
        ours = self._own_keys[theirs.suite].key.key_salt
        if self._break_srtp:
            ours = self._octets(len(ours))  # the far end was told another one
        profile = PROFILES[theirs.suite]
        self._protect = Session(Policy(ours, Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        self._unprotect = Session(
            Policy(theirs.key_salt, Policy.SSRC_ANY_INBOUND, srtp_profile=profile)
        )

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
        self._sequence = (self._sequence + 1) & 0xFFFF
        count = self._counts["sent"] = self._counts["sent"] + 1
        timestamp = count * SAMPLES_PER_PACKET
        frame = next(self._frames)
        self._spoken.append(frame)
        packet = RTP_HEADER.pack(0x80, PCMU, self._sequence, timestamp, self._ssrc) + frame
        if self._protect is not None:
            packet = self._protect.protect(packet)
        self._sent_at[timestamp] = now
        try:
            self._socket.sendto(packet, self._remote)
        except (BlockingIOError, ConnectionRefusedError):
            pass  # a lost packet: RTP lives with those

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
        if self._unprotect is not None:
            try:
                packet = self._unprotect.unprotect(packet)
            except SrtpError:
                self._counts["undecipherable"] += 1
                return
        self._counts["received"] += 1
        _, kind, _, timestamp, ssrc = RTP_HEADER.unpack_from(packet)
        if kind & 0x7F == PCMU:
            self._heard.append(packet[RTP_HEADER.size :])
        sent_at = self._sent_at.pop(timestamp, None) if ssrc == self._ssrc else None
        if sent_at is not None:
            self._delays_ms.append((now - sent_at) * 1000)

    def report(self) -> AudioReport:
        level_db, share = self._judge()
        delays = sorted(self._delays_ms)
        return AudioReport(
            sent=self._counts["sent"],
            received=self._counts["received"],
            undecipherable=self._counts["undecipherable"],
            srtp_suite=self._suite,
            tone_hz=self._frequency_hz,
            level_db=level_db,
            share=share,
            round_trip_ms=delays[len(delays) // 2] if delays else None,
        )

    def _judge(self) -> tuple[float | None, float]:
        """Level of our tone relative to what we sent, and its share of what came back."""
        if not self._heard:
            return None, 0.0
        heard = decode_pcmu(b"".join(self._heard))
        spoken = decode_pcmu(b"".join(self._spoken))
        returned = level_of(self._frequency_hz, heard)
        reference = level_of(self._frequency_hz, spoken)
        loudness = math.sqrt(sum(sample * sample for sample in heard) / len(heard))
        if not returned or not reference or not loudness:
            return None, 0.0
        return 20 * math.log10(returned / reference), min(1.0, (returned / loudness) ** 2)
