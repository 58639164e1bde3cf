"""Owns test audio: G.711 both laws (ITU-T G.711), tone frames and the detection of a tone.

For soft phone, simulator and call test; the relay never decodes audio. Samples are 16-bit integers
at 8000 Hz, a frame is 20 ms.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

RATE_HZ = 8000
FRAME = 160  # samples, and octets of G.711

_BIAS = 0x84
_CLIP = 32635


def _ulaw_to_linear(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS) << ((code & 0x70) >> 4)
    return _BIAS - magnitude if code & 0x80 else magnitude - _BIAS


def _linear_to_ulaw(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(sign | exponent << 4 | mantissa) & 0xFF


def _alaw_to_linear(code: int) -> int:
    code ^= 0x55
    magnitude = (code & 0x0F) << 4
    segment = (code & 0x70) >> 4
    magnitude += 8 if segment == 0 else 0x108
    if segment > 1:
        magnitude <<= segment - 1
    return magnitude if code & 0x80 else -magnitude


def _linear_to_alaw(sample: int) -> int:
    # G.711 §3: 13-bit magnitude; negative values are one's complement.
    value = sample >> 3
    mask = 0xD5
    if value < 0:
        mask, value = 0x55, ~value
    segment = max(value.bit_length() - 5, 0)
    if segment == 0:
        return (value >> 1) ^ mask
    if segment > 7:
        return 0x7F ^ mask
    return (segment << 4 | (value >> segment) & 0x0F) ^ mask


_FROM_ULAW = tuple(map(_ulaw_to_linear, range(256)))
_FROM_ALAW = tuple(map(_alaw_to_linear, range(256)))
# One octet for every 16-bit sample, by its value modulo 65536.
_TO_ULAW = bytes(_linear_to_ulaw(each - 65536 if each > 32767 else each) for each in range(65536))
_TO_ALAW = bytes(_linear_to_alaw(each - 65536 if each > 32767 else each) for each in range(65536))


def decode(payload: bytes, payload_type: int = 0) -> list[int]:
    """G.711 octets to samples; payload type 0 is PCMU, 8 is PCMA (RFC 3551)."""
    table = _FROM_ALAW if payload_type == 8 else _FROM_ULAW
    return [table[each] for each in payload]


def encode(samples: Iterable[int], payload_type: int = 0) -> bytes:
    """Samples to G.711 octets."""
    table = _TO_ALAW if payload_type == 8 else _TO_ULAW
    return bytes([table[each & 0xFFFF] for each in samples])


def tone(frequency_hz: float, *, amplitude: float = 0.5, payload_type: int = 0) -> Iterator[bytes]:
    """Endless 20 ms frames of a sine, continuous over frame borders."""
    step = 2 * math.pi * frequency_hz / RATE_HZ
    peak = amplitude * 32767
    at = 0
    while True:
        yield encode(
            [round(peak * math.sin(step * (at + each))) for each in range(FRAME)], payload_type
        )
        # Whole periods are dropped from the phase, so that it never loses precision.
        at = (at + FRAME) % RATE_HZ if frequency_hz == int(frequency_hz) else at + FRAME


def tone_frames(frequency_hz: float, duration_s: float, *, payload_type: int = 0) -> list[bytes]:
    """The frames that fill `duration_s`."""
    count = round(duration_s * RATE_HZ / FRAME)
    return list(islice(tone(frequency_hz, payload_type=payload_type), count))


def level_of(frequency_hz: float, samples: Sequence[int]) -> float:
    """How much of the samples' energy is at one frequency, 0..1 (Goertzel).

    Taken over windows of 20 ms whose energies are added, so that gaps and jumps of phase between
    packets do not cancel the tone. Silence has level 0.
    """
    total = float(sum(each * each for each in samples))
    if total == 0.0:
        return 0.0
    coefficient = 2 * math.cos(2 * math.pi * frequency_hz / RATE_HZ)
    found = 0.0
    for start in range(0, len(samples), FRAME):
        window = samples[start : start + FRAME]
        one = two = 0.0
        for each in window:
            one, two = each + coefficient * one - two, one
        power = one * one + two * two - coefficient * one * two
        found += 2 * power / len(window)
    return min(found / total, 1.0)


def dominant(
    samples: Sequence[int], candidates_hz: Iterable[float], *, at_least: float = 0.5
) -> float | None:
    """The candidate frequency that carries most of the energy; None when none carries enough."""
    levels = [(level_of(each, samples), each) for each in candidates_hz]
    level, frequency = max(levels, default=(0.0, 0.0))
    return frequency if level >= at_least else None


def rms(samples: Sequence[int]) -> float:
    """Root mean square of the samples; 0 for none."""
    return math.sqrt(sum(each * each for each in samples) / len(samples)) if samples else 0.0
