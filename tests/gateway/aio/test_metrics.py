"""docs/metrics.md names every metric, and nothing that is none (R133)."""

import re
from pathlib import Path

from tests.support.shell import fresh_metrics

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(sipgw_\w+)` \| (\w+) \| (.*?) ?\| (.+?) \|", re.MULTILINE)


def documented() -> dict[str, tuple[str, set[str]]]:
    """Type and labels by name."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len(rows) == len({name for name, *_ in rows}), "a name stands there twice"
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels, _ in rows}


def test_every_metric_is_documented_by_name_with_type_and_labels() -> None:
    """R133"""
    metrics = fresh_metrics()
    made: dict[str, tuple[str, set[str]]] = {}
    for metric in vars(metrics).values():
        if metric is metrics.registry:
            continue
        kind = type(metric).__name__.lower()
        name = metric._name + ("_total" if kind == "counter" else "")
        made[name] = (kind, {*metric._labelnames, *({"le"} if kind == "histogram" else ())})
    assert documented() == made


def test_every_line_of_the_table_was_read() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if "| `" in line[:4]]
    assert len(lines) == len(documented())
