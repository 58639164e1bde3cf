"""`rating.entries`: an entry balances or cannot exist (R66)."""

from datetime import UTC, datetime

import pytest

from rating.entries import Entry, Posting

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_postings_of_an_entry_sum_to_zero() -> None:
    Entry("e", "call", (Posting("profile:1", -5), Posting("world:calls", 5)), "USD", AT, "c-1")
    with pytest.raises(AssertionError):
        Entry("e", "call", (Posting("profile:1", -5), Posting("world:calls", 4)), "USD", AT, "c-1")


def test_an_entry_has_two_sides() -> None:
    with pytest.raises(AssertionError):
        Entry("e", "call", (Posting("profile:1", 0),), "USD", AT, "c-1")
