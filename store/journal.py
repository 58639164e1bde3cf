"""Owns what each journal record does to the tables; statements are compiled to text once.

A record that was applied before (a settled call, a posted entry) changes nothing the second time.
What configuration becomes is in `journal_nouns`; when batches are committed is the writer's.
"""

from dataclasses import fields

from sqlalchemy import bindparam, delete, update
from sqlalchemy import insert as plain_insert

from gateway.model.binding import Binding
from gateway.model.cdr import Cdr
from gateway.model.record import (
    BindingRemoved,
    BindingSaved,
    CallAdmitted,
    CallAnswered,
    CallBeats,
    CallRefused,
    CallSettled,
    EntryPosted,
    HoldExtended,
    PasswordChanged,
    Record,
)
from rating.ledger import Entry
from store import journal_nouns
from store.columns import duration_us, optional_us, storable, to_us
from store.engine import Cursor, insert, text_of
from store.errors import Unwritable
from store.profiles import owner_of
from store.tables import (
    accounts,
    bindings,
    cdrs,
    entries,
    old_passwords,
    open_calls,
    postings,
    profiles,
)
from store.vault import Vault

_KEYS = [bindings.c.owner, bindings.c.owner_id, bindings.c.contact]
_save = insert(bindings)

_SAVE_BINDING = text_of(
    _save.on_conflict_do_update(
        index_elements=_KEYS,
        set_={c.name: _save.excluded[c.name] for c in bindings.c if not c.primary_key},
    )
)
_REMOVE_BINDING = text_of(
    delete(bindings).where(*(column == bindparam(f"key_{column.name}") for column in _KEYS))
)
_CHANGE_PASSWORD = text_of(
    update(profiles)
    .where(profiles.c.id == bindparam("profile"))
    .values(password=bindparam("password"))
)
_FORGET_PASSWORDS = text_of(
    delete(old_passwords).where(old_passwords.c.profile_id == bindparam("profile"))
)
_KEEP_PASSWORD = text_of(plain_insert(old_passwords))
_ADMIT = text_of(plain_insert(open_calls))
_OF_CALL = open_calls.c.call_id == bindparam("id")
_ANSWER = text_of(
    update(open_calls)
    .where(_OF_CALL)
    .values({name: bindparam(name) for name in ("answered_at", "target", "a_dialog", "b_dialog")})
)
_BEAT = text_of(update(open_calls).where(_OF_CALL).values(last_beat_at=bindparam("at")))
_EXTEND = text_of(update(open_calls).where(_OF_CALL).values(held_micros=bindparam("held")))
_FORGET = text_of(delete(open_calls).where(_OF_CALL))
_RECORD_CDR = text_of(insert(cdrs).on_conflict_do_nothing(index_elements=[cdrs.c.call_id]))
_RECORD_ENTRY = text_of(insert(entries).on_conflict_do_nothing(index_elements=[entries.c.id]))
_RECORD_POSTING = text_of(plain_insert(postings))
_MOVE = text_of(
    update(accounts)
    .where(accounts.c.name == bindparam("account"))
    .values(balance=accounts.c.balance + bindparam("micros"))
)
_OPEN_ACCOUNT = text_of(plain_insert(accounts))

_COPIED = tuple(f.name for f in fields(Cdr) if f.name != "duration_s")


def apply(cursor: Cursor, record: Record, vault: Vault | None = None) -> None:
    """Write one record inside the caller's transaction; raises Unwritable or the driver's error.

    Records that hold a secret need the vault.
    """
    match record:
        case CallBeats():
            at = to_us(record.at)
            cursor.executemany(_BEAT, [{"id": call_id, "at": at} for call_id in record.call_ids])
        case CallAdmitted():
            cursor.execute(_ADMIT, _open_call(record))
        case CallAnswered():
            cursor.execute(_ANSWER, _answered(record))
            _must_have_changed(cursor, record.call_id)
        case HoldExtended():
            cursor.execute(_EXTEND, {"id": record.call_id, "held": record.held_micros})
            _must_have_changed(cursor, record.call_id)
        case CallSettled():
            _settle(cursor, record)
        case CallRefused():
            cursor.execute(_RECORD_CDR, _cdr(record.cdr))
        case BindingSaved():
            cursor.execute(_SAVE_BINDING, _binding(record.binding))
        case BindingRemoved():
            key = (record.owner.value, record.owner_id, storable(record.contact))
            names = ("key_owner", "key_owner_id", "key_contact")
            cursor.execute(_REMOVE_BINDING, dict(zip(names, key, strict=True)))
        case PasswordChanged():
            _change_password(cursor, record, vault)
        case EntryPosted():
            post(cursor, record.entry)
        case _:
            journal_nouns.apply(cursor, record, vault)


