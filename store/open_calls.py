"""Owns reading open calls back after a crash (R73); the journal writes and removes their rows."""

from sqlalchemy import Connection, Row, select

from gateway.model.record import CallAdmitted, OpenCall
from rating.tariff import Rate
from store.tables import open_calls


def every(connection: Connection) -> tuple[OpenCall, ...]:
    """The calls that the last process did not finish, the oldest first."""
    rows = connection.execute(select(open_calls).order_by(open_calls.c.started_at))
    return tuple(_value(row) for row in rows)


def _rate(row: Row[tuple[object, ...]]) -> Rate | None:
    """None for a call that is not rated; a rate has steps."""
    if not row.rate_step_s:
        return None
    return Rate(
        row.rate_prefix,
        row.rate_destination,
        row.rate_per_min_micros,
        row.rate_connect_micros,
        row.rate_first_s,
        row.rate_step_s,
    )


def _value(row: Row[tuple[object, ...]]) -> OpenCall:
    admitted = CallAdmitted(
        call_id=row.call_id,
        profile_id=row.profile_id,
        kind=row.kind,
        direction=row.direction,
        caller=row.caller,
        called=row.called,
        started_at=row.started_at,
        a_sip_call_id=row.a_sip_call_id,
        held_micros=row.admitted_micros,
        currency=row.currency,
        rate=_rate(row),
    )
    return OpenCall(
        admitted=admitted,
        held_micros=row.held_micros,
        answered_at=row.answered_at,
        last_beat_at=row.last_beat_at,
        target=row.target,
        a_dialog=row.a_dialog,
        b_dialog=row.b_dialog,
    )
