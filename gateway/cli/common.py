"""Owns what the commands share: where they print, and how they read the settings."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from config.load import Loaded

out = Console(soft_wrap=True)
err = Console(stderr=True, soft_wrap=True)

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Settings file. Default: SIPGW_CONFIG, then ./gateway.toml, then built-in defaults.",
    ),
]

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def settings_or_exit(file: Path | None) -> "Loaded":
    """Read the settings; a bad file is explained line by line and ends the command with 1."""
    from config.load import ConfigError, load

    try:
        loaded = load(file, os.environ)
    except ConfigError as error:
        for problem in error.problems:
            err.print(str(problem), markup=False, highlight=False)
        count = len(error.problems)
        err.print(f"{count} {'fault' if count == 1 else 'faults'} in the settings", highlight=False)
        raise typer.Exit(1) from None
    for name in loaded.unknown_variables:
        err.print(f"note: {name} sets nothing", markup=False, highlight=False)
    return loaded
