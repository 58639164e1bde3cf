"""Timer values and named deadlines (RFC 3261 Table 4)."""

from hypothesis import given
from hypothesis import strategies as st

from sip.timers import SipTimers, TimerTable


def test_the_defaults_are_those_of_table_4() -> None:
    timers = SipTimers()
    assert (timers.t1_s, timers.t2_s, timers.t4_s, timers.timeout_s) == (0.5, 4.0, 5.0, 32.0)
    assert SipTimers(t1_s=0.01).timeout_s == 0.64


def test_the_deadline_is_the_earliest() -> None:
    table = TimerTable()
    table.set("B", 32.0)
    table.set("A", 0.5)
    assert table.deadline == 0.5
    table.set("A", 40.0)
    assert table.deadline == 32.0
    table.cancel("B")
    table.cancel("never set")
    assert table.deadline == 40.0


def test_a_new_table_has_no_deadline() -> None:
    assert TimerTable().deadline is None
    assert TimerTable().due(1e9) == []


def test_due_timers_come_out_once_in_order() -> None:
    table = TimerTable()
    for name, at in (("late", 9.0), ("second", 2.0), ("first", 1.0)):
        table.set(name, at)
    assert table.due(0.9) == []
    assert table.due(2.0) == ["first", "second"]
    assert table.due(2.0) == []
    assert (table.deadline, "late" in table, "first" in table) == (9.0, True, False)


def test_a_state_change_names_what_survives() -> None:
    table = TimerTable()
    table.set("A", 1.0)
    table.set("B", 2.0)
    table.keep_only("B", "unknown", D=3.0)
    assert (table.at("A"), table.at("B"), table.at("D")) == (None, 2.0, 3.0)
    table.keep_only()
    assert table.deadline is None
    assert table.due(100.0) == []


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 100), max_size=8), st.floats(0, 100))
def test_nothing_due_is_left_behind(deadlines: dict[str, float], now: float) -> None:
    table = TimerTable()
    for name, at in deadlines.items():
        table.set(name, at)
    assert set(table.due(now)) == {name for name, at in deadlines.items() if at <= now}
    assert table.deadline is None or table.deadline > now
