"""Owns the tones softphones speak with in tests: making them and recognising what was heard.

Independent of `media/tone.py` on purpose: the code under test may not be its own witness.
"""

import math
import struct
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RATE_HZ = 8000
AMPLITUDE = 12000
WINDOW = 400  # samples: 50 ms
CLEAN_RMS = AMPLITUDE / math.sqrt(2)
CANDIDATES_HZ = range(300, 1500, 20)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recording holds: the dominant tone, its share of the power, and the level."""

    frequency_hz: int
    purity: float  # 1.0: nothing but this tone
    rms: float
    seconds: float

    def is_tone(self, frequency_hz: int) -> bool:
        """True when a clear tone at nearly its sent level was heard."""
        near = abs(self.frequency_hz - frequency_hz) <= 20
        return near and self.purity > 0.8 and 0.6 < self.rms / CLEAN_RMS < 1.4

    @property
    def silent(self) -> bool:
        return self.rms < CLEAN_RMS / 50


def sine(frequency_hz: int, seconds: float, amplitude: int = AMPLITUDE) -> list[int]:
    """Linear 16-bit samples at 8 kHz."""
    step = 2 * math.pi * frequency_hz / RATE_HZ
    return [round(amplitude * math.sin(step * i)) for i in range(int(RATE_HZ * seconds))]


def write_tone(path: Path, frequency_hz: int, seconds: float) -> None:
    samples = sine(frequency_hz, seconds)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def read_samples(path: Path) -> list[int]:
    with wave.open(str(path)) as file:
        count = file.getnframes()
        return list(struct.unpack(f"<{count}h", file.readframes(count)))


def power_at(frequency_hz: int, samples: Sequence[int]) -> float:
    """Goertzel: the mean power of one frequency in linear samples.

    Taken over short windows, so that a jitter buffer's jump of phase does not hide a tone.
    """
    coefficient = 2 * math.cos(2 * math.pi * frequency_hz / RATE_HZ)
    found = 0.0
    for start in range(0, len(samples), WINDOW):
        window = samples[start : start + WINDOW]
        first = second = 0.0
        for sample in window:
            first, second = sample + coefficient * first - second, first
        power = first * first + second * second - coefficient * first * second
        found += 2 * power / len(window)
    return found / len(samples)


def heard(samples: Sequence[int], skip_s: float = 0.2) -> Heard:
    """Judge a recording by its last second; `skip_s` leaves out how it started."""
    kept = samples[int(RATE_HZ * skip_s) :]
    window = kept[-RATE_HZ:]
    if len(window) < RATE_HZ // 10:
        return Heard(0, 0.0, 0.0, len(samples) / RATE_HZ)
    mean_square = sum(sample * sample for sample in window) / len(window)
    if mean_square < 1.0:
        return Heard(0, 0.0, math.sqrt(mean_square), len(samples) / RATE_HZ)
    power, frequency_hz = max((power_at(hz, window), hz) for hz in CANDIDATES_HZ)
    return Heard(frequency_hz, power / mean_square, math.sqrt(mean_square), len(samples) / RATE_HZ)
