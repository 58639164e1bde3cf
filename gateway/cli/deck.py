"""Owns `sipgw deck`: rate decks, loaded whole or not at all, and what a number costs."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import tell
from gateway.cli.common import ConfigOption, JsonOption, err
from gateway.cli.office import ask, office

app = typer.Typer(help="Rate decks: load one, look rates up.", no_args_is_help=True)


@app.command("load")
def load(
    file: Annotated[
        Path,
        typer.Argument(help="CSV: prefix,destination,per_minute[,connect_fee]", dir_okay=False),
    ],
    name: Annotated[str, typer.Option(help="What this deck is called.")],
    version: Annotated[str | None, typer.Option(help="Default: the time of loading.")] = None,
    currency: Annotated[str | None, typer.Option(help="Default: the Managers' own.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Put a rate deck in force for new calls; running calls keep their rate.

    Every bad row is told with its line, and then nothing is loaded.

    \b
    Examples:
      sipgw deck load rates.csv --name standard
      sipgw deck load rates.csv --name standard --version 2026-02 --currency USD
    """
    from rich.progress import Progress

    try:
        lines = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        tell.fail(f"{file} is not UTF-8 text (octet {error.start}): save it as UTF-8")
    except OSError as error:
        tell.fail(f"{file} cannot be read: {error.strerror}")
    given = {"name": name, "version": version, "currency": currency}
    args = {key: value for key, value in given.items() if value is not None}
    bar = Progress(console=err, transient=True, disable=not err.is_terminal)
    with office(config, json) as found, bar:
        task = bar.add_task(f"loading {file.name}", total=len(lines))
        told = found.load_deck(lines, args, lambda count: bar.advance(task, count))
    if json:
        return tell.as_json(told)
    deck = tell.part(told, "deck")
    print(
        f"{deck['rates']} rates of {deck['name']} {deck['version']} ({deck['currency']}) "
        "are in force for new calls."
    )


@app.command("show")
def show(
    prefix: Annotated[
        str, typer.Argument(help="Digits, country code first: a prefix or a whole number.")
    ] = "",
    limit: Annotated[int, typer.Option(help="At most this many rates.", min=1, max=1000)] = 50,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """The deck in force: the rate that prices a number, and the rates below a prefix.

    \b
    Examples:
      sipgw deck show
      sipgw deck show 4420
      sipgw deck show +12026555376
    """
    told = ask(config, json, "deck.show", {"prefix": prefix, "limit": limit})
    if json:
        return tell.as_json(told)
    deck = tell.part(told, "deck")
    print(f"{deck['name']} {deck['version']}, {deck['rates']} rates in {deck['currency']}")
    if told["applies"] is not None:
        print(f"{prefix} is priced by:")
        _table([tell.part(told, "applies")])
    elif prefix:
        print(f"{prefix} itself has no rate.")
    rates = tell.parts(told, "rates")
    if rates and rates != [told["applies"]]:
        print(f"{len(rates)} of {told['matching']} rates{f' below {prefix}' if prefix else ''}:")
        _table(rates)


def _table(rates: list[dict[str, object]]) -> None:
    rows = [
        (each["prefix"], each["destination"], each["per_minute"], each["connection"],
         f"{each['first_s']}/{each['step_s']}")
        for each in rates
    ]  # fmt: skip
    tell.table(("PREFIX", "DESTINATION", ">PER MINUTE", ">CONNECTION", ">INCREMENTS"), rows)
