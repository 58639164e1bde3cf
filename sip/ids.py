"""Owns `Ids`, what the SIP core asks of entropy: tags, branches, call ids, back-off times."""

from typing import Protocol


class Ids(Protocol):
    """A source of random octets; deterministic in tests."""

    def token(self, octets: int = 8) -> str:
        """Lower-case hexadecimal of `octets` random octets."""
        ...

    def octets(self, count: int) -> bytes: ...
