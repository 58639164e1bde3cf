"""Arguments and refusals of commands."""

import pytest

from gateway.commands.base import CODES, Args, CommandError, choice
from tests.support.commands import refused


def test_what_nobody_asked_for_is_refused() -> None:
    """A typing error must not pass in silence."""
    args = Args({"profile": "Sales", "chanels": 3})
    assert args.text("profile") == "Sales"
    error = refused(args.end)
    assert (error.code, error.sentence) == ("BAD_ARGUMENT", "unknown: chanels")


@pytest.mark.parametrize("given", [{}, {"name": ""}, {"name": 3}, {"name": "a\nb"}, {"name": None}])
def test_a_needed_text_is_there_and_clean(given: dict[str, object]) -> None:
    assert refused(lambda: Args(given).text("name")).code == "BAD_ARGUMENT"


@pytest.mark.parametrize("value", [-1, 11, "5", True, 2.5])
def test_numbers_keep_to_their_bounds(value: object) -> None:
    assert refused(lambda: Args({"n": value}).optional_int("n", 0, 10)).code == "BAD_ARGUMENT"


@pytest.mark.parametrize("value", ["yes", 1, []])
def test_a_flag_is_true_or_false(value: object) -> None:
    assert refused(lambda: Args({"f": value}).optional_flag("f")).code == "BAD_ARGUMENT"
    assert refused(lambda: Args({"f": [value]}).count_or_text("f")).code == "BAD_ARGUMENT"
    assert refused(lambda: Args({"f": [value]}).lines("f")).code == "BAD_ARGUMENT"


def test_absent_arguments_are_none() -> None:
    args = Args({})
    assert args.optional_text("a") is None
    assert args.optional_int("a") is None
    assert args.optional_flag("a") is None
    assert args.count_or_text("a") is None


def test_a_choice_names_what_may_be_chosen() -> None:
    assert choice("srtp", "none", ("none", "required")) == "none"
    error = refused(lambda: choice("srtp", "maybe", ("none", "required")))
    assert error.sentence == "srtp must be one of: none, required"


def test_only_known_codes_are_told() -> None:
    assert CommandError("NOT_FOUND", "no").code in CODES
    with pytest.raises(AssertionError):
        CommandError("SOMETHING_ELSE", "no")
