"""Owns `sipgw number`: the inventory of Online Numbers and which profile each rings."""

from typing import Annotated

import typer

from gateway.cli import tell
from gateway.cli.common import ConfigOption, JsonOption
from gateway.cli.office import ask, ask_all

app = typer.Typer(help="Online Numbers: list, add, assign.", no_args_is_help=True)

NumberArgument = Annotated[
    str, typer.Argument(metavar="NUMBER", help="With its plus, such as +12026555376.")
]


@app.command("list")
def list_numbers(
    profile: Annotated[str | None, typer.Option(help="Only numbers of this profile.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """All numbers and where they ring.

    \b
    Examples:
      sipgw number list
      sipgw number list --profile Sales.Architects
    """
    told = ask_all(config, json, "number.list", {"profile": profile}, "numbers")
    if json:
        return tell.as_json(told)
    rows = [
        (each["number"], each["profile"] or "(stock)", each["suspended"])
        for each in tell.parts(told, "numbers")
    ]
    tell.table(("NUMBER", "PROFILE", "SUSPENDED"), rows, "no numbers")


@app.command("add")
def add(
    number: NumberArgument,
    profile: Annotated[str | None, typer.Option(help="Where it rings. Default: stock.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Put a number into the inventory.

    \b
    Examples:
      sipgw number add +12026555376
      sipgw number add +12026555376 --profile Sales.Architects
    """
    told = ask(config, json, "number.add", {"number": number, "profile": profile})
    _tell(tell.part(told, "number")) if not json else tell.as_json(told)


@app.command("assign")
def assign(
    number: NumberArgument,
    profile: Annotated[str | None, typer.Argument(help="Where it rings from now on.")] = None,
    stock: Annotated[bool, typer.Option("--stock", help="It rings nowhere.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Let a number ring at a profile; the very next call goes there.

    \b
    Examples:
      sipgw number assign +12026555376 Engineering.Architects
      sipgw number assign +12026555376 --stock
    """
    if (profile is None) != stock:
        raise typer.BadParameter("name a profile, or say --stock")
    told = ask(config, json, "number.assign", {"number": number, "profile": profile})
    _tell(tell.part(told, "number")) if not json else tell.as_json(told)


def _tell(number: dict[str, object]) -> None:
    where = f"rings at {number['profile']}" if number["profile"] else "is in stock, rings nowhere"
    print(f"{number['number']} {where}.")
