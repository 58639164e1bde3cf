"""The RTP header (RFC 3550 §5.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtp


@given(
    st.integers(0, 127),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=200),
    st.booleans(),
)
def test_what_is_written_is_read(kind, sequence, timestamp, ssrc, payload, marker):
    data = rtp.packet(kind, sequence, timestamp, ssrc, payload, marker=marker)
    assert rtp.is_rtp(data)
    assert rtp.payload_type(data) == kind
    assert rtp.sequence(data) == sequence
    assert rtp.timestamp(data) == timestamp
    assert rtp.ssrc(data) == ssrc
    assert data[rtp.HEADER_OCTETS :] == payload
    changed = rtp.with_ssrc(data, ssrc ^ 1)
    assert rtp.ssrc(changed) == ssrc ^ 1
    assert (changed[:8], changed[12:]) == (data[:8], data[12:])


@pytest.mark.parametrize(
    "data",
    [b"", b"\x80" * 11, b"\x40" + bytes(20), b"\x00" * 20, b"\xc0" + bytes(20)],
)
def test_short_packets_and_other_versions_are_no_rtp(data):
    assert not rtp.is_rtp(data)


def test_the_contributing_sources_must_fit():
    assert rtp.is_rtp(b"\x82" + bytes(19))
    assert not rtp.is_rtp(b"\x82" + bytes(18))
