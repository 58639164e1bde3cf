"""Owns reading balances and entries back, and posting from outside a running gateway.

The one decider of balances is `rating/ledger` in the gateway's memory: while a gateway serves, only
its journal posts.
"""

from sqlalchemy import Connection, Row, Select, select

from rating.ledger import Entry, Posting
from store import journal
from store.engine import driver_of
from store.tables import accounts, entries, postings


def post(connection: Connection, entry: Entry) -> bool:
    """Apply an entry; False when it was applied before."""
    return journal.post(driver_of(connection).cursor(), entry)


def balances(connection: Connection) -> dict[str, int]:
    """Micro-units by ledger account."""
    return {row.name: row.balance for row in connection.execute(select(accounts))}


def recent(connection: Connection, limit: int = 10_000) -> list[Entry]:
    """The last entries, oldest first: what a new ledger shall remember."""
    ids = select(entries.c.id).order_by(entries.c.at.desc(), entries.c.id.desc()).limit(limit)
    return _entries(connection, ids)


def get(connection: Connection, entry_id: str) -> Entry | None:
    found = _entries(connection, select(entries.c.id).where(entries.c.id == entry_id))
    return found[0] if found else None


def of_account(connection: Connection, account: str, limit: int = 100) -> list[Entry]:
    """The last entries that moved money of one account, oldest first."""
    ids = (
        select(entries.c.id)
        .join(postings)
        .where(postings.c.account == account)
        .order_by(entries.c.at.desc(), entries.c.id.desc())
        .limit(limit)
    )
    return _entries(connection, ids)


def _entries(connection: Connection, ids: Select[tuple[str]]) -> list[Entry]:
    statement = (
        select(entries, postings.c.account, postings.c.micros)
        .join(postings)
        .where(entries.c.id.in_(ids))
        .order_by(entries.c.at, entries.c.id, postings.c.position)
    )
    sides: dict[str, list[Posting]] = {}
    heads: dict[str, Row[tuple[object, ...]]] = {}
    for row in connection.execute(statement):
        heads[row.id] = row
        sides.setdefault(row.id, []).append(Posting(row.account, row.micros))
    return [
        Entry(row.id, row.kind, tuple(sides[row.id]), row.currency, row.at, row.ref)
        for row in heads.values()
    ]
