"""Owns reading the rows of bindings (RFC 3261 §10) back; the journal writes them."""

from datetime import datetime

from sqlalchemy import Connection, Row, select

from gateway.model.binding import Binding, Flow, Owner
from store.tables import bindings


def living(connection: Connection, *, now: float, at: datetime) -> tuple[Binding, ...]:
    """Bindings that have not expired at `at`, their deadlines counted from `now`."""
    rows = connection.execute(select(bindings).where(bindings.c.expires_at > at))
    return tuple(_value(row, now, at) for row in rows)


def _value(row: Row[tuple[object, ...]], now: float, at: datetime) -> Binding:
    return Binding(
        owner=Owner(row.owner),
        owner_id=row.owner_id,
        contact=row.contact,
        flow=Flow(
            row.transport, (row.local_host, row.local_port), (row.remote_host, row.remote_port)
        ),
        sip_call_id=row.sip_call_id,
        cseq=row.cseq,
        q=row.q,
        expires_at=row.expires_at,
        deadline=now + (row.expires_at - at).total_seconds(),
        user_agent=row.user_agent,
        instance=row.instance,
        nat=row.nat,
        signed_with=row.signed_with,
    )
