"""Owns how much credit a running call must hold (R63 to R65): the first increment before dialling,
each further one before it starts.

Holds nothing itself (`rating/ledger`) and keeps no time (`gateway/b2bua/credit_watch`).
"""

from rating.rater import price
from rating.tariff import Rate

# Nothing is planned further than this: the answer for a rate that costs nothing by the minute.
HORIZON_S = 30 * 24 * 3600


def first_hold(rate: Rate) -> int:
    """Micro-units to hold before the carrier is dialled (R64)."""
    return price(rate, rate.first_s)


def hold_for(rate: Rate, seconds: int) -> int:
    """Micro-units that cover `seconds` of talk in all, first_s + k*step_s of them."""
    assert seconds >= rate.first_s, seconds
    assert (seconds - rate.first_s) % rate.step_s == 0, seconds
    return price(rate, seconds)


def next_cover_s(rate: Rate, covered_s: int) -> int:
    """Seconds covered in all once one more increment is paid."""
    return covered_s + rate.step_s if covered_s else rate.first_s


def affordable_s(rate: Rate, available_micros: int) -> int:
    """The greatest first_s + k*step_s that `available_micros` pays (up to 30 days), or 0."""
    longest_s = HORIZON_S
    if rate.per_min_micros:
        # price rounds half up: it stays within m while 2*s*p + 60 < 120*(m + 1).
        spare_micros = available_micros - rate.connect_micros
        longest_s = min(longest_s, (120 * spare_micros + 59) // (2 * rate.per_min_micros))
    elif available_micros < rate.connect_micros:
        return 0
    if longest_s < rate.first_s:
        return 0
    return longest_s - (longest_s - rate.first_s) % rate.step_s
