"""Owns the exceptions of `rating`; nothing else is raised here on purpose.

What to answer a caller with is not decided here (`gateway/refusal`).
"""

from collections.abc import Sequence


class RatingError(Exception):
    """Base of everything `rating` raises."""


class InvalidNumber(RatingError):
    """The text is not the full international number of anything (E.164)."""


class InvalidAmount(RatingError):
    """The text is not an exact decimal amount of at most six places."""


class CurrencyMismatch(RatingError):
    """Two currencies met in one sum, comparison or account."""


class NoRate(RatingError):
    """No prefix of the tariff matches the number."""


class InsufficientCredit(RatingError):
    """The account cannot cover the amount; nothing was moved or held."""

    def __init__(self, account: str, needed_micros: int, available_micros: int) -> None:
        super().__init__(
            f"{account} has {available_micros} micro-units available, {needed_micros} are needed"
        )
        self.account = account
        self.needed_micros = needed_micros
        self.available_micros = available_micros


class ForbiddenPosting(RatingError):
    """Profile credit pays outgoing calls and goes back to its Manager, nothing else (R53)."""


class BadDeck(RatingError):
    """A rate deck with every row that is wrong: (line number, what is wrong)."""

    def __init__(self, errors: Sequence[tuple[int, str]]) -> None:
        super().__init__("; ".join(f"line {line}: {text}" for line, text in errors))
        self.errors = tuple(errors)
