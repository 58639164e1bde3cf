"""A profile's channels (R24, R35, R36)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.call import Direction
from tests.support.factories import profile

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_channel_serves_one_call_in_either_direction() -> None:
    """R24: incoming and outgoing calls share the cap; one more is refused."""
    trunk = profile(channels=2)
    assert trunk.lease("c-1", Direction.OUTGOING, AT)
    assert trunk.lease("c-2", Direction.INCOMING, AT)
    assert trunk.lease("c-3", Direction.OUTGOING, AT) is None
    trunk.release("c-1")
    assert trunk.lease("c-3", Direction.OUTGOING, AT)


def test_a_channel_is_given_back_exactly_once() -> None:
    trunk = profile(channels=1)
    trunk.lease("c-1", Direction.OUTGOING, AT)
    trunk.release("c-1")
    with pytest.raises(KeyError):
        trunk.release("c-1")


def test_calls_above_a_lowered_cap_go_on() -> None:
    """R32: lowering the cap cuts nobody."""
    trunk = profile(channels=2)
    trunk.lease("c-1", Direction.OUTGOING, AT)
    trunk.lease("c-2", Direction.OUTGOING, AT)
    trunk.channels = 1
    assert len(trunk.leases) == 2
    assert trunk.lease("c-3", Direction.OUTGOING, AT) is None


@given(st.integers(1, 5), st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=60))
def test_never_more_leases_than_channels(channels: int, steps: list[tuple[bool, int]]) -> None:
    """R35: whatever the order of takes and releases."""
    trunk = profile(channels=channels)
    held: set[str] = set()
    for take, number in steps:
        call_id = f"c-{number}"
        if take and call_id not in held:
            if trunk.lease(call_id, Direction.OUTGOING, AT) is not None:
                held.add(call_id)
            else:
                assert len(held) == channels
        elif not take and call_id in held:
            trunk.release(call_id)
            held.discard(call_id)
        assert set(trunk.leases) == held
        assert len(held) <= channels


def test_the_password_is_not_shown() -> None:
    """R17"""
    assert "hush" not in repr(profile(password="hush"))
