"""Owns how answers are printed: tables and fields for people, JSON for programs, and errors.

Errors go to standard error with what to do next, and end the command with 1.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from gateway.cli.common import err

if TYPE_CHECKING:
    from gateway.commands.base import CommandError

WIDE = 250  # for pipes: nothing is cut or folded there
RIGHT = ">"  # a column heading that begins with it is aligned to the right


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str = "none") -> None:
    """A heading and rows; `empty` when there are none."""
    found = list(rows)
    if not found:
        print(empty)
        return
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        right = column.startswith(RIGHT)
        shown.add_column(
            escape(column.removeprefix(RIGHT)),
            justify="right" if right else "left",
            overflow="fold",
        )
    for row in found:
        shown.add_row(*(Text(text(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else WIDE).print(shown)


def fields(pairs: Iterable[tuple[str, object]]) -> None:
    """One line each: name and value; empty values are left out."""
    kept = [(name, text(value)) for name, value in pairs if text(value)]
    width = max((len(name) for name, _ in kept), default=0)
    for name, value in kept:
        print(f"{name:<{width}}  {value}")


def as_json(value: object) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))


def text(value: object) -> str:
    """A value as people read it: money by its text, lists by commas."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case {"text": str() as told}:
            return told
        case [*items]:
            return ", ".join(text(item) for item in items)
        case _:
            return str(value)


def part(answer: Mapping[str, object], name: str) -> dict[str, object]:
    """The object of that name in an answer."""
    found = answer[name]
    assert isinstance(found, dict)
    return found


def parts(answer: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """The list of objects of that name in an answer."""
    found = answer[name]
    assert isinstance(found, list)
    return found


def duration(seconds: object) -> str:
    """h:mm:ss"""
    assert isinstance(seconds, int | float)
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def fail(sentence: str) -> NoReturn:
    err.print(f"sipgw: {sentence}", markup=False, highlight=False)
    raise typer.Exit(1)


def refused(error: "CommandError", json_wanted: bool) -> NoReturn:
    """What the gateway would not do, with its code, and the details line by line."""
    if json_wanted:
        told = {"code": error.code, "sentence": error.sentence, "details": list(error.details)}
        print(json.dumps({"error": told}, ensure_ascii=False), file=sys.stderr)
        raise typer.Exit(1)
    for detail in error.details:
        shown = detail
        if isinstance(detail, dict):
            shown = f"line {detail.get('line')}: {detail.get('problem')}"
        err.print(str(shown), markup=False, highlight=False)
    fail(f"{error.sentence} [{error.code}]")
