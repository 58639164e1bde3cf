"""Test audio: G.711, tones, and finding them again (ITU-T G.711)."""

import math
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.tone import (
    FRAME,
    decode,
    dominant,
    encode,
    level_of,
    rms,
    tone,
    tone_frames,
)


@pytest.mark.parametrize("law", [0, 8])
def test_every_code_survives_decoding_and_encoding(law):
    codes = bytes(range(256))
    again = encode(decode(codes, law), law)
    # PCMU has two codes for zero; they are the same sample.
    assert [a for a, b in zip(codes, again, strict=True) if a != b] == ([0x7F] if law == 0 else [])


def test_known_values_of_both_laws():
    assert decode(bytes([0xFF, 0x00, 0x80]), 0) == [0, -32124, 32124]
    assert decode(bytes([0xD5, 0x55, 0xAA, 0x2A]), 8) == [8, -8, 32256, -32256]
    assert encode([0, 32767, -32768], 0) == bytes([0xFF, 0x80, 0x00])
    assert encode([0, 32767, -32768], 8) == bytes([0xD5, 0xAA, 0x2A])


@pytest.mark.parametrize("law", [0, 8])
@given(sample=st.integers(-32768, 32767))
@settings(deadline=None)
def test_the_error_of_a_sample_stays_within_its_segment(law, sample):
    (back,) = decode(encode([sample], law), law)
    assert abs(back - sample) <= max(abs(sample) / 16, 16) + 4


def test_a_tone_has_twenty_milliseconds_a_frame_and_no_seams():
    frames = tone_frames(440, 0.2)
    assert [len(each) for each in frames] == [FRAME] * 10
    samples = decode(b"".join(frames))
    steps = [abs(b - a) for a, b in pairwise(samples)]
    assert max(steps) < 32767 * 0.5 * 2 * math.pi * 440 / 8000 * 1.2


@pytest.mark.parametrize("law", [0, 8])
def test_a_tone_is_recognised(law):
    samples = decode(b"".join(tone_frames(1000, 0.5, payload_type=law)), law)
    assert level_of(1000, samples) > 0.9
    assert level_of(440, samples) < 0.05
    assert dominant(samples, (440, 1000, 1633)) == 1000


def test_a_tone_with_gaps_lost_frames_and_silence_is_still_recognised():
    frames = [each for at, each in enumerate(islice(tone(697), 50)) if at % 3]
    samples = decode(b"".join(frames) + b"\xff" * 4000)
    assert dominant(samples, (440, 697, 1000)) == 697


def test_silence_and_noise_have_no_dominant_frequency():
    assert dominant([0] * 800, (440, 1000)) is None
    noise = [((each * 7919) % 20011) - 10005 for each in range(8000)]
    assert dominant(noise, (440, 1000)) is None
    assert dominant([], (440,)) is None
    assert dominant([1] * 160, ()) is None


def test_rms_is_the_level_of_a_sine():
    assert rms([]) == 0
    samples = decode(b"".join(tone_frames(1000, 0.2)))
    assert rms(samples) == pytest.approx(32767 * 0.5 / math.sqrt(2), rel=0.02)
