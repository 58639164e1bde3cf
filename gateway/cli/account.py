"""Owns `sipgw account`: on-net accounts, and attaching them to profiles as business accounts."""

from typing import Annotated

import typer

from gateway.cli import tell
from gateway.cli.common import ConfigOption, JsonOption
from gateway.cli.office import ask, ask_all

app = typer.Typer(help="Accounts: list, add, attach, detach.", no_args_is_help=True)

AccountArgument = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's name.")]
Extension = Annotated[
    str | None, typer.Option(help="What the PBX is called by. Default: the account's name.")
]


@app.command("list")
def list_accounts(
    profile: Annotated[str | None, typer.Option(help="Only accounts of this profile.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """All accounts; those with a profile are business accounts.

    \b
    Examples:
      sipgw account list
      sipgw account list --profile Sales.Architects
    """
    told = ask_all(config, json, "account.list", {"profile": profile}, "accounts")
    if json:
        return tell.as_json(told)
    rows = [
        (each["name"], each["profile"] or "-", each["extension"], each["registrations"])
        for each in tell.parts(told, "accounts")
    ]
    tell.table(("NAME", "PROFILE", "EXTENSION", ">REGISTRATIONS"), rows, "no accounts")


@app.command("add")
def add(
    account: AccountArgument,
    profile: Annotated[str | None, typer.Option(help="Attach it at once.")] = None,
    extension: Extension = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make an account; its password is made for it and printed.

    \b
    Examples:
      sipgw account add Claude.Morel
      sipgw account add Architects.Sales --profile Sales.Architects --extension 200
    """
    given = {"account": account, "profile": profile, "extension": extension}
    told = ask(config, json, "account.add", given)
    if json:
        return tell.as_json(told)
    sign_in = tell.part(told, "sign_in")
    tell.fields((name, sign_in[name]) for name in ("realm", "username", "password"))


@app.command("attach")
def attach(
    account: AccountArgument,
    profile: Annotated[str, typer.Argument(help="The one profile its calls go to.")],
    extension: Extension = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Send an account's calls to a profile. It cannot sign in meanwhile, its registrations end.

    \b
    Example:
      sipgw account attach Hiroshi.Tanaka Engineering.Architects --extension 301
    """
    given = {"account": account, "profile": profile, "extension": extension}
    told = ask(config, json, "account.attach", given)
    tell.as_json(told) if json else print(told["sentence"])


@app.command("detach")
def detach(account: AccountArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Make it a regular account again, which can sign in.

    \b
    Example:
      sipgw account detach Hiroshi.Tanaka
    """
    told = ask(config, json, "account.detach", {"account": account})
    tell.as_json(told) if json else print(told["sentence"])
