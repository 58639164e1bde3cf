"""Owns the rows of Managers: companies' accounts. Their balances are the ledger's."""

from dataclasses import replace

from sqlalchemy import Connection, Row, insert, select, update

from gateway.model.manager_account import ManagerAccount
from store.tables import managers


def add(connection: Connection, manager: ManagerAccount) -> ManagerAccount:
    """Insert it; the answer carries its id. `manager.id` is not looked at."""
    statement = insert(managers).values(_row(manager)).returning(managers.c.id)
    return replace(manager, id=connection.execute(statement).scalar_one())


def save(connection: Connection, manager: ManagerAccount) -> None:
    connection.execute(update(managers).where(managers.c.id == manager.id).values(_row(manager)))


def get(connection: Connection, manager_id: int) -> ManagerAccount | None:
    row = connection.execute(select(managers).where(managers.c.id == manager_id)).one_or_none()
    return None if row is None else _value(row)


def every(connection: Connection) -> tuple[ManagerAccount, ...]:
    return tuple(_value(row) for row in connection.execute(select(managers).order_by("id")))


def _row(manager: ManagerAccount) -> dict[str, object]:
    return {
        "name": manager.name,
        "country": manager.country,
        "currency": manager.currency,
        "zone": manager.zone,
        "verified": manager.verified,
    }


def _value(row: Row[tuple[object, ...]]) -> ManagerAccount:
    return ManagerAccount(**row._mapping)
