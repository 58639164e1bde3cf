"""Owns the rows of SIP Profiles; passwords go in and out through the vault (R17).

Leases live in memory only, credit is the ledger's.
"""

from dataclasses import replace

from sqlalchemy import Connection, Row, delete, insert, select, update

from gateway.model.call import Dialect, SrtpPolicy
from gateway.model.profile import AuthMode, OldPassword, SipProfile, Subscription
from store.tables import managers, old_passwords, profiles
from store.vault import Vault

_SELECT = select(profiles, managers.c.country).join(managers)


def add(connection: Connection, vault: Vault, profile: SipProfile) -> SipProfile:
    """Insert it; the answer carries its id. `profile.id` is not looked at."""
    statement = insert(profiles).values(row_of(vault, profile)).returning(profiles.c.id)
    added = replace(profile, id=connection.execute(statement).scalar_one())
    _keep_old(connection, vault, added)
    return added


def save(connection: Connection, vault: Vault, profile: SipProfile) -> None:
    statement = update(profiles).where(profiles.c.id == profile.id)
    connection.execute(statement.values(row_of(vault, profile)))
    _keep_old(connection, vault, profile)


def get(connection: Connection, vault: Vault, profile_id: int) -> SipProfile | None:
    row = connection.execute(_SELECT.where(profiles.c.id == profile_id)).one_or_none()
    return None if row is None else _value(vault, row, _old(connection, vault, row))


def by_username(connection: Connection, vault: Vault, username: str) -> SipProfile | None:
    row = connection.execute(_SELECT.where(profiles.c.username == username)).one_or_none()
    return None if row is None else _value(vault, row, _old(connection, vault, row))


def every(
    connection: Connection, vault: Vault, manager_id: int | None = None
) -> tuple[SipProfile, ...]:
    """All profiles, or those of one Manager."""
    statement = _SELECT.order_by(profiles.c.id)
    if manager_id is not None:
        statement = statement.where(profiles.c.manager_id == manager_id)
    with_old = set(connection.scalars(select(old_passwords.c.profile_id).distinct()))
    return tuple(
        _value(vault, row, _old(connection, vault, row) if row.id in with_old else ())
        for row in connection.execute(statement).all()
    )


def names(connection: Connection) -> dict[int, str]:
    """The names by id; asks for no secret."""
    rows = connection.execute(select(profiles.c.id, profiles.c.name).order_by(profiles.c.id))
    return {row.id: row.name for row in rows}


def owner_of(username: str) -> str:
    """Whose secret it is, as the vault names them."""
    return f"profile:{username}"


def row_of(vault: Vault, profile: SipProfile) -> dict[str, object]:
    host, port = profile.address or (None, None)
    return {
        "manager_id": profile.manager_id,
        "name": profile.name,
        "username": profile.username,
        "password": vault.seal(profile.password, owner_of(profile.username)),
        "mode": profile.mode.value,
        "host": host,
        "port": port,
        "transport": profile.transport,
        "channels": profile.channels,
        "subscription": profile.subscription.value,
        "dialect": profile.dialect.value,
        "srtp": profile.srtp.value,
        "sha256": profile.sha256,
        "require_tls": profile.require_tls,
        "caller_id": profile.caller_id,
        "caller_id_by_country": profile.caller_id_by_country,
    }


def _keep_old(connection: Connection, vault: Vault, profile: SipProfile) -> None:
    connection.execute(delete(old_passwords).where(old_passwords.c.profile_id == profile.id))
    for position, old in enumerate(profile.old_passwords):
        sealed = vault.seal(old.password, owner_of(profile.username))
        row = (profile.id, position, sealed, old.valid_until)
        connection.execute(insert(old_passwords).values(row))


def _old(
    connection: Connection, vault: Vault, row: Row[tuple[object, ...]]
) -> tuple[OldPassword, ...]:
    statement = select(old_passwords).where(old_passwords.c.profile_id == row.id)
    return tuple(
        OldPassword(vault.unseal(old.password, owner_of(row.username)), old.valid_until)
        for old in connection.execute(statement.order_by(old_passwords.c.position))
    )


def _value(vault: Vault, row: Row[tuple[object, ...]], old: tuple[OldPassword, ...]) -> SipProfile:
    return SipProfile(
        id=row.id,
        manager_id=row.manager_id,
        name=row.name,
        username=row.username,
        password=vault.unseal(row.password, owner_of(row.username)),
        mode=AuthMode(row.mode),
        address=None if row.host is None else (row.host, row.port),
        transport=row.transport,
        channels=row.channels,
        subscription=Subscription(row.subscription),
        dialect=Dialect(row.dialect),
        srtp=SrtpPolicy(row.srtp),
        sha256=row.sha256,
        require_tls=row.require_tls,
        caller_id=row.caller_id,
        caller_id_by_country=row.caller_id_by_country,
        home_country=row.country,
        old_passwords=old,
    )
