"""Owns the numbers: CSeq (RFC 3261 §20.16), RAck (RFC 3262 §7.2), Max-Forwards, seconds."""

from functools import lru_cache
from typing import Final, NamedTuple

from sip.errors import RemoteProtocolError
from sip.grammar import TOKEN, digits

MAX_SEQUENCE: Final = 2**31 - 1  # RFC 3261 §8.1.1.5
MAX_DELTA_SECONDS: Final = 2**32 - 1  # RFC 3261 §20.19


class CSeq(NamedTuple):
    number: int
    method: str

    @staticmethod
    def parse(text: str) -> "CSeq":
        return _parse_cached(text) if len(text) <= _CACHED_LENGTH else _parse(text)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def _parse(text: str) -> CSeq:
    words = text.split()
    number = digits(words[0]) if len(words) == 2 else None
    if number is None or number > MAX_SEQUENCE or not TOKEN.fullmatch(words[1]):
        raise RemoteProtocolError("malformed CSeq")
    return CSeq(number, words[1])


_CACHED_LENGTH: Final = 32
_parse_cached: Final = lru_cache(maxsize=1024)(_parse)  # low numbers, few methods


class RAck(NamedTuple):
    """Which provisional response a PRACK acknowledges."""

    response_number: int
    number: int
    method: str

    @staticmethod
    def parse(text: str) -> "RAck":
        first, _, rest = text.strip(" \t").partition(" ")
        response_number = digits(first)
        if response_number is None:
            raise RemoteProtocolError("malformed RAck")
        number, method = CSeq.parse(rest)
        return RAck(response_number, number, method)

    def __str__(self) -> str:
        return f"{self.response_number} {self.number} {self.method}"


def parse_max_forwards(text: str) -> int:
    """0..255 (RFC 3261 §20.22)."""
    hops = digits(text)
    if hops is None or hops > 255:
        raise RemoteProtocolError("malformed Max-Forwards")
    return hops


def parse_delta_seconds(text: str) -> int | None:
    """Seconds, capped at 2**32 - 1; None when malformed, which readers treat as absent."""
    if text.isascii() and text.isdigit():
        return int(text) if len(text) <= 9 else min(int(text[:20]), MAX_DELTA_SECONDS)
    return None
