"""Owns the commands about rate decks: load one whole or not at all, and look rates up (R67).

The text of a deck is read by `rating.tariff`; every bad row is told with its line.
"""

from collections.abc import Iterable
from itertools import islice

from gateway.commands.base import Args, Change, CommandError, Env, Json, Outcome
from gateway.commands.money import money
from gateway.hot_state import HotState
from gateway.model.record import DeckOpened, RatesAdded, Record, TariffInForce
from rating.errors import BadDeck
from rating.tariff import Rate, Tariff, read_deck

RATES_A_BATCH = 1_000  # so that calls are written in between
_MOST_SHOWN = 1_000
_TOLD_ERRORS = 200
_LONGEST_NAME = 64


def parse(text: str, *, name: str, version: str, currency: str) -> Tariff:
    """The deck of a CSV text; raises CommandError with every bad row."""
    try:
        return read_deck(text.splitlines(), name=name, version=version, currency=currency)
    except BadDeck as error:
        count = len(error.errors)
        sentence = f"{count} bad {'row' if count == 1 else 'rows'}: nothing was loaded"
        details = [{"line": line, "problem": text} for line, text in error.errors[:_TOLD_ERRORS]]
        raise CommandError("BAD_DECK", sentence, details) from None


def heading(hot: HotState, args: Args, env: Env) -> tuple[str, str, str]:
    """Name, version and currency of a deck to be loaded, checked before its rows are read."""
    name = args.text("name")
    version = args.optional_text("version") or f"{env.at:%Y-%m-%dT%H:%M:%S.%fZ}"
    currency = args.optional_text("currency")
    args.end()
    if max(len(name), len(version)) > _LONGEST_NAME:
        raise CommandError("BAD_ARGUMENT", f"name and version: at most {_LONGEST_NAME} characters")
    known = sorted({each.currency for each in hot.manager_by_id.values()})
    if currency is None:
        if len(known) != 1:
            raise CommandError("BAD_ARGUMENT", "currency is missing")
        currency = known[0]
    elif known and currency not in known:
        sentence = f"no Manager keeps {currency}: the deck must be in {' or '.join(known)}"
        raise CommandError("BAD_ARGUMENT", sentence)
    if env.archive.has_deck(name, version):
        sentence = f"deck {name} has a version {version} already: give another"
        raise CommandError("TAKEN", sentence)
    return name, version, currency


def load(hot: HotState, tariff: Tariff, env: Env) -> Change:
    """Put the tariff in force for calls from now on; running ones keep their rate."""
    key = (tariff.name, tariff.version)
    batches: list[tuple[Record, ...]] = [(DeckOpened(*key, tariff.currency),)]
    batches += ((RatesAdded(*key, part),) for part in _parts(tariff.rates()))
    batches.append((TariffInForce(*key, len(tariff), env.at),))
    return Change(
        tuple(batches),
        lambda hot: hot.replace_tariff(tariff),
        lambda hot: {"deck": _view(tariff)},
        subject=f"{tariff.name} {tariff.version}",
    )


def show_deck(hot: HotState, args: Args, env: Env) -> Outcome:
    """The tariff in force; of its rates those below a prefix, and the one that prices a number."""
    prefix = (args.optional_text("prefix") or "").removeprefix("+")
    limit = args.optional_int("limit", 1, _MOST_SHOWN) or 50
    args.end()
    tariff = hot.tariff
    if tariff is None:
        raise CommandError("NOT_FOUND", "no rate deck is loaded: paid calls have no price")
    if prefix and not (prefix.isascii() and prefix.isdigit()):
        raise CommandError("BAD_ARGUMENT", f"{prefix} is not a prefix: digits, country code first")
    below = [rate for rate in tariff.rates() if rate.prefix.startswith(prefix)]
    applies = next((r for r in map(tariff.with_prefix, _heads(prefix)) if r is not None), None)
    return {
        "deck": _view(tariff),
        "applies": _rate(applies, tariff.currency) if applies else None,
        "rates": [_rate(rate, tariff.currency) for rate in below[:limit]],
        "matching": len(below),
    }


def _heads(prefix: str) -> Iterable[str]:
    """The prefix, then ever shorter ones."""
    return (prefix[:length] for length in range(len(prefix), 0, -1))


def _parts(rates: Iterable[Rate]) -> Iterable[tuple[Rate, ...]]:
    rest = iter(rates)
    while part := tuple(islice(rest, RATES_A_BATCH)):
        yield part


def _view(tariff: Tariff) -> Json:
    return {
        "name": tariff.name,
        "version": tariff.version,
        "currency": tariff.currency,
        "rates": len(tariff),
    }


def _rate(rate: Rate, currency: str) -> Json:
    return {
        "prefix": rate.prefix,
        "destination": rate.destination,
        "per_minute": money(rate.per_min_micros, currency),
        "connection": money(rate.connect_micros, currency),
        "first_s": rate.first_s,
        "step_s": rate.step_s,
    }
