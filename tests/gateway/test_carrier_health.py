"""One carrier's health: OPTIONS take it down and bring it back, failed calls make it rest."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.carrier_health import CarrierHealth, Changed, Effect, HealthLimits, Probe, Standing

LIMITS = HealthLimits(misses=3, faults=3, first_rest_s=10.0, longest_rest_s=60.0)
BUSY = "503 Service Unavailable"


def health(interval_s: float = 30.0) -> CarrierHealth:
    return CarrierHealth(interval_s, 6.0, 0.0, LIMITS)


def changes(effects: list[Effect]) -> list[Standing]:
    return [effect.standing for effect in effects if isinstance(effect, Changed)]


def tick_until(machine: CarrierHealth, until: float) -> list[tuple[float, Effect]]:
    """Keep every deadline up to that time; nobody answers."""
    told = []
    while (at := machine.deadline) is not None and at <= until:
        told += [(at, effect) for effect in machine.tick(at)]
    return told


def resting(machine: CarrierHealth, now: float = 0.0) -> CarrierHealth:
    for _ in range(LIMITS.faults):
        machine.faulted(BUSY, None, now)
    assert machine.standing is Standing.RESTING
    return machine


def test_it_is_asked_at_once_and_then_at_its_interval() -> None:
    machine = health()
    asked = []
    for at in (0.0, 30.0, 60.0):
        assert machine.deadline == at
        (probe,) = machine.tick(at)
        assert isinstance(probe, Probe)
        asked.append(probe.serial)
        assert machine.answered(probe.serial, 200, at + 0.1) == []
    assert asked == [1, 2, 3]


def test_three_misses_take_it_down_and_one_answer_brings_it_back() -> None:
    machine = health()
    told = tick_until(machine, 66.0)
    (down,) = [(at, effect) for at, effect in told if isinstance(effect, Changed)]
    assert down == (66.0, Changed(Standing.DOWN, "OPTIONS not answered, 3 times in a row"))
    (probe,) = machine.tick(90.0)
    assert isinstance(probe, Probe)
    (up,) = machine.answered(probe.serial, 200, 90.2)
    assert up == Changed(Standing.UP, "OPTIONS answered 200")


def test_misses_count_in_a_row_only() -> None:
    machine = health()
    tick_until(machine, 36.0)
    (probe,) = machine.tick(60.0)
    assert isinstance(probe, Probe)
    machine.answered(probe.serial, 200, 60.1)
    assert changes([effect for _, effect in tick_until(machine, 126.0)]) == []
    assert machine.standing is Standing.UP


def test_any_answer_proves_life_but_those_of_nobody_serving() -> None:
    """RFC 3261 §11.2."""
    for status, alive in ((200, True), (404, True), (405, True), (501, True), (503, False)):
        machine = health(10.0)
        for turn in range(3):
            (probe,) = machine.tick(turn * 10.0)
            assert isinstance(probe, Probe)
            machine.answered(probe.serial, status, turn * 10.0 + 0.1)
        assert (machine.standing is Standing.UP) is alive, status


def test_one_miss_is_counted_once() -> None:
    """The transaction's own time-out may follow ours."""
    machine = health()
    machine.tick(0.0)
    machine.tick(6.0)
    for _ in range(5):
        assert machine.missed(1, "OPTIONS not answered", 32.0) == []
    assert machine.standing is Standing.UP


def test_a_late_answer_proves_life_too() -> None:
    machine = health()
    tick_until(machine, 66.0)
    assert machine.standing is Standing.DOWN
    assert changes(machine.answered(3, 200, 70.0)) == [Standing.UP]


def test_a_probe_slower_than_the_interval_does_not_pile_up() -> None:
    machine = CarrierHealth(1.0, 6.0, 0.0, LIMITS)
    probes = [at for at, effect in tick_until(machine, 20.0) if isinstance(effect, Probe)]
    assert probes == [0.0, 6.0, 12.0, 18.0]


def test_without_an_interval_it_is_never_asked() -> None:
    machine = health(0.0)
    assert machine.deadline is None
    assert machine.tick(1000.0) == []


