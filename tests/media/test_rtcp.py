"""RTCP as it passes (RFC 3550 §6, RFC 5761 §4)."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from media.rtcp import ReportBlock, is_rtcp, leaving, report_blocks
from media.rtp import packet

BLOCK = struct.pack("!IIIIII", 7, 128 << 24 | 0xFFFFFF, 1000, 42, 0, 0)
SENDER = struct.pack("!BBHI", 0x81, 200, 12, 5) + bytes(20) + BLOCK
RECEIVER = struct.pack("!BBHI", 0x81, 201, 7, 6) + BLOCK
GOODBYE = struct.pack("!BBHII", 0x82, 203, 2, 5, 6)


def test_report_blocks_of_a_compound_are_read():
    block = ReportBlock(5, 7, 0.5, -1, 42)
    assert report_blocks(SENDER + RECEIVER) == (block, ReportBlock(6, 7, 0.5, -1, 42))


def test_a_goodbye_names_its_sources():
    assert leaving(RECEIVER + GOODBYE) == (5, 6)


def test_a_truncated_compound_is_read_up_to_the_break():
    assert len(report_blocks(SENDER + RECEIVER[:-1])) == 1
    assert report_blocks(struct.pack("!BBHI", 0x9F, 201, 1, 6)) == ()


def test_rtcp_is_told_from_rtp_by_its_type():
    assert is_rtcp(RECEIVER)
    assert is_rtcp(GOODBYE)
    assert not is_rtcp(packet(0, 1, 1, 1, b"x", marker=True))
    assert not is_rtcp(packet(101, 1, 1, 1, b"x", marker=True))
    assert not is_rtcp(RECEIVER[:7])


@given(st.binary(max_size=100))
def test_no_octets_raise(data):
    is_rtcp(data)
    report_blocks(data)
    leaving(data)
