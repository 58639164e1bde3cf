"""Owns `sipgw config`: say what is wrong with a settings file, or what it amounts to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.common import out, settings_or_exit

if TYPE_CHECKING:
    from config.settings import Listener, Settings

app = typer.Typer(help="Settings: check a file before it goes live.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Keeps `check` a sub-command while it is the only one."""


@app.command("check")
def check(
    file: Annotated[
        Path | None,
        typer.Argument(help="Default: SIPGW_CONFIG, then ./gateway.toml, then built-in defaults."),
    ] = None,
) -> None:
    """Explain a bad file by line and field (exit code 1), or print what a good one amounts to.

    \b
    Examples:
      sipgw config check
      sipgw config check /etc/sipgw/gateway.toml
    """
    loaded = settings_or_exit(file)
    out.print(f"OK: {loaded.file or 'built-in defaults'}", markup=False, highlight=False)
    out.print(_listeners(loaded.settings), markup=False, highlight=False)
    for name, value in _facts(loaded.settings):
        out.print(f"{name:<10} {value}", markup=False, highlight=False)


def _listeners(settings: "Settings") -> str:
    rows = [("listener", "transport", "bind", "advertised as", "if it fails")]
    rows += [
        (
            each.name,
            each.transport,
            each.bind,
            each.advertise or _automatic(each),
            "logged" if each.optional else "no start",
        )
        for each in settings.listeners
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _automatic(listener: "Listener") -> str:
    wildcard = listener.address[0] in ("0.0.0.0", "::")
    return "(our address towards each peer)" if wildcard else "(as bound)"


def _facts(settings: "Settings") -> list[tuple[str, str]]:
    media = settings.media
    return [
        ("realms", ", ".join(settings.realms)),
        ("media", f"{media.engine}, UDP ports {media.port_min}-{media.port_max}"),
        ("http", settings.http.bind),
        ("store", str(settings.store_path)),
        ("certs", f"{settings.cert_path}, {settings.key_path}"),
        ("simulator", f"{settings.simulator.enabled}, {settings.simulator.bind}"),
        ("log", f"{settings.log.path}, {settings.log.level}, {settings.log.format}"),
    ]
