"""Owns the price list: `Rate`, one line of it, and `Tariff`, longest prefix wins (R67).

Also reads rate decks from CSV text. What a call costs by a rate is the rater's.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rating.e164 import E164
from rating.errors import BadDeck, InvalidAmount, NoRate
from rating.money import parse_micros

_PREFIX = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """One line of a tariff. `prefix` is digits, country code first."""

    prefix: str
    destination: str
    per_min_micros: int
    connect_micros: int = 0
    first_s: int = 30  # as in increments, which is no floor below
    step_s: int = 6


class Tariff:
    """One version of a price list in one currency; immutable."""

    __slots__ = ("_lengths", "_rates", "currency", "name", "version")

    def __init__(self, name: str, version: str, currency: str, rates: Iterable[Rate]) -> None:
        self.name = name
        self.version = version
        self.currency = currency
        self._rates: dict[str, Rate] = {}
        for rate in rates:
            assert rate.prefix not in self._rates, f"prefix {rate.prefix} stands twice"
            self._rates[rate.prefix] = rate
        # One probe for each length in use, longest first: a handful, however large the deck.
        self._lengths = tuple(sorted({len(prefix) for prefix in self._rates}, reverse=True))

    def rate_for(self, number: E164) -> Rate:
        """The rate with the longest matching prefix; raises NoRate."""
        digits = number.digits
        for length in self._lengths:
            rate = self._rates.get(digits[:length])
            if rate is not None:
                return rate
        raise NoRate(f"no rate for {number} in {self.name} {self.version}")

    def with_prefix(self, prefix: str) -> Rate | None:
        """The very line with this prefix: how a journal row finds its rate again."""
        return self._rates.get(prefix)

    def rates(self) -> Iterator[Rate]:
        """All lines, in deck order."""
        return iter(self._rates.values())

    def __len__(self) -> int:
        return len(self._rates)


def read_deck(lines: Iterable[str], *, name: str, version: str, currency: str) -> Tariff:
    """A tariff from CSV: prefix,destination,per_minute[,connect_fee]; raises BadDeck: all errors.

    A first row that begins with "prefix" is a heading; lines that begin with "#" are comments.
    """
    rates: list[Rate] = []
    seen: dict[str, int] = {}
    errors: list[tuple[int, str]] = []
    rows = csv.reader(line.removeprefix("\ufeff") for line in lines)
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if not rates and not errors and cells[0].lower() == "prefix":
                continue
            rate, problems = _rate_of(cells)
            first_line = seen.setdefault(cells[0].removeprefix("+"), rows.line_num)
            if first_line != rows.line_num:
                problems.append(f"prefix {cells[0]} stands in line {first_line} already")
            errors += ((rows.line_num, problem) for problem in problems)
            if rate is not None:
                rates.append(rate)
    except csv.Error as error:
        errors.append((rows.line_num, str(error)))
    if not rates and not errors:
        errors.append((rows.line_num, "the deck has no rates"))
    if errors:
        raise BadDeck(errors)
    return Tariff(name, version, currency, rates)


def _rate_of(cells: list[str]) -> tuple[Rate | None, list[str]]:
    """One row as a rate, or what is wrong with it."""
    if not 3 <= len(cells) <= 4:
        return None, [f"{len(cells)} columns where 3 or 4 belong"]
    problems: list[str] = []
    prefix = cells[0].removeprefix("+")
    if _PREFIX.fullmatch(prefix) is None:
        problems.append(f"prefix {cells[0]!r} is not 1 to 15 digits of an international number")
    if not cells[1]:
        problems.append("the destination has no name")
    amounts = [0, 0]
    for at, cell in enumerate(cells[2:]):
        try:
            amounts[at] = parse_micros(cell or "0") if at else parse_micros(cell)
        except InvalidAmount as error:
            problems.append(str(error))
        if amounts[at] < 0:
            problems.append(f"the price {cell} is negative")
    return (None if problems else Rate(prefix, cells[1], amounts[0], amounts[1])), problems
