"""`store.journal`: what each record does to the tables."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.model.binding import Owner
from gateway.model.profile import OldPassword
from gateway.model.record import (
    BindingRemoved,
    BindingSaved,
    CallBeats,
    CallRefused,
    CallSettled,
    EntryPosted,
    HoldExtended,
    OpenCall,
    PasswordChanged,
    Record,
)
from store import bindings, cdrs, journal, ledger, managers, open_calls, profiles
from store.database import Database
from store.engine import Cursor, Driver, DriverError, new_driver
from store.errors import Unwritable
from store.vault import Vault
from tests.store.samples import (
    ADMITTED,
    ANSWERED,
    AT,
    BINDING,
    CDR,
    MANAGER,
    PROFILE,
    admitted,
    entry,
)

TOP_UP = entry("e-0", 10_000, "world:cash", "profile:1")


@pytest.fixture
def driver(database: Database) -> Iterator[Driver]:
    driver = new_driver(database.path)
    yield driver
    driver.close()


@pytest.fixture
def cursor(driver: Driver) -> Cursor:
    return driver.cursor()


def apply(cursor: Cursor, *records: Record) -> None:
    for record in records:
        journal.apply(cursor, record)


def found_calls(database: Database) -> tuple[OpenCall, ...]:
    with database.reader() as connection:
        return open_calls.every(connection)


def found_balances(database: Database) -> dict[str, int]:
    with database.reader() as connection:
        return ledger.balances(connection)


def test_an_admitted_call_is_an_open_call(database: Database, cursor: Cursor) -> None:
    """R73: admitted, not answered, no heartbeat yet."""
    apply(cursor, ADMITTED)
    assert found_calls(database) == (OpenCall(ADMITTED, 3000, None, None, "", "", ""),)


def test_an_answered_call_carries_its_dialogs_hold_and_heartbeat(
    database: Database, cursor: Cursor
) -> None:
    beat = AT + timedelta(seconds=11)
    apply(cursor, ADMITTED, admitted("c-2"), ANSWERED, HoldExtended("c-1", 3600))
    apply(cursor, CallBeats(("c-1", "c-9"), beat))
    found = {call.admitted.call_id: call for call in found_calls(database)}
    assert found["c-1"] == OpenCall(
        ADMITTED, 3600, ANSWERED.answered_at, beat, "carrier:main", '{"a":1}', '{"b":2}'
    )
    assert found["c-2"].last_beat_at is None


def test_the_same_call_is_not_admitted_twice(cursor: Cursor) -> None:
    apply(cursor, ADMITTED)
    with pytest.raises(DriverError):
        apply(cursor, ADMITTED)


@pytest.mark.parametrize("record", [ANSWERED, HoldExtended("c-1", 3600)])
def test_what_contradicts_the_journal_is_not_written(cursor: Cursor, record: Record) -> None:
    with pytest.raises(Unwritable):
        apply(cursor, record)


def test_no_heartbeats_at_all_is_nothing_to_write(cursor: Cursor) -> None:
    apply(cursor, CallBeats((), AT))


def test_a_settled_call_leaves_its_record_and_its_charge(
    database: Database, cursor: Cursor
) -> None:
    apply(cursor, EntryPosted(TOP_UP), ADMITTED, CallSettled(CDR, entry("e-1", 7800)))
    assert found_calls(database) == ()
    assert found_balances(database) == {
        "world:cash": -10_000,
        "profile:1": 2200,
        "world:calls": 7800,
    }
    with database.reader() as connection:
        assert cdrs.get(connection, "c-1") == CDR
        assert ledger.of_account(connection, "world:calls") == [entry("e-1", 7800)]


def test_settling_a_call_again_changes_nothing_but_closes_it(
    database: Database, cursor: Cursor
) -> None:
    """R66, R73: a retried or replayed settlement charges once, even under another entry id."""
    apply(cursor, EntryPosted(TOP_UP), CallSettled(CDR, entry("e-1", 7800)))
    before = found_balances(database)
    apply(cursor, ADMITTED, CallSettled(replace(CDR, billed_s=84), entry("e-1", 7800)))
    apply(cursor, CallSettled(CDR, entry("e-2", 1)))
    assert found_balances(database) == before
    assert found_calls(database) == ()
    with database.reader() as connection:
        assert cdrs.get(connection, "c-1") == CDR


def test_a_free_call_and_a_refused_one_touch_no_account(database: Database, cursor: Cursor) -> None:
    """R71, R74."""
    refused = replace(CDR, call_id="c-2", answered_at=None, duration_s=0.0, refusal="CREDIT")
    apply(cursor, ADMITTED, CallSettled(CDR, None), CallRefused(refused))
    assert found_balances(database) == {}
    with database.reader() as connection:
        assert cdrs.get(connection, "c-2") == refused


def test_an_entry_posted_twice_moves_money_once(database: Database, cursor: Cursor) -> None:
    """R66."""
    assert journal.post(cursor, TOP_UP)
    assert not journal.post(cursor, TOP_UP)
    apply(cursor, EntryPosted(TOP_UP))
    assert found_balances(database) == {"world:cash": -10_000, "profile:1": 10_000}


def test_an_entry_that_overdraws_is_refused_by_the_table(
    database: Database, driver: Driver, cursor: Cursor
) -> None:
    """R63."""
    apply(cursor, EntryPosted(TOP_UP))
    for overdraft in (entry("e-1", 10_001), entry("e-2", 1, source="profile:2")):
        driver.execute("BEGIN")
        with pytest.raises(DriverError, match="CHECK"):
            apply(cursor, EntryPosted(overdraft))
        driver.execute("ROLLBACK")
    assert found_balances(database) == {"world:cash": -10_000, "profile:1": 10_000}


def test_a_binding_is_saved_refreshed_and_removed(database: Database, cursor: Cursor) -> None:
    refreshed = replace(BINDING, cseq=7, expires_at=AT + timedelta(seconds=7200), deadline=8200.0)
    other = replace(BINDING, owner=Owner.ONNET)

    def found() -> set[object]:
        with database.reader() as connection:
            return set(bindings.living(connection, now=1000.0, at=AT))

    apply(cursor, BindingSaved(BINDING), BindingSaved(other))
    assert found() == {BINDING, other}
    apply(cursor, BindingSaved(refreshed))
    assert found() == {refreshed, other}
    apply(cursor, BindingRemoved(Owner.PROFILE, 1, BINDING.contact))
    assert found() == {other}
    apply(cursor, BindingRemoved(Owner.PROFILE, 1, BINDING.contact))


def test_a_changed_password_replaces_all_there_were(
    database: Database, cursor: Cursor, vault: Vault
) -> None:
    """R17, R83: sealed, the old one with its end, and nothing else of the profile is touched."""
    with database.editor() as connection:
        managers.add(connection, MANAGER)
        profiles.add(connection, vault, PROFILE)
    old = (OldPassword(PROFILE.password, AT + timedelta(seconds=45)),)
    journal.apply(cursor, PasswordChanged(1, PROFILE.username, "new one", old), vault)
    with database.reader() as connection:
        (found,) = profiles.every(connection, vault)
    assert found == replace(PROFILE, password="new one", old_passwords=old)
    contents = b"".join(file.read_bytes() for file in database.path.parent.iterdir())
    assert b"new one" not in contents


def test_a_password_is_written_for_a_profile_that_is_there_and_with_a_vault_only(
    cursor: Cursor, vault: Vault
) -> None:
    record = PasswordChanged(9, "nobody", "hush-hush", ())
    for with_vault in (vault, None):
        with pytest.raises(Unwritable) as raised:
            journal.apply(cursor, record, with_vault)
        assert "hush" not in str(raised.value)


def test_octets_that_are_no_utf_8_cannot_keep_a_call_from_its_record(
    database: Database, cursor: Cursor
) -> None:
    wire = b"caf\xe9\x00".decode("utf-8", "surrogateescape")
    strange = replace(CDR, caller=wire, a_sip_call_id=wire, media=wire)
    apply(cursor, replace(ADMITTED, caller=wire), CallSettled(strange, None))
    binding = replace(BINDING, contact=f"sip:{wire}@pbx", user_agent=wire)
    apply(cursor, BindingSaved(binding))
    with database.reader() as connection:
        found = cdrs.get(connection, "c-1")
        assert found is not None
        assert found.caller == "caf\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    apply(cursor, BindingRemoved(Owner.PROFILE, 1, binding.contact))
    with database.reader() as connection:
        assert bindings.living(connection, now=0.0, at=AT) == ()
