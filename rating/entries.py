"""Owns the values of double entry (R66): `Posting`, `Entry`, `Hold`; all immutable.

What may be posted is the ledger's.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of an entry: money into the account, or out of it when negative."""

    account: str
    micros: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Money moved once, for good; its postings sum to zero."""

    id: str
    kind: str
    postings: tuple[Posting, ...]
    currency: str
    at: datetime
    ref: str  # the call, or the administrative act

    def __post_init__(self) -> None:
        assert len(self.postings) >= 2, "an entry has two sides"
        assert sum(posting.micros for posting in self.postings) == 0, "an entry sums to zero"


@dataclass(frozen=True, slots=True)
class Hold:
    """Credit reserved for one call, not spent yet."""

    id: str
    account: str
    micros: int
    currency: str
