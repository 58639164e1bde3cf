"""What call records look like in a spreadsheet."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from gateway.cli.cdr import _safe, _when

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("text", ["=1+1", "@x", "-1", "+1+cmd", "\t=1"])
def test_a_callers_text_is_no_formula(text: str) -> None:
    assert _safe(text) == f"'{text}"


@pytest.mark.parametrize("value", ["+12026555300", "Claude", 12, None, ""])
def test_numbers_stay_numbers(value: object) -> None:
    assert _safe(value) == value


@pytest.mark.parametrize(
    ("text", "at"),
    [
        (None, None),
        ("2026-01-31", datetime(2026, 1, 31, tzinfo=UTC)),
        ("2026-01-31T18:00", datetime(2026, 1, 31, 18, tzinfo=UTC)),
        ("2026-01-31T18:00+01:00", datetime(2026, 1, 31, 17, tzinfo=UTC)),
        ("30m", NOW - timedelta(minutes=30)),
        ("7d", NOW - timedelta(days=7)),
    ],
)
def test_times_are_utc_or_counted_from_now(text: str | None, at: datetime | None) -> None:
    assert _when(text, NOW, "--since") == at


def test_another_time_is_a_misuse() -> None:
    with pytest.raises(typer.BadParameter):
        _when("soon", NOW, "--since")
