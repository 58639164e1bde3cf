"""Time and entropy as the system gives them."""

from gateway.aio.clock import SystemClock, SystemIds


def test_nothing_drawn_is_given_out_twice() -> None:
    ids = SystemIds()
    tokens = [ids.token(8) for _ in range(2_000)]  # several draws from the system
    assert len(set(tokens)) == len(tokens)
    assert {len(token) for token in tokens} == {16}


def test_any_number_of_octets_is_given() -> None:
    ids = SystemIds()
    assert [len(ids.octets(count)) for count in (0, 1, 4_000, 97, 10_000, 30)] == [
        *(0, 1, 4_000),
        *(97, 10_000, 30),
    ]


def test_the_clock_runs_and_its_wall_time_has_a_zone() -> None:
    clock = SystemClock()
    assert clock.now() <= clock.now()
    assert clock.at().tzinfo is not None
