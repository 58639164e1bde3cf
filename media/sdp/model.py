"""Owns the SDP values (RFC 8866): `SessionDescription`, `MediaDescription`, `Codec`, all frozen.

Every line is kept as it was read, in order, so that what we do not know passes through; only the
m= line is taken apart. It knows nothing of offers, answers or keys.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Line(NamedTuple):
    """One `kind=value` line."""

    kind: str
    value: str

    @property
    def attribute(self) -> str:
        """The attribute's name in lower case for an a= line, else empty."""
        return self.value.partition(":")[0].strip().lower() if self.kind == "a" else ""


class MediaDirection(Enum):
    """RFC 3264 §5.1, seen from who wrote the description."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def mirrored(self) -> "MediaDirection":
        """What an answerer that wants everything answers (RFC 3264 §6.1)."""
        match self:
            case MediaDirection.SENDONLY:
                return MediaDirection.RECVONLY
            case MediaDirection.RECVONLY:
                return MediaDirection.SENDONLY
        return self


_DIRECTIONS = {each.value: each for each in MediaDirection}


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type of an RTP m-line."""

    payload_type: int
    name: str  # encoding name as written; empty when a dynamic type has no rtpmap
    clock_rate: int
    channels: int = 1
    fmtp: str = ""


# RFC 3551 §6: payload types that need no rtpmap.
_STATIC = {
    0: ("PCMU", 8000),
    3: ("GSM", 8000),
    4: ("G723", 8000),
    8: ("PCMA", 8000),
    9: ("G722", 8000),
    13: ("CN", 8000),
    15: ("G728", 8000),
    18: ("G729", 8000),
    26: ("JPEG", 90000),
    31: ("H261", 90000),
    34: ("H263", 90000),
}


def first_value(lines: Iterable[Line], kind: str) -> str | None:
    """The value of the first line of `kind`."""
    for each, value in lines:
        if each == kind:
            return value
    return None


def attribute_values(lines: Iterable[Line], name: str) -> list[str]:
    """The values of all a=`name` lines in order; "" for a flag."""
    # RFC 8866 §5: attribute names are case-sensitive.
    size = len(name)
    return [
        value[size + 1 :].strip()
        for kind, value in lines
        if kind == "a" and value.startswith(name) and value[size : size + 1] in ("", ":")
    ]


def direction_of(lines: Iterable[Line]) -> MediaDirection | None:
    """The first direction attribute, or None when there is none."""
    for kind, value in lines:
        if kind == "a" and (found := _DIRECTIONS.get(value.strip().lower())):
            return found
    return None


@dataclass(frozen=True, slots=True)
class MediaDescription:
    """One m-line and the lines below it."""

    media: str  # "audio", "video", "image", "application"
    port: int
    profile: str  # "RTP/AVP", "RTP/SAVP", "udptl"
    formats: tuple[str, ...]
    lines: tuple[Line, ...] = ()

    @property
    def is_rtp(self) -> bool:
        """True when RTP packets flow, in whatever wrapping."""
        return "RTP/" in self.profile.upper()

    def attributes(self, name: str) -> list[str]:
        return attribute_values(self.lines, name)

    def has(self, name: str) -> bool:
        return bool(attribute_values(self.lines, name))

    def codecs(self) -> tuple[Codec, ...]:
        """The payload types with their rtpmap and fmtp; formats that are no numbers are skipped."""
        maps = _by_payload_type(self.attributes("rtpmap"))
        parameters = _by_payload_type(self.attributes("fmtp"))
        found = []
        for text in self.formats:
            if not (text.isascii() and text.isdigit()) or len(text) > 3:
                continue
            payload_type = int(text)
            name, clock_rate, channels = _encoding(maps.get(text, ""), payload_type)
            found.append(Codec(payload_type, name, clock_rate, channels, parameters.get(text, "")))
        return tuple(found)


def _by_payload_type(values: Iterable[str]) -> dict[str, str]:
    split = (value.partition(" ") for value in values)
    return {number: rest.strip() for number, _, rest in split}


def _encoding(rtpmap: str, payload_type: int) -> tuple[str, int, int]:
    if not rtpmap:
        name, clock_rate = _STATIC.get(payload_type, ("", 0))
        return name, clock_rate, 1
    name, _, rest = rtpmap.partition("/")
    rate, _, channels = rest.partition("/")
    return name, _number(rate, 0), _number(channels, 1)


def _number(text: str, default: int) -> int:
    usable = text.isascii() and text.isdigit() and len(text) <= 9
    return int(text) if usable else default


@dataclass(frozen=True, slots=True)
class SessionDescription:
    """A whole SDP: session-level lines (v= and o= among them), then the m-lines."""

    lines: tuple[Line, ...]
    media: tuple[MediaDescription, ...] = ()

    def connection(self, index: int) -> str | None:
        """The address of m-line `index` as written (c= of the media, else of the session)."""
        value = first_value(self.media[index].lines, "c") or first_value(self.lines, "c")
        if value is None:
            return None
        parts = value.split()
        # RFC 8866 §5.7: nettype, addrtype, address; a TTL may follow the address.
        return parts[2].partition("/")[0] if len(parts) >= 3 else None

    def direction(self, index: int) -> MediaDirection:
        """The direction of m-line `index`, the session's as default, else sendrecv."""
        found = direction_of(self.media[index].lines) or direction_of(self.lines)
        return found or MediaDirection.SENDRECV
