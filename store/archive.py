"""Owns answering `gateway.ports.Archive` from the database: what is too old for memory."""

from sqlalchemy import select

from rating.ledger import Entry
from store import ledger
from store.database import Database
from store.tables import decks


class StoreArchive:
    """Each question opens a reader of its own: answers are committed facts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entry(self, entry_id: str) -> Entry | None:
        with self._database.reader() as connection:
            return ledger.get(connection, entry_id)

    def has_deck(self, name: str, version: str) -> bool:
        deck = select(decks.c.id).where(decks.c.name == name, decks.c.version == version)
        with self._database.reader() as connection:
            return connection.execute(deck).first() is not None
