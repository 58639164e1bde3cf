"""Owns the `a=crypto` attribute (RFC 4568): reading it, choosing a suite, writing ours.

It keeps no keys over time (`offer_answer` does) and protects no packet.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from media.plane import SrtpKey

SHA1_80 = "AES_CM_128_HMAC_SHA1_80"
SHA1_32 = "AES_CM_128_HMAC_SHA1_32"

# RFC 4568 §6.2: master key and salt of both suites are 128 + 112 bits. In order of preference.
SUITES: dict[str, int] = {SHA1_80: 30, SHA1_32: 30}


@dataclass(frozen=True, slots=True)
class CryptoAttribute:
    """One a=crypto line that we can honour."""

    tag: int
    key: SrtpKey

    def __str__(self) -> str:
        inline = b64encode(self.key.key_salt).decode("ascii")
        return f"{self.tag} {self.key.suite} inline:{inline}"


def parse_crypto(value: str) -> CryptoAttribute | None:
    """Read one attribute value; None when it is malformed or asks for what we cannot honour."""
    parts = value.split()
    if len(parts) < 3 or not all(map(_acceptable_parameter, parts[3:])):
        return None
    tag, suite, inline = parts[0], parts[1].upper(), parts[2]
    # RFC 4568 §9.1: a tag has up to nine digits.
    if not (tag.isascii() and tag.isdigit()) or len(tag) > 9 or suite not in SUITES:
        return None
    # Several keys (";") need an MKI to tell them apart.
    if inline[:7].lower() != "inline:" or ";" in inline:
        return None
    fields = inline[7:].split("|")
    # RFC 4568 §6.1: "lifetime" alone is harmless, "MKI:length" would lengthen every packet.
    if len(fields) > 2 or any(":" in field for field in fields[1:]):
        return None
    try:
        key_salt = b64decode(fields[0] + "=" * (-len(fields[0]) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(key_salt) != SUITES[suite]:
        return None
    return CryptoAttribute(int(tag), SrtpKey(suite, key_salt))


def _acceptable_parameter(parameter: str) -> bool:
    """Session parameters that change nothing for us (RFC 4568 §6.3)."""
    # §6.3.7: WSH is a hint. §6.3: "-" marks what may be ignored.
    upper = parameter.upper()
    return upper.startswith(("-", "WSH=")) or upper == "KDR=0"


def read_all(values: Iterable[str]) -> tuple[CryptoAttribute, ...]:
    """All lines we can honour, in the peer's order."""
    return tuple(found for value in values if (found := parse_crypto(value)) is not None)


def choose(offered: Iterable[CryptoAttribute]) -> CryptoAttribute | None:
    """The line to accept: the strongest suite, then the peer's first."""
    lines = list(offered)
    for suite in SUITES:
        for line in lines:
            if line.key.suite == suite:
                return line
    return None
