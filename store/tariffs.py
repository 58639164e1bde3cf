"""Owns the rows of rate decks: every version that was loaded, and which is in force when (R67)."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import Connection, Row, insert, select, update

from rating.tariff import Rate, Tariff
from store.tables import decks, rates


def add(connection: Connection, tariff: Tariff) -> int:
    """Load a deck without putting it in force; the answer is its id."""
    row = {"name": tariff.name, "version": tariff.version, "currency": tariff.currency}
    statement = insert(decks).values(row).returning(decks.c.id)
    deck_id: int = connection.execute(statement).scalar_one()
    lines = [{"deck_id": deck_id, **asdict(rate)} for rate in tariff.rates()]
    if lines:
        connection.execute(insert(rates), lines)
    return deck_id


def put_in_force(connection: Connection, deck_id: int, valid_from: datetime) -> None:
    connection.execute(update(decks).where(decks.c.id == deck_id).values(valid_from=valid_from))


def in_force(connection: Connection, at: datetime) -> Tariff | None:
    """The deck that prices calls which start at `at`."""
    newest = (
        select(decks)
        .where(decks.c.valid_from <= at)
        .order_by(decks.c.valid_from.desc(), decks.c.id.desc())
        .limit(1)
    )
    return _loaded(connection, connection.execute(newest).one_or_none())


def get(connection: Connection, name: str, version: str) -> Tariff | None:
    deck = select(decks).where(decks.c.name == name, decks.c.version == version)
    return _loaded(connection, connection.execute(deck).one_or_none())


def every(connection: Connection) -> tuple[tuple[int, str, str, datetime | None], ...]:
    """Id, name, version and begin of validity of all decks, the latest loaded first."""
    columns = (decks.c.id, decks.c.name, decks.c.version, decks.c.valid_from)
    rows = connection.execute(select(*columns).order_by(decks.c.id.desc()))
    return tuple((row.id, row.name, row.version, row.valid_from) for row in rows)


def _loaded(connection: Connection, deck: Row[tuple[object, ...]] | None) -> Tariff | None:
    if deck is None:
        return None
    columns = [column for column in rates.c if column is not rates.c.deck_id]
    rows = connection.execute(select(*columns).where(rates.c.deck_id == deck.id).order_by("prefix"))
    return Tariff(deck.name, deck.version, deck.currency, (Rate(*row) for row in rows))