def test_failed_calls_in_a_row_make_it_rest_and_time_ends_the_rest() -> None:
    machine = health(0.0)
    assert machine.faulted(BUSY, None, 1.0) == machine.faulted(BUSY, None, 2.0) == []
    (rest,) = machine.faulted(BUSY, None, 3.0)
    assert rest == Changed(Standing.RESTING, f"{BUSY}, 3 calls in a row; rests 10 s")
    assert machine.deadline == 13.0
    assert machine.tick(12.9) == []
    assert machine.tick(13.0) == [Changed(Standing.UP, "its rest is over")]


def test_each_further_rest_is_twice_as_long_up_to_the_longest() -> None:
    machine = resting(health(0.0))
    lengths, now = [10.0], 10.0
    machine.tick(now)
    for _ in range(5):
        machine.faulted(BUSY, None, now)
        until = machine.deadline
        assert until is not None
        lengths.append(until - now)
        now = until
        machine.tick(now)
    assert lengths == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0]


def test_many_calls_that_fail_at_once_are_one_rest() -> None:
    machine = resting(health(0.0))
    for _ in range(50):
        assert machine.faulted(BUSY, None, 0.5) == []
    assert machine.deadline == 10.0


def test_a_call_that_works_clears_everything() -> None:
    machine = resting(health(0.0))
    assert changes(machine.succeeded(1.0)) == [Standing.UP]
    assert machine.deadline is None
    machine.faulted(BUSY, None, 2.0)
    machine.faulted(BUSY, None, 2.0)
    assert machine.standing is Standing.UP, "the count starts again"
    machine.faulted(BUSY, None, 2.0)
    assert machine.deadline == 12.0, "and so do the rests"


def test_a_call_that_works_brings_up_what_options_took_down() -> None:
    machine = health()
    tick_until(machine, 66.0)
    assert changes(machine.succeeded(70.0)) == [Standing.UP]


def test_an_answered_options_does_not_end_the_rest_of_failed_calls() -> None:
    machine = resting(health())
    (probe,) = machine.tick(1.0)
    assert isinstance(probe, Probe)
    machine.answered(probe.serial, 200, 1.1)
    assert machine.standing is Standing.RESTING


def test_the_rest_a_carrier_asks_for_is_kept_at_once() -> None:
    """RFC 3261 §21.5.4: Retry-After of a 503."""
    machine = health(0.0)
    (rest,) = machine.faulted(BUSY, 45.0, 5.0)
    assert rest == Changed(Standing.RESTING, f"{BUSY}, asked for 45 s")
    assert machine.deadline == 50.0
    machine.faulted(BUSY, 10.0, 6.0)
    assert machine.deadline == 50.0, "a shorter wish does not shorten it"
    machine.faulted(BUSY, 90.0, 6.0)
    assert machine.deadline == 96.0


def test_nobody_sends_himself_away_for_ever() -> None:
    machine = health(0.0)
    machine.faulted(BUSY, 10_000_000.0, 0.0)
    assert machine.deadline == HealthLimits().longest_asked_s


def test_down_is_worse_than_resting() -> None:
    machine = resting(health())
    told = tick_until(machine, 66.0)
    assert changes([effect for _, effect in told]) == [Standing.UP, Standing.DOWN]
    machine.faulted(BUSY, 100.0, 67.0)
    assert machine.standing is Standing.DOWN


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["tick", "answered", "missed", "succeeded", "faulted", "asked"]),
        st.floats(0.0, 50.0),
    ),
    max_size=60,
)


@given(EVENTS)
def test_whatever_happens_it_tells_each_change_once_and_never_sleeps_past_a_deadline(
    events: list[tuple[str, float]],
) -> None:
    machine, now, serial = health(5.0), 0.0, 0
    stands = Standing.UP
    for verb, later in events:
        now += later
        effects: list[Effect] = []
        match verb:
            case "tick":
                effects = machine.tick(now)
            case "answered":
                effects = machine.answered(serial, 200, now)
            case "missed":
                effects = machine.missed(serial, "OPTIONS not sent", now)
            case "succeeded":
                effects = machine.succeeded(now)
            case "faulted":
                effects = machine.faulted(BUSY, None, now)
            case "asked":
                effects = machine.faulted(BUSY, later, now)
        for effect in effects:
            if isinstance(effect, Probe):
                serial = effect.serial
            else:
                assert effect.standing is not stands or len(effects) > 1
                stands = effect.standing
        assert machine.standing is stands
        assert machine.deadline is not None, "it is asked for ever"
    assert changes(machine.succeeded(now)) == ([] if stands is Standing.UP else [Standing.UP])
