"""The pool of RTP port pairs (RFC 3550 §11)."""

import random

from hypothesis import given
from hypothesis import strategies as st

from media.ports import PortPool


def seeded(seed: int = 1):
    return random.Random(seed).randbytes


def test_ports_are_even_and_the_pair_fits_the_range():
    pool = PortPool(10001, 10008, seeded(), 4.0)
    assert sorted(filter(None, (pool.take(0.0) for _ in range(9)))) == [10002, 10004, 10006]


def test_the_order_is_drawn_from_the_injected_entropy():
    def drawn(seed: int) -> list[int | None]:
        pool = PortPool(10000, 10100, seeded(seed), 4.0)
        return [pool.take(0.0) for _ in range(50)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert drawn(1) != sorted(drawn(1))


def test_a_released_port_rests_before_it_comes_back():
    pool = PortPool(10000, 10001, seeded(), 4.0)
    assert pool.take(0.0) == 10000
    assert pool.take(0.0) is None
    pool.release(10000, 1.0)
    assert len(pool) == 1
    assert pool.take(4.9) is None
    assert pool.take(5.0) == 10000


@given(st.lists(st.booleans(), max_size=200), st.integers(0, 1000))
def test_no_port_is_given_twice_and_none_is_lost(steps, seed):
    pool = PortPool(10000, 10020, seeded(seed), 3.0)
    held: list[int] = []
    for now, take in enumerate(steps):
        if take:
            port = pool.take(float(now))
            if port is not None:
                assert port not in held
                held.append(port)
        elif held:
            pool.release(held.pop(0), float(now))
        assert len(pool) + len(held) == 10
