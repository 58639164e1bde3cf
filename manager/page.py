"""Owns the health page: the status as readable tables, without a line of script."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

CONSOLE = Path(__file__).parent / "console"
STATIC = CONSOLE / "static"

Status = Mapping[str, object]

_templates = Environment(
    loader=FileSystemLoader(CONSOLE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def health_page(status: Status) -> str:
    """HTML of the whole status; plain values first, then one table for each list or mapping."""
    plain = {name: value for name, value in status.items() if not _is_table(value)}
    tables = {name: _rows(value) for name, value in status.items() if _is_table(value)}
    page = _templates.get_template("health.html")
    return page.render(state=status.get("status", "unknown"), plain=plain, tables=tables)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping | list | tuple)


def _rows(value: object) -> list[list[str]]:
    """A heading row and the rows below it."""
    if isinstance(value, Mapping):
        return [["what", "value"], *([str(name), str(each)] for name, each in value.items())]
    assert isinstance(value, list | tuple)
    if not value or not all(isinstance(each, Mapping) for each in value):
        return [["value"], *([str(each)] for each in value)]
    heading = list(dict.fromkeys(str(name) for each in value for name in each))
    return [heading, *([str(each.get(name, "")) for name in heading] for each in value)]
