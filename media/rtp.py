"""Owns the RTP header (RFC 3550 §5.1): looking at a packet without copying or unpacking it.

It keeps no state: who may send and what was lost is for others.
"""

HEADER_OCTETS = 12


def is_rtp(data: bytes) -> bool:
    """True for version 2 with a whole header; good for SRTP too, whose header is in the clear."""
    size = len(data)
    # RFC 3550 §5.1: the low four bits of the first octet count the CSRCs, four octets each.
    return size >= 12 and (data[0] & 0xC0) == 0x80 and size >= 12 + ((data[0] & 15) << 2)


def payload_type(data: bytes) -> int:
    return data[1] & 0x7F


def sequence(data: bytes) -> int:
    return data[2] << 8 | data[3]


def timestamp(data: bytes) -> int:
    return int.from_bytes(data[4:8], "big")


def ssrc(data: bytes) -> int:
    return int.from_bytes(data[8:12], "big")


def with_ssrc(data: bytes, value: int) -> bytes:
    """The same packet from another source."""
    return b"".join((data[:8], value.to_bytes(4, "big"), data[12:]))


def packet(
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    *,
    marker: bool = False,
) -> bytes:
    """A packet without CSRCs and extensions."""
    return b"".join(
        (
            bytes((0x80, payload_type | (0x80 if marker else 0))),
            (sequence & 0xFFFF).to_bytes(2, "big"),
            (timestamp & 0xFFFFFFFF).to_bytes(4, "big"),
            ssrc.to_bytes(4, "big"),
            payload,
        )
    )
