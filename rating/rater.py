"""Owns the price of a call (R66, R69, R75): authorisation, live charging, the final charge and a
dry run all ask `price`.

Takes a duration as measured (200 OK to the end, R70); who measures it is not decided here.
"""

from dataclasses import dataclass

from rating.increments import billable_s, whole_seconds
from rating.money import Money, decimal_text, price_micros
from rating.tariff import Rate


@dataclass(frozen=True, slots=True)
class Rating:
    """A charge with its steps; `derivation` lets a reader recompute it by hand."""

    billed_s: int
    charge: Money
    rate: Rate
    derivation: str


def price(rate: Rate, billed_s: int) -> int:
    """Micro-units for `billed_s` seconds in all; increment k costs the difference (R66)."""
    if billed_s == 0:
        return 0
    return rate.connect_micros + price_micros(billed_s, rate.per_min_micros)


def rate_call(duration_s: float, rate: Rate, currency: str) -> Rating:
    """The charge for a talk of `duration_s`, 0 when it was never answered."""
    billed_s = billable_s(duration_s, rate.first_s, rate.step_s)
    charge = Money(price(rate, billed_s), currency)
    return Rating(billed_s, charge, rate, _derivation(duration_s, billed_s, rate, charge))


def _derivation(duration_s: float, billed_s: int, rate: Rate, charge: Money) -> str:
    currency = charge.currency
    if billed_s == 0:
        return f"never answered: 0 s billed = 0.00 {currency}"
    steps = (billed_s - rate.first_s) // rate.step_s
    whole_s = whole_seconds(duration_s)
    talked = f"{whole_s} s" if duration_s == whole_s else f"{duration_s:.3f} s -> {whole_s} s"
    billed = f"{billed_s} s billed ({rate.first_s} + {steps}x{rate.step_s})"
    per_min = f"{decimal_text(rate.per_min_micros, 4)} {currency}/min"
    connect = (
        f" + {decimal_text(rate.connect_micros, 4)} {currency} connection"
        if rate.connect_micros
        else ""
    )
    total = f"{decimal_text(charge.micros, 4)} {currency}"
    rounded = ", rounded half up" if billed_s * rate.per_min_micros % 60 else ""
    prefix = f"prefix {rate.prefix} {rate.destination}"
    return f"{talked} -> {billed} x {per_min}{connect}, {prefix} = {total}{rounded}"
