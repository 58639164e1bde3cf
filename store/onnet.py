"""Owns the rows of on-net accounts; passwords go in and out through the vault (R17)."""

from dataclasses import replace

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from gateway.model.onnet_account import OnnetAccount
from store.tables import onnet_accounts as table
from store.vault import Vault


def add(connection: Connection, vault: Vault, account: OnnetAccount) -> OnnetAccount:
    """Insert it; the answer carries its id. `account.id` is not looked at."""
    statement = insert(table).values(row_of(vault, account)).returning(table.c.id)
    return replace(account, id=connection.execute(statement).scalar_one())


def save(connection: Connection, vault: Vault, account: OnnetAccount) -> None:
    statement = update(table).where(table.c.id == account.id)
    connection.execute(statement.values(row_of(vault, account)))


def remove(connection: Connection, account_id: int) -> None:
    connection.execute(delete(table).where(table.c.id == account_id))


def by_name(connection: Connection, vault: Vault, name: str) -> OnnetAccount | None:
    """The account of that name, whatever its capitals."""
    statement = select(table).where(func.lower(table.c.name) == name.lower())
    row = connection.execute(statement).one_or_none()
    return None if row is None else _value(vault, row)


def every(connection: Connection, vault: Vault) -> tuple[OnnetAccount, ...]:
    rows = connection.execute(select(table).order_by(table.c.id))
    return tuple(_value(vault, row) for row in rows)


def _owner(name: str) -> str:
    return f"onnet:{name}"


def row_of(vault: Vault, account: OnnetAccount) -> dict[str, object]:
    return {
        "name": account.name,
        "password": vault.seal(account.password, _owner(account.name)),
        "profile_id": account.profile_id,
        "extension": account.extension,
    }


def _value(vault: Vault, row: Row[tuple[object, ...]]) -> OnnetAccount:
    return OnnetAccount(
        id=row.id,
        name=row.name,
        password=vault.unseal(row.password, _owner(row.name)),
        profile_id=row.profile_id,
        extension=row.extension,
    )
