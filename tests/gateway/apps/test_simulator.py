"""The carrier simulator's numbers, as documented for operators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.apps.simulator import ANSWER, SPECIAL, UNKNOWN_NUMBER, behaviour_for


@pytest.mark.parametrize(
    ("number", "status"),
    [
        ("+15550100486", 486),
        ("15550100486", 486),
        ("+442079460503", 503),
        ("+493012340404", 404),
        ("+493012340603", 603),
    ],
)
def test_a_special_ending_refuses_with_its_own_status(number: str, status: int) -> None:
    behaviour = behaviour_for(number)
    assert behaviour.final_status == status
    assert not behaviour.answers


def test_0480_rings_and_never_gets_a_final_status() -> None:
    behaviour = behaviour_for("+15550100480")
    assert (behaviour.ring_status, behaviour.final_status) == (180, 0)


def test_0183_sends_early_media_before_it_answers() -> None:
    behaviour = behaviour_for("+15550100183")
    assert behaviour.early_media
    assert behaviour.answers
    assert behaviour.ring_s > 0


def test_0999_answers_and_hangs_up_after_two_seconds() -> None:
    behaviour = behaviour_for("+15550100999")
    assert behaviour.answers
    assert behaviour.hang_up_s == 2.0


@given(st.from_regex(r"\+?[1-9][0-9]{6,14}", fullmatch=True))
def test_every_other_number_is_answered_and_left_to_the_caller(number: str) -> None:
    if number[-4:] not in SPECIAL:
        assert behaviour_for(number) is ANSWER


@pytest.mark.parametrize("text", ["", "alice", "+", "123", "+1555010048٦", "1" * 16, "00 44"])
def test_what_is_no_number_is_not_found(text: str) -> None:
    assert behaviour_for(text) is UNKNOWN_NUMBER
