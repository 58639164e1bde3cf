"""Owns the text form of SDP (RFC 8866): bytes to `SessionDescription` and back.

Tolerant in what it reads: line ends of both kinds, blank lines, unknown lines and missing optional
ones; everything else is an `SdpError`. It judges no content beyond the m= line.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from media.errors import SdpError
from media.sdp.model import Line, MediaDescription, SessionDescription


@dataclass(frozen=True, slots=True)
class SdpLimits:
    """How much one peer may make us read."""

    octets: int = 16384
    lines: int = 600
    media: int = 8


DEFAULT_LIMITS = SdpLimits()


def parse_sdp(body: bytes, limits: SdpLimits = DEFAULT_LIMITS) -> SessionDescription:
    """Read a body; raises `SdpError` and nothing else."""
    if len(body) > limits.octets:
        raise SdpError("too-large", f"{len(body)} octets")
    lines = _lines(body, limits)
    if not lines:
        raise SdpError("malformed", "empty")
    # RFC 8866 §5.1: there is one version, and it comes first.
    if lines[0].kind != "v" or lines[0].value.strip() != "0":
        raise SdpError("malformed", "does not begin with v=0")
    starts = [at for at, line in enumerate(lines) if line.kind == "m"]
    if len(starts) > limits.media:
        raise SdpError("too-large", f"{len(starts)} m-lines")
    borders = [*starts, len(lines)]
    media = tuple(
        _media(lines[start].value, lines[start + 1 : end]) for start, end in pairwise(borders)
    )
    return SessionDescription(tuple(lines[: borders[0]]), media)


def print_sdp(description: SessionDescription) -> bytes:
    """The body; reading it again gives an equal description."""
    parts = [f"{kind}={value}\r\n" for kind, value in description.lines]
    for each in description.media:
        formats = " ".join(("", *each.formats))
        parts.append(f"m={each.media} {each.port} {each.profile}{formats}\r\n")
        parts += [f"{kind}={value}\r\n" for kind, value in each.lines]
    return "".join(parts).encode("utf-8", "surrogateescape")


def _lines(body: bytes, limits: SdpLimits) -> list[Line]:
    # surrogateescape: octets that are no UTF-8 come out again as they went in.
    text = body.decode("utf-8", "surrogateescape").replace("\r\n", "\n").removesuffix("\r")
    if "\r" in text or "\0" in text:
        raise SdpError("malformed", "control character in a line")
    rows = [row for row in text.split("\n") if row]
    if len(rows) > limits.lines:
        raise SdpError("too-large", f"more than {limits.lines} lines")
    found: list[Line] = []
    for row in rows:
        line = _line(row) if len(row) <= _LONGEST_KEPT else _read_line(row)
        if line is None:
            raise SdpError("malformed", f"line {len(found) + 1} has no type")
        found.append(line)
    return found


def _read_line(row: str) -> Line | None:
    kind = row[0]
    if row[1:2] != "=" or not (kind.isascii() and kind.isalpha()):
        return None
    return Line(kind, row[2:])


_LONGEST_KEPT = 64
_line = lru_cache(maxsize=1024)(_read_line)  # codecs are written the same way in every call


def _media(value: str, lines: list[Line]) -> MediaDescription:
    parts = value.split()
    if len(parts) < 3:
        raise SdpError("malformed", "m-line with fewer than three fields")
    # RFC 8866 §5.14: port/count offers consecutive ports; we relay the first.
    port = parts[1].partition("/")[0]
    if not (port.isascii() and port.isdigit()) or len(port) > 5 or int(port) > 65535:
        raise SdpError("malformed", "m-line with a bad port")
    return MediaDescription(parts[0], int(port), parts[2], tuple(parts[3:]), tuple(lines))
