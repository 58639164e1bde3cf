"""docs/requirements.md tells the truth: its tests exist, and what is done says so in a test."""

import ast
import re
from dataclasses import dataclass

import pytest

from tests.tidy.tree import ROOT

PAGE = ROOT / "docs" / "requirements.md"
ROW = re.compile(r"^\| (\d+b?) \| (.*) \| (.*?) ?\| (\w+) \|$")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
STATES = {"done", "thin", "open", "later"}


@dataclass(frozen=True, slots=True)
class Row:
    number: str
    tests: tuple[tuple[str, str], ...]  # file and function
    state: str


def rows() -> list[Row]:
    found = []
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if match := ROW.match(line):
            found.append(Row(match[1], tuple(TEST.findall(match[3])), match[4]))
    return found


def docstrings(file: str) -> dict[str, str]:
    """Each test function of a file with its docstring, the module's put before it."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    module = ast.get_docstring(tree) or ""
    functions = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {node.name: f"{module}\n{ast.get_docstring(node) or ''}" for node in functions}


def test_every_requirement_has_one_row() -> None:
    numbers = [row.number for row in rows()]
    expected = {str(number) for number in range(1, 135)} | {"120b"}
    assert len(numbers) == len(set(numbers)) == 135
    assert set(numbers) == expected


def test_every_table_line_is_read_as_a_row() -> None:
    text = PAGE.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if re.match(r"\| \d", line)]
    assert [line for line in lines if not ROW.match(line)] == []


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"R{row.number}")
def test_a_row_is_as_far_as_it_says(row: Row) -> None:
    assert row.state in STATES
    for file, name in row.tests:
        assert (ROOT / file).is_file(), f"R{row.number} names {file}, which does not exist"
        assert name in docstrings(file), f"R{row.number} names {file}::{name}, which does not exist"
    if row.state in ("done", "thin"):
        assert row.tests, f"R{row.number} is {row.state} but names no test"
    if row.state == "done":
        named = re.compile(rf"\bR{row.number}\b")
        told = [docstrings(file)[name] for file, name in row.tests]
        assert any(named.search(text) for text in told), f"no test of R{row.number} says so"
