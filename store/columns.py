"""Owns how values become columns: UTC times as integer microseconds since 1970, enumerations by
value, text from the wire as text every database takes.

Integers sort, compare and subtract alike in every database, and no time zone can slip in.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    return _EPOCH + us * _MICROSECOND


def optional_us(at: datetime | None) -> int | None:
    return None if at is None else to_us(at)


def duration_us(seconds: float) -> int:
    return round(seconds * 1_000_000)


def storable(text: str) -> str:
    """Text from the wire without what UTF-8 cannot carry: octets kept as surrogates, and NUL."""
    if text.isascii() and "\0" not in text:
        return text
    octets = text.encode("utf-8", "surrogateescape")
    return octets.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


class UtcTime(TypeDecorator[datetime]):
    """A column of microseconds that reads and writes aware UTC times."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return optional_us(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_us(value)
