"""Owns what the journal's records of configuration do to the tables: profiles, numbers, accounts,
carriers and rate decks; statements are compiled to text once.

Whether a change may be made was decided before (`gateway/commands`); the schema's own rules are the
last fence.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Table, bindparam, delete, func, select, update
from sqlalchemy import insert as plain_insert

from gateway.model.record import (
    AccountSaved,
    CarrierRemoved,
    CarrierSaved,
    DeckOpened,
    NumberSaved,
    ProfileSaved,
    RatesAdded,
    Record,
    TariffInForce,
)
from store import carriers, numbers, onnet, profiles
from store.columns import to_us
from store.engine import Cursor, insert, text_of
from store.errors import Unwritable
from store.tables import carriers as carriers_table
from store.tables import decks, onnet_accounts, rates
from store.tables import numbers as numbers_table
from store.tables import profiles as profiles_table
from store.vault import Vault


def _upsert(table: Table) -> str:
    statement = insert(table)
    kept = {c.name: statement.excluded[c.name] for c in table.c if not c.primary_key}
    keys = list(table.primary_key.columns)
    return text_of(statement.on_conflict_do_update(index_elements=keys, set_=kept))


_SAVE_PROFILE = _upsert(profiles_table)
_SAVE_NUMBER = _upsert(numbers_table)
_SAVE_ACCOUNT = _upsert(onnet_accounts)
_SAVE_CARRIER = _upsert(carriers_table)
_REMOVE_CARRIER = text_of(delete(carriers_table).where(carriers_table.c.id == bindparam("key")))
_OPEN_DECK = text_of(
    plain_insert(decks).values(
        {name: bindparam(name) for name in ("name", "version", "currency", "valid_from")}
    )
)
_THE_DECK = (decks.c.name == bindparam("deck_name"), decks.c.version == bindparam("deck_version"))
_FIND_DECK = text_of(select(decks.c.id).where(*_THE_DECK))
_ADD_RATE = text_of(plain_insert(rates))
_COUNT_RATES = text_of(
    select(func.count()).select_from(rates).where(rates.c.deck_id == bindparam("deck"))
)
_PUT_IN_FORCE = text_of(
    update(decks).where(decks.c.id == bindparam("deck")).values(valid_from=bindparam("at"))
)


def apply(cursor: Cursor, record: Record, vault: Vault | None) -> None:
    """Write one record inside the caller's transaction; raises Unwritable or the driver's error."""
    match record:
        case ProfileSaved(profile):
            row = profiles.row_of(_needed(vault), profile)
            row["caller_id_by_country"] = json.dumps(profile.caller_id_by_country)
            cursor.execute(_SAVE_PROFILE, {"id": profile.id, **row})
        case NumberSaved(number):
            cursor.execute(_SAVE_NUMBER, numbers.row_of(number))
        case AccountSaved(account):
            _save(cursor, _SAVE_ACCOUNT, account.id, onnet.row_of(_needed(vault), account))
        case CarrierSaved(carrier):
            _save(cursor, _SAVE_CARRIER, carrier.id, carriers.row_of(_needed(vault), carrier))
        case CarrierRemoved(carrier_id):
            cursor.execute(_REMOVE_CARRIER, {"key": carrier_id})
        case DeckOpened():
            row = {"name": record.name, "version": record.version, "currency": record.currency}
            cursor.execute(_OPEN_DECK, {**row, "valid_from": None})
        case RatesAdded():
            deck = _deck(cursor, record.name, record.version)
            lines = [{"deck_id": deck, **asdict(rate)} for rate in record.rates]
            cursor.executemany(_ADD_RATE, lines)
        case TariffInForce():
            _put_in_force(cursor, record)
        case _:
            raise Unwritable(f"the journal does not know {type(record).__name__}")


def _save(cursor: Cursor, statement: str, key: int, row: Mapping[str, object]) -> None:
    cursor.execute(statement, {"id": key, **row})


def _put_in_force(cursor: Cursor, record: TariffInForce) -> None:
    deck = _deck(cursor, record.name, record.version)
    (stored,) = cursor.execute(_COUNT_RATES, {"deck": deck}).fetchone()
    if stored != record.rates:
        raise Unwritable(f"deck {record.name} has {stored} of {record.rates} rates")
    cursor.execute(_PUT_IN_FORCE, {"deck": deck, "at": to_us(record.valid_from)})


def _deck(cursor: Cursor, name: str, version: str) -> int:
    found = cursor.execute(_FIND_DECK, {"deck_name": name, "deck_version": version}).fetchone()
    if found is None:
        raise Unwritable(f"there is no deck {name} {version}")
    return int(found[0])


def _needed(vault: Vault | None) -> Vault:
    if vault is None:
        raise Unwritable("a secret cannot be stored without the vault")
    return vault
