"""Owns `sipgw ban`: sources that guessed passwords, and letting them in again (R86)."""

from typing import Annotated

import typer

from gateway.cli import tell
from gateway.cli.common import ConfigOption, JsonOption
from gateway.cli.office import ask

app = typer.Typer(help="Sources banned for wrong passwords: list, lift.", no_args_is_help=True)


@app.command("list")
def list_bans(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Banned sources of the running gateway, and when each is let in again.

    \b
    Examples:
      sipgw ban list
      sipgw ban list --json
    """
    told = ask(config, json, "bans", {}, live=True)
    if json:
        return tell.as_json(told)
    rows = [
        (each["source"], each["failures"], tell.duration(each["ends_in_s"]))
        for each in tell.parts(told, "bans")
    ]
    tell.table(("SOURCE", ">WRONG PASSWORDS", ">ENDS IN"), rows, "nobody is banned")


@app.command("lift")
def lift(
    source: Annotated[str, typer.Argument(help="As sipgw ban list shows it.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Let a source in again at once, once its password is right.

    \b
    Examples:
      sipgw ban lift 192.0.2.7
      sipgw ban lift 2001:db8:1:2::/64
    """
    told = ask(config, json, "bans.lift", {"source": source}, live=True)
    if json:
        return tell.as_json(told)
    print(told["sentence"])
