"""docs/pbx names tests that exist, and its matrix every agent that has a page."""

import re
from pathlib import Path

import pytest

from tests.tidy.test_requirements import docstrings
from tests.tidy.tree import ROOT, named

FOLDER = ROOT / "docs" / "pbx"
MATRIX = (FOLDER / "README.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=named)
def test_every_test_a_page_names_exists(page: Path) -> None:
    """R127: the matrix is of what is run."""
    found = TEST.findall(page.read_text(encoding="utf-8"))
    assert found
    for file, name in found:
        assert (ROOT / file).is_file(), f"{file} does not exist"
        assert not name or name in docstrings(file), f"{file}::{name} does not exist"


def test_every_page_is_in_the_matrix() -> None:
    pages = [page.name for page in FOLDER.glob("*.md") if page.name != "README.md"]
    assert [page for page in pages if f"({page})" not in MATRIX] == []
