"""Who may import whom: the contracts of pyproject.toml, and the purity a linter cannot name."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.tree import PURE, ROOT, named

IMPURE = frozenset({"asyncio", "socket", "ssl", "time", "random", "secrets", "threading"})
IMPURE |= {"sqlite3", "os", "subprocess", "selectors", "uvloop", "structlog"}


def test_the_import_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", PURE, ids=named)
def test_the_core_touches_no_socket_clock_or_disk(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        roots = {name.partition(".")[0] for name in names}
        assert not roots & IMPURE, f"{named(path)}:{node.lineno} imports {roots & IMPURE}"


@pytest.mark.parametrize("path", PURE, ids=named)
def test_the_core_asks_no_clock_and_opens_no_file(path: Path) -> None:
    """`now` and `at` are arguments; entropy comes through Ids."""
    banned = {"open", "print", "input", "eval", "exec"}
    clocks = {"now", "utcnow", "today"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(id=name):
                assert name not in banned, f"{named(path)}:{node.lineno} calls {name}"
            case ast.Attribute(value=ast.Name(id="datetime" | "date"), attr=name):
                assert name not in clocks, f"{named(path)}:{node.lineno} calls {name}"
