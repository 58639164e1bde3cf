"""Owns exact amounts of money (R66): whole micro-units, and the one rounding rule.

Knows no exchange rates: amounts of two currencies never meet.
"""

import re
from dataclasses import dataclass

from rating.errors import CurrencyMismatch, InvalidAmount

MICROS = 1_000_000

_AMOUNT = re.compile(r"([+-]?)([0-9]{1,12})(?:\.([0-9]{1,6}))?", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)


def price_micros(seconds: int, per_min_micros: int) -> int:
    """Price of `seconds` at a per-minute price, rounded once, half up, to a micro-unit (R66)."""
    return (2 * seconds * per_min_micros + 60) // 120


def parse_micros(text: str) -> int:
    """Micro-units of a decimal such as "0.0060"; raises InvalidAmount."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise InvalidAmount(f"{text!r} is not a decimal amount of at most six places")
    sign, whole, fraction = match.groups(default="")
    micros = int(whole) * MICROS + int(fraction.ljust(6, "0"))
    return -micros if sign == "-" else micros


def decimal_text(micros: int, places: int = 2) -> str:
    """The exact decimal of an amount, at least `places` and at most six places long."""
    whole, rest = divmod(abs(micros), MICROS)
    fraction = f"{rest:06}".rstrip("0").ljust(places, "0")
    return f"{'-' if micros < 0 else ''}{whole}.{fraction}"


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in micro-units of one ISO 4217 currency."""

    micros: int
    currency: str

    @classmethod
    def parse(cls, text: str, currency: str) -> "Money":
        """The amount written as a decimal, exactly; raises InvalidAmount."""
        if _CURRENCY.fullmatch(currency) is None:
            raise InvalidAmount(f"{currency!r} is not a currency code")
        return cls(parse_micros(text), currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls(0, currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.micros + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.micros - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.micros, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.micros < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.micros <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.micros > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.micros >= self._same(other)

    def __str__(self) -> str:
        return f"{decimal_text(self.micros)} {self.currency}"

    def _same(self, other: "Money") -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.micros
