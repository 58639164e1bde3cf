"""Owns `sipgw cdr`: call records, read from the store whether a gateway runs or not."""

import csv
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli import tell
from gateway.cli.common import ConfigOption, JsonOption, settings_or_exit
from gateway.cli.office import store_path

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.model.cdr import Cdr

app = typer.Typer(help="Call records: list, search, show.", no_args_is_help=True)

_AGO = re.compile(r"([0-9]{1,5})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
WHEN = "2026-01-31, 2026-01-31T18:00 (UTC), or 30m, 24h, 7d ago."


@app.command("list")
def list_cdrs(
    profile: Annotated[str | None, typer.Option(help="Only this SIP Profile's.")] = None,
    since: Annotated[str | None, typer.Option(help=f"Started at or after: {WHEN}")] = None,
    until: Annotated[str | None, typer.Option(help="Started before.")] = None,
    number: Annotated[str, typer.Option(help="Part of the caller or the called.")] = "",
    cause: Annotated[str, typer.Option(help="How it ended, e.g. credit-exhausted.")] = "",
    refusal: Annotated[str, typer.Option(help="The refusal code, e.g. CREDIT.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1_000_000)] = 50,
    config: ConfigOption = None,
    json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Every field, comma separated.")] = False,
) -> None:
    """Call records, the newest first.

    \b
    Examples:
      sipgw cdr list
      sipgw cdr list --profile Sales.Architects --since 24h
      sipgw cdr list --since 2026-01-01 --until 2026-02-01 --limit 100000 --csv > january.csv
      sipgw cdr list --refusal CREDIT --json
    """
    from store.cdrs import CdrFilter, search

    now = datetime.now(UTC)  # noqa: TID251 - "7d" is counted from the terminal's own now
    start, end = _when(since, now, "--since"), _when(until, now, "--until")
    with _reading(config) as (connection, names):
        wanted = CdrFilter(
            profile_id=_profile_id(names, profile),
            since=start,
            until=end,
            number=number,
            cause=cause,
            refusal=refusal,
        )
        found = search(connection, wanted, limit=limit)
    if json:
        return tell.as_json({"cdrs": [_view(each, names) for each in found]})
    if as_csv:
        return _write_csv(found, names)
    columns = ("STARTED (UTC)", "CALL", "PROFILE", "KIND", "CALLER", "CALLED", ">TALKED", ">CHARGE",
               "CAUSE", "CODE")  # fmt: skip
    rows = [
        (f"{each.started_at:%Y-%m-%d %H:%M:%S}", each.call_id,
         names.get(each.profile_id, each.profile_id), each.kind, each.caller, each.called,
         f"{each.duration_s:.0f} s", _charge(each), each.cause, each.refusal)
        for each in found
    ]  # fmt: skip
    tell.table(columns, rows, "no call records match")
    if len(found) == limit:
        print(f"the newest {limit}; more with --limit")


@app.command("show")
def show(
    call: Annotated[str, typer.Argument(help="The call's id, as in cdr list and the log.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """One call record with every field, and how its price came about.

    \b
    Example:
      sipgw cdr show c-4f1b2a6c9d0e7f8a1b2c
    """
    from store.cdrs import get

    with _reading(config) as (connection, names):
        found = get(connection, call)
    if found is None:
        tell.fail(f"there is no record of {call}: a running call has its own when it ends")
    view = _view(found, names)
    tell.as_json(view) if json else tell.fields(view.items())


@contextmanager
def _reading(config: Path | None) -> "Iterator[tuple[Connection, dict[int, str]]]":
    """A reader of the store, and the names of its profiles by id."""
    from store.database import Database
    from store.errors import StoreError
    from store.profiles import names

    settings = settings_or_exit(config).settings
    path = store_path(settings)
    try:
        database = Database(path)
        try:
            with database.reader() as connection:
                yield connection, names(connection)
        finally:
            database.close()
    except (StoreError, OSError) as error:
        tell.fail(str(error))


def _profile_id(names: dict[int, str], called: str | None) -> int | None:
    if called is None:
        return None
    for profile_id, name in names.items():
        if called in (name, str(profile_id)):
            return profile_id
    tell.fail(f"there is no SIP Profile {called}")


def _when(text: str | None, now: datetime, option: str) -> datetime | None:
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    if ago:
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: write {WHEN}", param_hint=option) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _charge(cdr: "Cdr") -> str:
    from rating.money import Money

    return str(Money(cdr.charge_micros, cdr.currency)) if cdr.charge_micros else "free"


def _view(cdr: "Cdr", names: dict[int, str]) -> dict[str, object]:
    """Every field as JSON has it; `profile` and `charge` are readable beside the raw ones."""
    from dataclasses import asdict

    told: dict[str, object] = {}
    for name, value in asdict(cdr).items():
        told[name] = value.isoformat() if isinstance(value, datetime) else value
        if name == "profile_id":
            told["profile"] = names.get(cdr.profile_id, "")
        if name == "charge_micros":
            told["charge"] = _charge(cdr)
    return told


def _write_csv(found: "list[Cdr]", names: dict[int, str]) -> None:
    from dataclasses import fields

    from gateway.model.cdr import Cdr

    columns = [field.name for field in fields(Cdr)]
    at = columns.index("profile_id") + 1
    columns[at:at] = ["profile"]
    at = columns.index("charge_micros") + 1
    columns[at:at] = ["charge"]
    writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
    writer.writeheader()
    for each in found:
        row = _view(each, names)
        writer.writerow({name: _safe(value) for name, value in row.items()})


def _safe(value: object) -> object:
    """A caller's text must not become a formula in a spreadsheet; numbers stay numbers."""
    if isinstance(value, str) and value[:1] in ("=", "@", "-", "\t", "\r"):
        return f"'{value}"
    if isinstance(value, str) and value.startswith("+") and not value[1:].isdigit():
        return f"'{value}"
    return value
