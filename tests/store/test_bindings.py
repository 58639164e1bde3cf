"""`store.bindings`: what is still reachable after a restart."""

from dataclasses import replace
from datetime import timedelta

from gateway.model.record import BindingSaved
from store import bindings, journal
from store.database import Database
from store.engine import driver_of
from tests.store.samples import AT, BINDING


def test_a_binding_lives_until_the_same_instant_in_the_next_process(database: Database) -> None:
    with database.editor() as connection:
        journal.apply(driver_of(connection).cursor(), BindingSaved(BINDING))
    later = AT + timedelta(seconds=600)
    with database.reader() as connection:
        assert bindings.living(connection, now=50.0, at=later) == (
            replace(BINDING, deadline=3050.0),
        )
        assert bindings.living(connection, now=0.0, at=BINDING.expires_at) == ()
