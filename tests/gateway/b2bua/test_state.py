"""The states of a call."""

from gateway.b2bua.state import MOVES, State


def test_every_move_leads_out_of_a_reachable_state() -> None:
    """The table of moves has no state that cannot be reached or never ends."""
    reached = {State.ADMITTING}
    while True:
        more = {to for at, to in MOVES if at in reached} | reached
        if more == reached:
            break
        reached = more
    assert reached == set(State)
    assert {at for at, _ in MOVES} == set(State) - {State.ENDED}
