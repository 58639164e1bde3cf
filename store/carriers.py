"""Owns the rows of carriers; passwords go in and out through the vault (R17).

Two enabled carriers whose incoming calls could not be told apart are refused here, as they are
configured.
"""

from dataclasses import asdict, replace

from sqlalchemy import Connection, Row, delete, insert, select, update

from gateway.model.call import SrtpPolicy
from gateway.model.carrier import Carrier
from store.errors import Conflict
from store.tables import carriers
from store.vault import Vault


def add(connection: Connection, vault: Vault, carrier: Carrier) -> Carrier:
    """Insert it; the answer carries its id. `carrier.id` is not looked at. Raises Conflict."""
    _refuse_ambiguity(connection, carrier, None)
    statement = insert(carriers).values(row_of(vault, carrier)).returning(carriers.c.id)
    return replace(carrier, id=connection.execute(statement).scalar_one())


def save(connection: Connection, vault: Vault, carrier: Carrier) -> None:
    """Replace the row of the carrier's id; raises Conflict."""
    _refuse_ambiguity(connection, carrier, carrier.id)
    statement = update(carriers).where(carriers.c.id == carrier.id)
    connection.execute(statement.values(row_of(vault, carrier)))


def remove(connection: Connection, carrier_id: int) -> None:
    connection.execute(delete(carriers).where(carriers.c.id == carrier_id))


def every(connection: Connection, vault: Vault) -> tuple[Carrier, ...]:
    """All carriers, the first to try first."""
    rows = connection.execute(select(carriers).order_by(carriers.c.priority, carriers.c.id))
    return tuple(_value(vault, row) for row in rows)


def _refuse_ambiguity(connection: Connection, carrier: Carrier, own_id: int | None) -> None:
    if not carrier.enabled:
        return
    told_by = (carriers.c.host, carriers.c.port, carriers.c.transport, carriers.c.match_port)
    statement = select(carriers.c.id, carriers.c.name, *told_by).where(
        carriers.c.enabled, carriers.c.host == carrier.host
    )
    for row in connection.execute(statement):
        other = Carrier(
            row.id, row.name, row.host, row.port, row.transport, match_port=row.match_port
        )
        if other.id != own_id and other.sends_from == carrier.sends_from:
            host, port = carrier.sends_from
            place = f"port {port} of {host}" if port else f"any port of {host}"
            raise Conflict(
                f"carriers {other.name} and {carrier.name} both send from {place}: "
                "incoming calls could not be told apart"
            )


def _owner(name: str) -> str:
    return f"carrier:{name}"


def row_of(vault: Vault, carrier: Carrier) -> dict[str, object]:
    row = asdict(carrier)
    del row["id"]
    row["password"] = vault.seal(carrier.password, _owner(carrier.name))
    row["srtp"] = carrier.srtp.value
    return row


def _value(vault: Vault, row: Row[tuple[object, ...]]) -> Carrier:
    values = dict(row._mapping)
    values["password"] = vault.unseal(row.password, _owner(row.name))
    values["srtp"] = SrtpPolicy(row.srtp)
    return Carrier(**values)
