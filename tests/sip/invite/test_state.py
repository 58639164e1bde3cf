"""The states of an INVITE session."""

import pytest

from sip.invite.state import EARLY, MOVES, State
from tests.support.sip_stage import Stage


def test_every_state_has_its_moves_and_only_the_last_has_none() -> None:
    assert set(MOVES) == set(State)
    assert [state for state in State if not MOVES[state]] == [State.ENDED]


def test_every_state_can_be_reached_and_left() -> None:
    entered = {to for moves in MOVES.values() for to in moves}
    assert set(State) - entered == {State.CALLING, State.OFFERED}
    assert EARLY.isdisjoint({State.ANSWERED, State.CONFIRMED, State.ENDING, State.ENDED})


def test_a_move_that_is_not_in_the_table_is_an_assertion() -> None:
    stage = Stage()
    session, _ = stage.answered()
    with pytest.raises(AssertionError):
        session._move(State.CALLING)
