"""Whether the store can write, from what its writer has done."""

from dataclasses import dataclass

from gateway.aio.store_watch import STALLED_S, StoreWatch
from tests.support.clock import VirtualClock
from tests.support.shell import KeptLog, fresh_metrics


@dataclass(slots=True)
class Seen:
    commits: int = 0
    failed_commits: int = 0
    backlog: int = 0


class Bench:
    def __init__(self) -> None:
        self.seen, self.clock, self.kept = Seen(), VirtualClock(), 0
        self.changes: list[bool] = []
        self.watch = StoreWatch(
            lambda: self.seen, self.clock, KeptLog(), fresh_metrics(), self.changes.append,
            lambda: self.kept,
        )  # fmt: skip

    def look(self, after_s: float = 1.0, **seen: int) -> bool:
        self.clock.advance(after_s)
        for name, value in seen.items():
            setattr(self.seen, name, value)
        self.watch.look()
        return self.watch.ok


def test_a_failed_commit_closes_the_door_and_the_next_good_one_opens_it() -> None:
    bench = Bench()
    assert bench.look(commits=5)
    assert not bench.look(failed_commits=1)
    bench.kept = 1
    assert not bench.look()
    assert not bench.look(failed_commits=2)
    assert bench.look(commits=6)
    assert bench.changes == [False, True]


def test_a_writer_that_stands_still_with_work_before_it_is_no_store() -> None:
    bench = Bench()
    assert bench.look(backlog=10)
    assert bench.look(STALLED_S - 1.5, backlog=10)
    assert not bench.look(backlog=20)
    assert bench.look(commits=1, backlog=20)


def test_a_writer_with_nothing_to_do_does_not_stand_still() -> None:
    bench = Bench()
    assert bench.look(60.0)
    assert bench.look(0.1, backlog=5)


def test_with_nothing_to_offer_again_the_next_call_may_try() -> None:
    bench = Bench()
    assert not bench.look(failed_commits=1)
    assert bench.look()
