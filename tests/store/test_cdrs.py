"""`store.cdrs`: looking calls up (R72)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.model.record import CallRefused
from store import cdrs, journal
from store.cdrs import CdrFilter
from store.database import Database
from store.engine import driver_of
from tests.store.samples import AT, CDR

CALLS = tuple(
    replace(
        CDR,
        call_id=f"c-{number}",
        profile_id=1 + number % 2,
        started_at=AT + timedelta(seconds=number // 2),
        called=f"+1202555010{number}",
        cause="cancelled" if number == 3 else CDR.cause,
        refusal="CREDIT" if number == 4 else "",
    )
    for number in range(6)
)


@pytest.fixture(autouse=True)
def calls(database: Database) -> None:
    with database.editor() as connection:
        cursor = driver_of(connection).cursor()
        for cdr in CALLS:
            journal.apply(cursor, CallRefused(cdr))


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (CdrFilter(), [5, 4, 3, 2, 1, 0]),
        (CdrFilter(profile_id=2), [5, 3, 1]),
        (CdrFilter(since=AT + timedelta(seconds=1)), [5, 4, 3, 2]),
        (CdrFilter(until=AT + timedelta(seconds=1)), [1, 0]),
        (CdrFilter(number="0102"), [2]),
        (CdrFilter(number="+12026555300"), [5, 4, 3, 2, 1, 0]),
        (CdrFilter(number="%"), []),
        (CdrFilter(cause="cancelled"), [3]),
        (CdrFilter(refusal="CREDIT"), [4]),
        (CdrFilter(profile_id=1, number="010", until=AT), []),
    ],
)
def test_a_search_narrows_down_and_lists_the_newest_first(
    database: Database, wanted: CdrFilter, numbers: list[int]
) -> None:
    with database.reader() as connection:
        assert cdrs.search(connection, wanted) == [CALLS[number] for number in numbers]


def test_pages_meet_without_a_gap_even_within_one_second(database: Database) -> None:
    pages: list[str] = []
    before = None
    with database.reader() as connection:
        while page := cdrs.search(connection, CdrFilter(), limit=1, before=before):
            pages += (cdr.call_id for cdr in page)
            before = page[-1]
    assert pages == ["c-5", "c-4", "c-3", "c-2", "c-1", "c-0"]


def test_a_record_is_found_by_its_call(database: Database) -> None:
    with database.reader() as connection:
        assert cdrs.get(connection, "c-3") == CALLS[3]
        assert cdrs.get(connection, "c-9") is None
