"""Who is tried first: priorities, weights, health; nobody is ever left out."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.carrier_health import Standing
from gateway.carrier_order import hunting_order
from gateway.model.carrier import Carrier
from tests.support import factories as make

DRAWS = 4000


def well(carrier: Carrier) -> Standing:
    return Standing.UP


def ids(carriers: tuple[Carrier, ...]) -> list[int]:
    return [carrier.id for carrier in carriers]


def shares(*weights: int) -> list[float]:
    """How often each of these is tried first."""
    carriers = [make.carrier(number, weight=weight) for number, weight in enumerate(weights)]
    octets = Random(7).randbytes
    firsts = Counter(hunting_order(carriers, well, octets)[0].id for _ in range(DRAWS))
    return [firsts[number] / DRAWS for number in range(len(weights))]


CARRIERS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 65535), st.sampled_from(Standing)), max_size=8
)


@given(CARRIERS, st.randoms(use_true_random=False))
def test_every_carrier_is_tried_once_by_health_and_then_by_priority(
    given_: list[tuple[int, int, Standing]], random: Random
) -> None:
    carriers = [
        make.carrier(number, priority=priority, weight=weight)
        for number, (priority, weight, _) in enumerate(given_)
    ]
    order = hunting_order(carriers, lambda each: given_[each.id][2], random.randbytes)
    assert sorted(ids(order)) == list(range(len(carriers)))
    rank = list(Standing)
    keys = [(rank.index(given_[each.id][2]), each.priority) for each in order]
    assert keys == sorted(keys)


@pytest.mark.parametrize("weights", [(1, 1), (1, 3), (10, 60, 30), (1, 1, 1, 1)])
def test_the_first_tried_follows_the_weights(weights: tuple[int, ...]) -> None:
    wanted = [weight / sum(weights) for weight in weights]
    for share, expected in zip(shares(*weights), wanted, strict=True):
        assert abs(share - expected) < 0.03


def test_weight_zero_has_a_very_small_chance_and_not_none() -> None:
    """RFC 2782."""
    assert 0 < shares(1, 0)[1] < 0.01
    assert abs(shares(0, 0)[0] - 0.5) < 0.03


def test_the_rest_is_drawn_by_weight_too() -> None:
    carriers = [make.carrier(n, weight=weight) for n, weight in ((0, 60000), (1, 900), (2, 100))]
    octets = Random(3).randbytes
    orders = [hunting_order(carriers, well, octets) for _ in range(DRAWS)]
    second = Counter(order[1].id for order in orders if order[0].id == 0)
    assert abs(second[1] / second.total() - 0.9) < 0.04


def test_a_single_carrier_needs_no_entropy() -> None:
    def nothing(count: int) -> bytes:
        raise AssertionError("nothing to draw")

    apart = (make.carrier(1, priority=2), make.carrier(2, priority=1))
    assert ids(hunting_order(apart, well, nothing)) == [2, 1]
    assert hunting_order((), well, nothing) == ()


def test_when_all_are_down_they_are_tried_by_priority() -> None:
    carriers = (make.carrier(1, priority=3), make.carrier(2, priority=1), make.carrier(3))
    order = hunting_order(carriers, lambda each: Standing.DOWN, Random(1).randbytes)
    assert ids(order) == [3, 2, 1]


def test_a_resting_carrier_comes_before_one_that_is_down() -> None:
    standing = {1: Standing.DOWN, 2: Standing.RESTING, 3: Standing.UP}
    carriers = tuple(make.carrier(n, priority=n) for n in (1, 2, 3))
    order = hunting_order(carriers, lambda each: standing[each.id], Random(1).randbytes)
    assert ids(order) == [3, 2, 1]
