"""`rating.errors`: what the exceptions tell."""

from rating.errors import BadDeck, InsufficientCredit, RatingError


def test_insufficient_credit_tells_what_was_missing() -> None:
    error = InsufficientCredit("profile:1", 3000, 12)
    assert isinstance(error, RatingError)
    assert (error.account, error.needed_micros, error.available_micros) == ("profile:1", 3000, 12)
    assert str(error) == "profile:1 has 12 micro-units available, 3000 are needed"


def test_a_bad_deck_lists_its_lines() -> None:
    assert str(BadDeck([(3, "no price"), (9, "twice")])) == "line 3: no price; line 9: twice"
