"""How many channels an order gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.channels import InvalidChannels, ordered_channels


@pytest.mark.parametrize(
    ("wanted", "given_"),
    [(1, 1), (99, 99), (100, 100), (101, 100), (104, 100), (105, 110), (149, 150), (150, 150),
     (295, 300), (299, 300), (300, 300), ("105", 110), ("7", 7)],
)  # fmt: skip
def test_above_a_hundred_channels_come_in_tens_ties_up(wanted: int | str, given_: int) -> None:
    """R24, R25."""
    assert ordered_channels(wanted) == given_


@pytest.mark.parametrize("wanted", [0, -1, 301, 304, "ten", "", "-5", "1.5", "²", "1" * 12])
def test_what_cannot_be_had_is_refused_before_it_is_rounded(wanted: int | str) -> None:
    """R25: 304 is not 300."""
    with pytest.raises(InvalidChannels, match="1 to 300"):
        ordered_channels(wanted)


@given(st.integers(1, 300))
def test_rounding_moves_by_five_at_most_and_stays_in_range(wanted: int) -> None:
    ordered = ordered_channels(wanted)
    assert abs(ordered - wanted) <= 5
    assert 1 <= ordered <= 300
    assert ordered_channels(ordered) == ordered