def post(cursor: Cursor, entry: Entry) -> bool:
    """Apply an entry to its accounts; False when it was applied before (R66)."""
    row = {
        "id": entry.id,
        "kind": entry.kind,
        "currency": entry.currency,
        "at": to_us(entry.at),
        "ref": entry.ref,
    }
    if cursor.execute(_RECORD_ENTRY, row).rowcount == 0:
        return False
    for position, posting in enumerate(entry.postings):
        move = {"account": posting.account, "micros": posting.micros}
        # The table's CHECK keeps every account but the world's at zero or above (R63).
        if cursor.execute(_MOVE, move).rowcount == 0:
            account = {"name": posting.account, "balance": posting.micros}
            cursor.execute(_OPEN_ACCOUNT, account)
        line = {"entry_id": entry.id, "position": position, **move}
        cursor.execute(_RECORD_POSTING, line)
    return True


def _change_password(cursor: Cursor, record: PasswordChanged, vault: Vault | None) -> None:
    if vault is None:
        raise Unwritable("secrets are written with a vault only")
    owner = owner_of(record.username)
    profile = {"profile": record.profile_id}
    sealed = vault.seal(record.password, owner)
    if cursor.execute(_CHANGE_PASSWORD, {**profile, "password": sealed}).rowcount == 0:
        raise Unwritable(f"there is no profile {record.profile_id}")
    cursor.execute(_FORGET_PASSWORDS, profile)
    for position, old in enumerate(record.old):
        row = {
            "profile_id": record.profile_id,
            "position": position,
            "password": vault.seal(old.password, owner),
            "valid_until": to_us(old.valid_until),
        }
        cursor.execute(_KEEP_PASSWORD, row)


def _settle(cursor: Cursor, record: CallSettled) -> None:
    """CDR, charge and the journal row's end, once for each call."""
    first_time = cursor.execute(_RECORD_CDR, _cdr(record.cdr)).rowcount
    if first_time and record.entry is not None:
        post(cursor, record.entry)
    cursor.execute(_FORGET, {"id": record.cdr.call_id})


def _must_have_changed(cursor: Cursor, call_id: str) -> None:
    if cursor.rowcount == 0:
        raise Unwritable(f"{call_id} is not an open call")


def _open_call(record: CallAdmitted) -> dict[str, object]:
    rate = record.rate
    return {
        "call_id": record.call_id,
        "profile_id": record.profile_id,
        "kind": record.kind,
        "direction": record.direction,
        "caller": storable(record.caller),
        "called": storable(record.called),
        "started_at": to_us(record.started_at),
        "a_sip_call_id": storable(record.a_sip_call_id),
        "admitted_micros": record.held_micros,
        "held_micros": record.held_micros,
        "currency": record.currency,
        "rate_prefix": rate.prefix if rate else "",
        "rate_destination": rate.destination if rate else "",
        "rate_per_min_micros": rate.per_min_micros if rate else 0,
        "rate_connect_micros": rate.connect_micros if rate else 0,
        "rate_first_s": rate.first_s if rate else 0,
        "rate_step_s": rate.step_s if rate else 0,
        "answered_at": None,
        "last_beat_at": None,
        "target": "",
        "a_dialog": "",
        "b_dialog": "",
    }


def _answered(record: CallAnswered) -> dict[str, object]:
    return {
        "id": record.call_id,
        "answered_at": to_us(record.answered_at),
        "target": storable(record.target),
        "a_dialog": storable(record.a_dialog),
        "b_dialog": storable(record.b_dialog),
    }


def _cdr(cdr: Cdr) -> dict[str, object]:
    row: dict[str, object] = {}
    for name in _COPIED:
        value = getattr(cdr, name)
        row[name] = storable(value) if isinstance(value, str) else value
    row["started_at"] = to_us(cdr.started_at)
    row["answered_at"] = optional_us(cdr.answered_at)
    row["ended_at"] = to_us(cdr.ended_at)
    row["duration_us"] = duration_us(cdr.duration_s)
    return row


def _binding(binding: Binding) -> dict[str, object]:
    flow = binding.flow
    return {
        "owner": binding.owner.value,
        "owner_id": binding.owner_id,
        "contact": storable(binding.contact),
        "transport": flow.transport,
        "local_host": flow.local[0],
        "local_port": flow.local[1],
        "remote_host": flow.remote[0],
        "remote_port": flow.remote[1],
        "sip_call_id": storable(binding.sip_call_id),
        "cseq": binding.cseq,
        "q": binding.q,
        "expires_at": to_us(binding.expires_at),
        "user_agent": storable(binding.user_agent),
        "instance": storable(binding.instance),
        "nat": binding.nat,
        "signed_with": binding.signed_with,
    }
