"""Owns which carrier is tried first: by priority, inside one at random by weight (RFC 2782).

Carriers that are not well come after all others and are still tried: a bad guess about health must
not refuse a call that somebody would have taken. Health itself is `gateway/carrier_health`'s.
"""

from collections.abc import Callable, Iterable
from itertools import groupby

from gateway.carrier_health import Standing
from gateway.model.carrier import Carrier

Octets = Callable[[int], bytes]

_RANK = {standing: rank for rank, standing in enumerate(Standing)}
_DRAW_OCTETS = 6  # enough for the sum of all weights there can be, without a visible bias


def hunting_order(
    carriers: Iterable[Carrier], standing: Callable[[Carrier], Standing], octets: Octets
) -> tuple[Carrier, ...]:
    """Every carrier once: the well ones first, then the resting, the ones that are down last."""
    by_priority = sorted(carriers, key=lambda carrier: carrier.priority)
    drawn: list[Carrier] = []
    for _, group in groupby(by_priority, key=lambda carrier: carrier.priority):
        drawn += _by_weight(list(group), octets)
    return tuple(sorted(drawn, key=lambda carrier: _RANK[standing(carrier)]))


def _by_weight(carriers: list[Carrier], octets: Octets) -> list[Carrier]:
    """RFC 2782, "Weight": draw one by its share of the sum, then again among the rest."""
    # Weight 0 comes first in the line, so that it has a small chance and not none.
    left = sorted(carriers, key=lambda carrier: carrier.weight > 0)
    drawn = []
    while len(left) > 1:
        total = sum(carrier.weight for carrier in left)
        point = int.from_bytes(octets(_DRAW_OCTETS), "big") % (total + 1)
        drawn.append(left.pop(_found_at(point, left)))
    return drawn + left


def _found_at(point: int, carriers: list[Carrier]) -> int:
    """The first whose running sum of weights reaches the point."""
    running = 0
    for index, carrier in enumerate(carriers):
        running += carrier.weight
        if running >= point:
            return index
    raise AssertionError("the point lies within the sum")
