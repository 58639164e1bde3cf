"""Owns RTCP as it passes (RFC 3550 §6): telling it from RTP, and reading reports and BYE.

It writes no reports: a relay lets the peers' own ones through.
"""

from dataclasses import dataclass

SENDER_REPORT = 200
RECEIVER_REPORT = 201
BYE = 203


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What one receiver says about one source."""

    reporter: int
    source: int
    fraction_lost: float  # since the last report, 0..1
    lost: int  # in all; negative when duplicates outnumber losses
    jitter: int  # in timestamp units


def is_rtcp(data: bytes) -> bool:
    """True when `data` looks like RTCP or SRTCP, muxed with RTP or not."""
    # RFC 5761 §4: types 192-223 are RTP payload types 64-95 with the marker set, which nobody uses.
    return len(data) >= 8 and (data[0] & 0xC0) == 0x80 and 192 <= data[1] <= 223


def report_blocks(data: bytes) -> tuple[ReportBlock, ...]:
    """The report blocks of a plain compound packet; what is malformed ends the reading."""
    found: list[ReportBlock] = []
    for kind, count, body in _packets(data):
        first = {SENDER_REPORT: 24, RECEIVER_REPORT: 4}.get(kind)
        if first is None or len(body) < first + 24 * count:
            continue
        reporter = int.from_bytes(body[:4], "big")
        for at in range(first, first + 24 * count, 24):
            found.append(
                ReportBlock(
                    reporter,
                    int.from_bytes(body[at : at + 4], "big"),
                    body[at + 4] / 256,
                    int.from_bytes(body[at + 5 : at + 8], "big", signed=True),
                    int.from_bytes(body[at + 12 : at + 16], "big"),
                )
            )
    return tuple(found)


def leaving(data: bytes) -> tuple[int, ...]:
    """The sources that a compound packet says goodbye for (RFC 3550 §6.6)."""
    return tuple(
        int.from_bytes(body[at : at + 4], "big")
        for kind, count, body in _packets(data)
        if kind == BYE and len(body) >= 4 * count
        for at in range(0, 4 * count, 4)
    )


def _packets(data: bytes) -> list[tuple[int, int, bytes]]:
    """(packet type, count, what follows the first word) of each packet of a compound."""
    found = []
    at = 0
    while at + 4 <= len(data) and (data[at] & 0xC0) == 0x80:
        size = 4 * (int.from_bytes(data[at + 2 : at + 4], "big") + 1)
        if at + size > len(data):
            break
        found.append((data[at + 1], data[at] & 31, data[at + 4 : at + size]))
        at += size
    return found
