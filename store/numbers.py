"""Owns the rows of Online Numbers: the inventory and which profile each number rings (R104)."""

from sqlalchemy import Connection, delete, select

from gateway.model.online_number import OnlineNumber
from store.engine import insert
from store.tables import numbers


def save(connection: Connection, number: OnlineNumber) -> None:
    """Put the number into the inventory, or change where it rings."""
    row = row_of(number)
    statement = insert(numbers).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=[numbers.c.number], set_=row))


def remove(connection: Connection, number: str) -> None:
    connection.execute(delete(numbers).where(numbers.c.number == number))


def get(connection: Connection, number: str) -> OnlineNumber | None:
    row = connection.execute(select(numbers).where(numbers.c.number == number)).one_or_none()
    return None if row is None else OnlineNumber(**row._mapping)


def every(connection: Connection, profile_id: int | None = None) -> tuple[OnlineNumber, ...]:
    """All numbers, or those that ring one profile."""
    statement = select(numbers).order_by(numbers.c.number)
    if profile_id is not None:
        statement = statement.where(numbers.c.profile_id == profile_id)
    return tuple(OnlineNumber(**row._mapping) for row in connection.execute(statement))


def row_of(number: OnlineNumber) -> dict[str, object]:
    return {
        "number": number.number,
        "profile_id": number.profile_id,
        "suspended": number.suspended,
    }
