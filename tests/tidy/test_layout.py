"""The form of the repository: folders, sizes, and a docstring and a test for each file."""

import ast
from pathlib import Path

import pytest

from tests.tidy.tree import EVERY_PYTHON, PURE, ROOT, SOURCES, named

FILE_LINES = 500
FUNCTION_LINES = 60

# Files whose behaviour is tested elsewhere, with the place. This list only ever shrinks.
TESTED_ELSEWHERE: dict[str, str] = {}


def test_the_top_level_has_the_promised_rooms() -> None:
    """R131: pyproject.toml, the packages, tests, Dockerfile and README stand at the top."""
    folders = ("gateway", "sip", "media", "rating", "config", "certs", "tests")
    assert [name for name in folders if not (ROOT / name).is_dir()] == []
    files = ("pyproject.toml", "Dockerfile", "README.md")
    assert [name for name in files if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("path", EVERY_PYTHON, ids=named)
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    assert lines <= FILE_LINES, f"{named(path)} has {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            where = f"{named(path)}:{node.lineno} {node.name}"
            assert length <= FUNCTION_LINES, f"{where} has {length} lines"


@pytest.mark.parametrize("path", EVERY_PYTHON, ids=named)
def test_every_module_says_what_it_owns(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name != "__init__.py" or text.strip():
        assert ast.get_docstring(ast.parse(text)), f"{named(path)} has no docstring"


def mirror(path: Path) -> Path:
    name = path.relative_to(ROOT)
    return ROOT / "tests" / name.parent / f"test_{name.name}"


def has_behaviour(path: Path) -> bool:
    """True when a module does more than declare data, re-export and promise (Protocols)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return any(not _is_ellipsis(node.body[-1]) for node in functions)


def _is_ellipsis(node: ast.stmt) -> bool:
    match node:
        case ast.Expr(value=ast.Constant(value=value)):
            return value is ...
    return False


@pytest.mark.parametrize("path", [each for each in PURE if has_behaviour(each)], ids=named)
def test_every_pure_file_has_its_test_file(path: Path) -> None:
    if named(path) not in TESTED_ELSEWHERE:
        assert mirror(path).is_file(), f"{named(mirror(path))} is missing"


def test_no_exception_outlives_its_reason() -> None:
    for name in TESTED_ELSEWHERE:
        assert (ROOT / name).is_file(), f"{name} is gone"
        assert not mirror(ROOT / name).is_file(), f"{name} has its test file now"


@pytest.mark.parametrize("path", [p for p in SOURCES if named(p).startswith("rating/")], ids=named)
def test_money_is_never_a_float(path: Path) -> None:
    """R66: integer micro-units. A duration may be a float (its name ends in `_s`), a price not."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{named(path)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float), f"{where} has the float {node.value}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "float", f"{where} converts to float"
        if isinstance(node, ast.BinOp):
            assert not isinstance(node.op, ast.Div), f"{where} divides with /"
        if isinstance(node, ast.arg) and _is_float(node.annotation):
            assert node.arg.endswith("_s"), f"{where}: {node.arg} is a float"
        if isinstance(node, ast.AnnAssign) and _is_float(node.annotation):
            name = ast.unparse(node.target)
            assert name.endswith("_s"), f"{where}: {name} is a float"


def _is_float(annotation: ast.expr | None) -> bool:
    return annotation is not None and "float" in ast.unparse(annotation)
