"""Owns reading call records back: one by its call, or a page of a search (R72); the journal writes
them."""

from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, Row, Select, or_, select, tuple_

from gateway.model.call import CallId
from gateway.model.cdr import Cdr
from store.tables import cdrs

_COPIED = tuple(f.name for f in fields(Cdr) if f.name != "duration_s")


@dataclass(frozen=True, slots=True)
class CdrFilter:
    """What a search narrows down to; None and "" mean any."""

    profile_id: int | None = None
    since: datetime | None = None  # started at or after
    until: datetime | None = None  # started before
    number: str = ""  # part of the caller or the called
    cause: str = ""
    refusal: str = ""


def get(connection: Connection, call_id: CallId) -> Cdr | None:
    row = connection.execute(select(cdrs).where(cdrs.c.call_id == call_id)).one_or_none()
    return None if row is None else _value(row)


def search(
    connection: Connection,
    wanted: CdrFilter,
    *,
    limit: int = 100,
    before: Cdr | None = None,
) -> list[Cdr]:
    """The newest matches first; `before` is the last record of the page before."""
    statement = _narrowed(select(cdrs), wanted)
    if before is not None:
        position = tuple_(cdrs.c.started_at, cdrs.c.call_id)
        statement = statement.where(position < (before.started_at, before.call_id))
    statement = statement.order_by(cdrs.c.started_at.desc(), cdrs.c.call_id.desc()).limit(limit)
    return [_value(row) for row in connection.execute(statement)]


def _narrowed(
    statement: Select[tuple[object, ...]], wanted: CdrFilter
) -> Select[tuple[object, ...]]:
    if wanted.profile_id is not None:
        statement = statement.where(cdrs.c.profile_id == wanted.profile_id)
    if wanted.since is not None:
        statement = statement.where(cdrs.c.started_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(cdrs.c.started_at < wanted.until)
    if wanted.number:
        columns = (cdrs.c.caller, cdrs.c.called)
        statement = statement.where(
            or_(*(column.contains(wanted.number, autoescape=True) for column in columns))
        )
    if wanted.cause:
        statement = statement.where(cdrs.c.cause == wanted.cause)
    if wanted.refusal:
        statement = statement.where(cdrs.c.refusal == wanted.refusal)
    return statement


def _value(row: Row[tuple[object, ...]]) -> Cdr:
    values = {name: row._mapping[name] for name in _COPIED}
    return Cdr(**values, duration_s=row.duration_us / 1_000_000)
