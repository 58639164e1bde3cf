"""docs/refusals.md is the table of refusals."""

from pathlib import Path

from gateway.refusal import REFUSALS
from gateway.refusal_page import page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_in_the_repository_is_up_to_date() -> None:
    """Run `make docs` when this fails."""
    assert (DOCS / "refusals.md").read_text(encoding="utf-8") == page()


def test_every_code_has_one_row_with_all_it_says() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) == len(REFUSALS)
    for (code, template), row in zip(REFUSALS.items(), rows, strict=True):
        assert row.startswith(f"| `{code}` | {template.status}")
        assert template.sentence in row
        assert row.count("|") == 6, "nothing in it may break the table"


def test_who_is_told_another_status_is_said() -> None:
    assert "| `NO_SUBSCRIPTION` | 403, to callers from outside 480 |" in page()
