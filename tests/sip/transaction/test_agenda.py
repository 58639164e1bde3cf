"""The one heap of deadlines."""

from hypothesis import given
from hypothesis import strategies as st

from sip.effects import Effect
from sip.transaction.agenda import Agenda


class Alarm:
    def __init__(self) -> None:
        self.noted: float | None = None
        self.deadline: float | None = None

    def tick(self, now: float) -> list[Effect]:
        return []


def alarm(agenda: Agenda, at: float | None) -> Alarm:
    machine = Alarm()
    machine.deadline = at
    agenda.note(machine)
    return machine


def test_machines_come_out_when_due_and_in_their_order() -> None:
    agenda = Agenda()
    late, early = alarm(agenda, 2.0), alarm(agenda, 1.0)
    assert agenda.deadline == 1.0
    assert agenda.pop_due(0.9) is None
    assert agenda.pop_due(2.0) is early
    assert agenda.pop_due(2.0) is late
    assert agenda.pop_due(2.0) is None
    assert agenda.deadline is None


def test_a_deadline_moved_nearer_is_kept() -> None:
    agenda = Agenda()
    machine = alarm(agenda, 5.0)
    machine.deadline = 1.0
    agenda.note(machine)
    assert agenda.pop_due(1.0) is machine
    machine.deadline = None
    assert agenda.pop_due(9.0) is None


def test_a_deadline_moved_away_is_not_early_and_not_lost() -> None:
    agenda = Agenda()
    machine = alarm(agenda, 1.0)
    machine.deadline = 5.0
    agenda.note(machine)
    assert agenda.pop_due(1.0) is None
    assert agenda.deadline == 5.0
    assert agenda.pop_due(5.0) is machine


def test_a_machine_without_deadline_leaves_only_a_stale_entry_behind() -> None:
    agenda = Agenda()
    machine = alarm(agenda, 1.0)
    machine.deadline = None
    agenda.note(machine)
    assert len(agenda) == 1
    assert agenda.pop_due(1.0) is None
    assert len(agenda) == 0


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 20) | st.none()), max_size=40))
def test_whatever_moves_every_machine_surfaces_exactly_at_its_last_deadline(
    moves: list[tuple[int, int | None]],
) -> None:
    agenda = Agenda()
    machines = [Alarm() for _ in range(5)]
    for index, at in moves:
        machines[index].deadline = at
        agenda.note(machines[index])
    for now in range(21):
        due = []
        while (machine := agenda.pop_due(now)) is not None:
            assert isinstance(machine, Alarm)
            assert machine.deadline == now
            machine.deadline = None
            agenda.note(machine)
            due.append(machine)
        assert all(machine.deadline != now for machine in machines)
    assert all(machine.deadline is None for machine in machines)
