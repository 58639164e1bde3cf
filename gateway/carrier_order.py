"""Owns which carrier is tried first: by priority, inside one at random by weight (RFC 2782).

Carriers that are not well come after all others and are still tried: a bad guess about health must
not refuse a call that somebody would have taken. Health itself is `gateway/carrier_health`'s.
"""

from collections.abc import Callable, Iterable
from itertools import accumulate, groupby

from gateway.carrier_health import Standing
from gateway.model.carrier import Carrier

Octets = Callable[[int], bytes]

_RANK = {standing: rank for rank, standing in enumerate(Standing)}
_GRAINS = 1000
_DRAW_OCTETS = 8  # enough for the sum of all weights there can be, without a visible bias


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
    """Draw one by its share of the weights, then again among the rest."""
    left = list(carriers)
    drawn = []
    while len(left) > 1:
        shares = [_share(carrier) for carrier in left]
        point = int.from_bytes(octets(_DRAW_OCTETS), "big") % sum(shares)
        running = accumulate(shares)
        drawn.append(left.pop(next(i for i, upper in enumerate(running) if point < upper)))
    return drawn + left


def _share(carrier: Carrier) -> int:
    """RFC 2782: weight 0 has "a very small chance", a thousandth of weight 1, and not none.

    The inclusive draw printed there would give the first of two equals two thirds.
    """
    return carrier.weight * _GRAINS or 1
