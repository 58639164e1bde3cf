"""`store.open_calls`: what a crash left behind (R73)."""

from dataclasses import replace
from datetime import timedelta

from gateway.model.record import OpenCall
from store import journal, open_calls
from store.database import Database
from store.engine import driver_of
from tests.store.samples import ADMITTED, AT


def test_calls_left_open_come_back_oldest_first(database: Database) -> None:
    older = replace(ADMITTED, call_id="c-0", started_at=AT - timedelta(hours=1))
    with database.editor() as connection:
        cursor = driver_of(connection).cursor()
        journal.apply(cursor, ADMITTED)
        journal.apply(cursor, older)
    with database.reader() as connection:
        assert open_calls.every(connection) == tuple(
            OpenCall(call, 3000, None, None, "", "", "") for call in (older, ADMITTED)
        )
