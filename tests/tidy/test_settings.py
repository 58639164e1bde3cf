"""No setting without an effect: each one is read by the code that it is for."""

import ast

from pydantic import BaseModel

from config.settings import Listener, Settings
from tests.tidy.tree import SOURCES, named

# Settings whose reader is not built yet. This list only ever shrinks.
NOT_READ_YET = {
    "engine",  # one media engine so far
}


def names(model: type[BaseModel]) -> set[str]:
    found: set[str] = set()
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found |= names(kind)
        else:
            found.add(name)
    return found


def read() -> set[str]:
    """Every attribute that the gateway reads, and what the settings' own properties read."""
    found: set[str] = set()
    for path in SOURCES:
        if named(path).startswith(("gateway/", "config/")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return found


def test_every_setting_is_read() -> None:
    assert (names(Settings) | names(Listener)) - read() - NOT_READ_YET == set()
