"""Owns the `sipgw` command: its groups, what is common to them, and the exit codes.

Exit codes: 0 done, 1 refused or failed with a reason on standard error, 2 misused.
Each command imports what it needs when it runs, so that `sipgw --help` stays quick.
"""

import typer

from gateway.cli import (
    account,
    ban,
    carrier,
    cdr,
    config_check,
    credit,
    deck,
    number,
    profile,
    running,
    serve,
    try_call_door,
)
from gateway.cli.common import out

app = typer.Typer(
    name="sipgw",
    help="Open SIP trunk gateway: registrar and B2BUA with prepaid credit and a media relay.",
    epilog="Start with: sipgw serve, then in a second terminal: sipgw try",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals may hold passwords
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve", help=serve.HELP)(serve.serve)
app.add_typer(config_check.app, name="config")
try_call_door.add_to(app)
app.command("status")(running.status)
app.add_typer(running.calls_app, name="calls")
app.command("registrations")(running.registrations)
app.add_typer(profile.app, name="profile")
app.add_typer(profile.password_app, name="password")
app.add_typer(credit.app, name="credit")
app.add_typer(number.app, name="number")
app.add_typer(account.app, name="account")
app.add_typer(carrier.app, name="carrier")
app.add_typer(deck.app, name="deck")
app.add_typer(cdr.app, name="cdr")
app.add_typer(ban.app, name="ban")


@app.command("version")
def version() -> None:
    """Print the version.

    \b
    Example:
      sipgw version
    """
    from config.version import VERSION

    out.print(f"sipgw {VERSION}", highlight=False)


def main() -> None:
    """The entry point of the installed command."""
    app()
