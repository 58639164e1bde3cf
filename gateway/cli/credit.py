"""Owns `sipgw credit`: money in, to a profile, back to its Manager, and what there is."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from gateway.cli import tell
from gateway.cli.common import ConfigOption, JsonOption
from gateway.cli.office import ask, ask_all

if TYPE_CHECKING:
    from gateway.commands.base import Json

app = typer.Typer(help="Credit: show, add, allocate, take back.", no_args_is_help=True)

Amount = Annotated[str, typer.Argument(help="Such as 25.00; in the Manager's currency.")]
ProfileArgument = Annotated[
    str, typer.Argument(metavar="PROFILE", help="The profile's name, SIP user name or id.")
]
Key = Annotated[
    str | None,
    typer.Option(help="The same key moves money once only. Default: a new one each time."),
]
Note = Annotated[str | None, typer.Option(help="Kept with the ledger entry.")]


@app.command("show")
def show(
    profile: Annotated[str | None, typer.Argument(help="Only this profile.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Balances of Managers and profiles: all, reserved by running calls, free.

    \b
    Examples:
      sipgw credit show
      sipgw credit show Sales.Architects --json
    """
    told = ask_all(config, json, "credit.show", {"profile": profile}, "profiles")
    if json:
        return tell.as_json(told)
    rows = [
        (kind, each["name"], each["balance"], each["reserved"], each["available"])
        for kind in ("manager", "profile")
        for each in tell.parts(told, f"{kind}s")
    ]
    tell.table(("KIND", "NAME", ">BALANCE", ">RESERVED", ">AVAILABLE"), rows)


@app.command("add")
def add(
    amount: Amount,
    manager: Annotated[str | None, typer.Option(help="Needed when there are several.")] = None,
    note: Note = None,
    key: Key = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Enter money that came in, for a Manager.

    \b
    Examples:
      sipgw credit add 100.00
      sipgw credit add 100.00 --manager Architects --note "bank transfer 4711" --key inv-2026-0815
    """
    _move(config, json, "credit.add", {"manager": manager, "amount": amount, "note": note}, key)


@app.command("allocate")
def allocate(
    profile: ProfileArgument,
    amount: Amount,
    note: Note = None,
    key: Key = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Move money from the Manager to one of its profiles; running calls can use it at once.

    \b
    Example:
      sipgw credit allocate Sales.Architects 10.00
    """
    given = {"profile": profile, "amount": amount, "note": note}
    _move(config, json, "credit.allocate", given, key)


@app.command("take-back")
def take_back(
    profile: ProfileArgument,
    amount: Annotated[str | None, typer.Argument(help="Default: all that is free.")] = None,
    note: Note = None,
    key: Key = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Move a profile's credit back to its Manager, except what running calls have reserved.

    \b
    Examples:
      sipgw credit take-back Sales.Architects
      sipgw credit take-back Sales.Architects 5.00
    """
    given = {"profile": profile, "amount": amount, "note": note}
    _move(config, json, "credit.take-back", given, key)


def _move(
    config: Path | None, json: bool, verb: str, args: Mapping[str, object], key: str | None
) -> None:
    used = key or uuid4().hex
    hint = f"Nobody knows yet whether it was done: repeat it with --key {used}, it moves once only"
    told = ask(config, json, verb, {**args, "key": used}, hint=hint)
    if json:
        return tell.as_json(told)
    _tell(told)


def _tell(told: "Json") -> None:
    print(told["sentence"])
    tell.table(
        ("NAME", ">BALANCE", ">RESERVED", ">AVAILABLE"),
        [
            (each["name"], each["balance"], each["reserved"], each["available"])
            for each in (tell.part(told, "from"), tell.part(told, "to"))
            if not str(each["account"]).startswith("world:")
        ],
    )
