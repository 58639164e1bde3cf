"""The tone stream against the media plane's own echo, over real sockets on loopback."""

import asyncio
import secrets
import time

import pytest

from gateway.cli.softphone_audio import AudioReport, ToneStream
from media.aio.relay import PythonRelay, RelaySettings
from media.errors import SdpError
from media.plane import MediaFailed, MediaOpened, Side
from media.sdp.offer_answer import RelayNegotiation, SidePolicy
from tests.support.gateway_process import media_ports

ANY = SidePolicy("optional", False)


def echo_answer(relay: PythonRelay, offer: bytes) -> bytes:
    """Open an echo for this offer; the answer."""
    negotiation = RelayNegotiation(ANY, ANY, secrets.token_bytes, session_name="-", username="echo")
    opened: list[MediaOpened | MediaFailed] = []
    relay.open("echo", negotiation.receive_offer(Side.A, offer), opened.append, echo=True)
    assert isinstance(opened[0], MediaOpened)
    negotiation.set_local(opened[0])
    body = negotiation.answer_self(Side.A)
    relay.update("echo", Side.A, negotiation.ends(Side.A))
    return body


async def spoken(stream: ToneStream, *, seconds: float = 0.5) -> AudioReport:
    """Talk to an echo for a while."""
    first, last = media_ports()
    settings = RelaySettings(
        bind={4: "127.0.0.1"}, advertise={4: "127.0.0.1"}, port_low=first, port_high=last
    )
    relay = PythonRelay(settings, clock=time.monotonic, octets=secrets.token_bytes)
    try:
        stream.accept(echo_answer(relay, stream.offer()))
        stream.start()
        await asyncio.sleep(seconds)  # audio is time: this is the length of the recording
        stream.stop()
    finally:
        await relay.aclose()
    return stream.report()


@pytest.mark.parametrize("secure", [False, True])
async def test_an_echo_is_heard_at_its_own_level(secure: bool) -> None:
    """R121: our tone comes back; the report says how loud, how protected and how late."""
    report = await spoken(ToneStream("127.0.0.1", secrets.token_bytes, secure=secure))
    assert report.heard
    assert report.level_db == pytest.approx(0.0, abs=0.5)
    assert report.share > 0.95
    assert report.received >= report.sent - 3
    assert report.srtp_suite == ("AES_CM_128_HMAC_SHA1_80" if secure else "")
    assert report.round_trip_ms is not None
    assert 0 <= report.round_trip_ms < 200


async def test_a_broken_key_silences_the_echo() -> None:
    """R88: what fails authentication is not echoed, so a wrong key cannot pass unnoticed."""
    stream = ToneStream("127.0.0.1", secrets.token_bytes, secure=True, break_srtp=True)
    report = await spoken(stream)
    assert report.sent > 10
    assert report.received == 0
    assert not report.heard
    assert report.level_db is None


def test_a_refused_stream_is_an_error() -> None:
    stream = ToneStream("127.0.0.1", secrets.token_bytes, secure=True)
    stream.offer()
    body = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    with pytest.raises(SdpError):
        stream.accept(body + b"m=audio 0 RTP/SAVP 0\r\n")
    stream.stop()


def test_an_answer_without_a_key_is_an_error() -> None:
    """R88: SRTP was offered, RTP is no answer."""
    stream = ToneStream("127.0.0.1", secrets.token_bytes, secure=True)
    stream.offer()
    body = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    with pytest.raises(SdpError):
        stream.accept(body + b"m=audio 40000 RTP/AVP 0\r\n")
    stream.stop()


def test_another_tone_is_not_ours() -> None:
    """Only our own frequency counts as heard, however loud the rest is."""
    report = AudioReport(50, 50, 0, "", 440, level_db=-20.0, share=0.01, round_trip_ms=1.0)
    assert not report.heard
    assert not AudioReport(50, 50, 0, "", 440, -1.0, 0.3, None).heard
    assert AudioReport(50, 50, 0, "", 440, -1.0, 0.9, None).heard
