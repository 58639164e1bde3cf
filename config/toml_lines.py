"""Owns the way back from a key to its line in a TOML file, which `tomllib` does not tell.

Knows just enough of the grammar to skip strings, comments and values over several lines; a key
inside an inline table or array is found at the line where that table or array begins.
"""

import re

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?$")
_NAME = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_KEY = re.compile(rf"^\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")
_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'")
_OPENINGS = ('"""', "'''")


def line_of(text: str, path: Path) -> int | None:
    """The 1-based line of `path`, or of its nearest parent that stands in the file."""
    lines = index(text)
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def index(text: str) -> dict[Path, int]:
    """Every table header and key of the file with its first line."""
    lines: dict[Path, int] = {}
    arrays: dict[Path, int] = {}
    table: Path = ()
    skip = _Value()
    for number, line in enumerate(text.splitlines(), 1):
        if skip.open:
            skip.feed(line)
            continue
        if header := _HEADER.match(line):
            table = _resolve(_names(header[2]), arrays)
            if header[1] == "[[":
                position = arrays.get(table, -1) + 1
                arrays[table] = position
                lines.setdefault(table, number)
                table = (*table, position)
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            names = _names(key[1])
            for length in range(1, len(names) + 1):
                lines.setdefault(table + names[:length], number)
            skip.feed(line[key.end() :])
    return lines


def _names(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _resolve(names: tuple[str, ...], arrays: dict[Path, int]) -> Path:
    """Put the current position behind each array of tables but the last name."""
    path: Path = ()
    for name in names[:-1]:
        path = (*path, name)
        if path in arrays:
            path = (*path, arrays[path])
    return (*path, names[-1])


class _Value:
    """Says whether the value that began on an earlier line is still open."""

    def __init__(self) -> None:
        self._quotes = ""
        self._depth = 0

    @property
    def open(self) -> bool:
        return bool(self._quotes) or self._depth > 0

    def feed(self, line: str) -> None:
        while line:
            if self._quotes:
                _, found, line = line.partition(self._quotes)
                if not found:
                    return
                self._quotes = ""
            elif line.startswith(_OPENINGS):
                self._quotes, line = line[:3], line[3:]
            elif string := _STRING.match(line):
                line = line[string.end() :]
            elif line[0] == "#":
                return
            else:
                self._depth += (line[0] in "[{") - (line[0] in "]}")
                line = line[1:]
