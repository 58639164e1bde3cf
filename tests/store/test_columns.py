"""`store.columns`: values survive being columns."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.columns import duration_us, from_us, optional_us, storable, to_us


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_comes_back_to_the_microsecond(at: datetime) -> None:
    assert from_us(to_us(at)) == at


def test_a_time_of_another_zone_is_the_same_instant_in_utc() -> None:
    eastern = datetime(2026, 3, 1, 7, 0, tzinfo=timezone(timedelta(hours=-5)))
    assert from_us(to_us(eastern)) == datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert from_us(to_us(eastern)).tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        to_us(datetime(2026, 3, 1))


def test_no_time_is_no_column() -> None:
    assert optional_us(None) is None
    assert optional_us(from_us(5)) == 5


def test_durations_are_whole_microseconds() -> None:
    assert duration_us(75.25) == 75_250_000
    assert duration_us(0.1 + 0.2) == 300_000


@given(st.text())
def test_ordinary_text_is_kept_as_it_is(text: str) -> None:
    assert storable(text) == text.replace("\0", "\N{REPLACEMENT CHARACTER}")


@given(st.binary())
def test_any_octets_from_the_wire_become_text_that_utf_8_carries(octets: bytes) -> None:
    text = storable(octets.decode("utf-8", "surrogateescape"))
    assert "\0" not in text
    text.encode("utf-8")
