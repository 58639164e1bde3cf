"""Bans of sources that guess passwords (R86)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bans import Ban, BanLimits, Bans, source_of

HOST = "203.0.113.7"


def guess(bans: Bans, times: int, host: str = HOST, start: float = 0.0, step: float = 1.0) -> float:
    """So many wrong passwords, one a `step`; the time of the last."""
    for index in range(times):
        bans.failed(host, start + index * step)
    return start + (times - 1) * step


def test_twenty_wrong_passwords_ban_and_nineteen_do_not() -> None:
    """R86"""
    bans = Bans(BanLimits())
    last = guess(bans, 19)
    assert not bans.banned(HOST, last)
    ban = bans.failed(HOST, 19.0)
    assert ban == Ban(HOST, 20, 19.0, 919.0)
    assert bans.banned(HOST, 19.0)
    assert not bans.banned("203.0.113.8", 19.0)
    assert bans.failed(HOST, 20.0) is None, "a ban begins once"


def test_a_ban_ends_by_itself_and_starts_from_nothing() -> None:
    bans = Bans(BanLimits(ban_s=900))
    last = guess(bans, 20)
    assert bans.deadline == last + 900
    assert bans.banned(HOST, last + 899.9)
    assert not bans.banned(HOST, last + 900)
    assert bans.listed(last + 900) == []
    (ended,) = bans.tick(last + 900)
    assert ended.source == HOST
    assert (len(bans), bans.deadline) == (0, None)
    guess(bans, 19, start=2000.0)
    assert not bans.banned(HOST, 2019.0)
    assert bans.failed(HOST, 2019.0) is not None


def test_wrong_passwords_that_are_far_apart_ban_nobody() -> None:
    """R86: a PBX with a wrong password that tries every 45 s is only told 401."""
    bans = Bans(BanLimits())
    last = guess(bans, 1000, step=45.0)
    assert not bans.banned(HOST, last)
    exact = Bans(BanLimits(failures=3, window_s=10))
    guess(exact, 3, step=5.0)
    assert exact.banned(HOST, 10.0)
    late = Bans(BanLimits(failures=3, window_s=9.9))
    guess(late, 3, step=5.0)
    assert not late.banned(HOST, 10.0)


def test_no_limit_no_ban() -> None:
    bans = Bans(BanLimits(failures=0))
    guess(bans, 100)
    assert not bans.banned(HOST, 100.0)


def test_an_operator_lists_and_lifts_bans() -> None:
    bans = Bans(BanLimits(failures=2))
    guess(bans, 2)
    guess(bans, 2, "2001:db8:1:2::5", start=10.0)
    assert [ban.source for ban in bans.listed(11.0)] == [HOST, "2001:db8:1:2::/64"]
    assert bans.lift("2001:db8:1:2::77"), "by any address in it"
    assert bans.lift(HOST)
    assert not bans.lift(HOST)
    assert bans.listed(11.0) == []
    assert not bans.banned(HOST, 11.0)
    bans.failed(HOST, 12.0)
    assert not bans.banned(HOST, 12.0), "what was counted before is forgiven"


def test_a_listed_network_is_lifted_as_it_is_listed() -> None:
    bans = Bans(BanLimits(failures=1))
    bans.failed("2001:db8::5", 0.0)
    (ban,) = bans.listed(0.0)
    assert bans.lift(ban.source)


def test_who_turns_out_to_be_ours_is_forgiven() -> None:
    bans = Bans(BanLimits(failures=2))
    guess(bans, 2)
    bans.forgive(HOST)
    bans.failed(HOST, 2.0)
    assert not bans.banned(HOST, 2.0)


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", "not an address"),
    ],
)
def test_a_source_is_what_one_subscriber_has(host: str, source: str) -> None:
    """R86: in IPv6 an address of one's own costs nothing, a network does."""
    assert source_of(host) == source


def test_neither_table_outgrows_its_bound() -> None:
    """R86: the source that was quiet longest goes first."""
    bans = Bans(BanLimits(failures=2, table_size=3))
    for index in range(10):
        bans.failed(f"192.0.2.{index}", float(index))
    assert bans.failed("192.0.2.6", 11.0) is None, "forgotten, so it counts from one"
    assert bans.failed("192.0.2.9", 11.0) is not None
    for index in range(20, 25):
        guess(bans, 2, f"192.0.2.{index}", start=20.0 + index, step=0.1)
    assert [ban.source for ban in bans.listed(50.0)] == [f"192.0.2.{i}" for i in (22, 23, 24)]


def test_old_failures_take_no_room() -> None:
    bans = Bans(BanLimits(window_s=300))
    for index in range(100):
        bans.failed(f"192.0.2.{index}", float(index))
    bans.tick(350.0)
    assert len(bans._failures) == 50


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["fail", "tick", "lift", "forgive"]),
        st.integers(0, 3),
        st.floats(0.0, 20.0),
    ),
    max_size=60,
)


@given(STEPS)
def test_bans_follow_the_rule_whatever_happens(steps: list[tuple[str, int, float]]) -> None:
    """R86: against the plain rule: N failures within the window, none of them before a ban."""
    limits = BanLimits(failures=3, window_s=30.0, ban_s=50.0, table_size=100)
    bans = Bans(limits)
    failures: dict[str, list[float]] = {}
    until: dict[str, float] = {}
    now = 0.0
    for step, number, seconds in steps:
        now += seconds
        host = f"192.0.2.{number}"
        if step == "fail" and until.get(host, 0.0) <= now:
            times = failures.setdefault(host, [])
            times.append(now)
            begins = len(times) >= 3 and now - times[-3] <= limits.window_s
            assert (bans.failed(host, now) is not None) == begins
            if begins:
                until[host] = now + limits.ban_s
                failures[host] = []
        elif step == "fail":
            assert bans.failed(host, now) is None
        elif step == "tick":
            bans.tick(now)
        else:
            bans.lift(host) if step == "lift" else bans.forgive(host)
            failures.pop(host, None)
            until.pop(host, None)
        for each in (f"192.0.2.{i}" for i in range(4)):
            assert bans.banned(each, now) == (until.get(each, 0.0) > now)
        listed = bans.listed(now)
        assert [ban.until for ban in listed] == sorted(ban.until for ban in listed)
        assert bans.deadline is None or all(bans.deadline <= ban.until for ban in listed)
