"""Owns `sipgw serve`: run the gateway in the foreground until it is told to stop."""

from typing import Annotated

import typer

from gateway.cli.common import ConfigOption, settings_or_exit

HELP = """Run the gateway in the foreground. SIGTERM or Ctrl-C drains and stops it.

\b
Examples:
  sipgw serve
  sipgw serve --demo
  sipgw serve --config /etc/sipgw/gateway.toml
  SIPGW_LOG__LEVEL=debug sipgw serve
"""


DemoOption = Annotated[
    bool, typer.Option("--demo", help="Fill an empty store with a profile, a number and credit.")
]


def serve(config: ConfigOption = None, demo: DemoOption = False) -> None:
    """Read the settings and hand over; the exit code is the gateway's."""
    loaded = settings_or_exit(config)
    from gateway.bootstrap import serve as run

    raise typer.Exit(run(loaded.settings, demo))
