"""What a dead process left open is billed to its proof of life and given back (R73)."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.aftermath import close_open_call
from gateway.model.record import CallAdmitted, OpenCall
from rating.tariff import Rate
from tests.support.factories import hot_state, manager, profile

ADMITTED_AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ANSWERED_AT = ADMITTED_AT + timedelta(seconds=4)
RATE = Rate("44", "United Kingdom", 6_000)
NOW_AT = ADMITTED_AT + timedelta(hours=2)


def open_call(held_micros: int, answered: bool, beat_s: float | None) -> OpenCall:
    admitted = CallAdmitted(
        "c-1", 1, "pstn", "outgoing", "+12026555300", "+442079460123", ADMITTED_AT, "a@pbx",
        held_micros, "USD", RATE if held_micros else None,
    )  # fmt: skip
    beat_at = None if beat_s is None else ANSWERED_AT + timedelta(seconds=beat_s)
    return OpenCall(admitted, held_micros, ANSWERED_AT if answered else None, beat_at, "c", "", "")


@pytest.mark.parametrize(
    ("held_micros", "answered", "beat_s", "billed_s", "charge"),
    [
        (3_000, False, None, 0, 0),  # never answered: free
        (3_000, True, None, 0, 0),  # answered, no heartbeat: nothing is proven
        (3_000, True, 5.0, 30, 3_000),
        (6_600, True, 61.0, 66, 6_600),
        (3_000, True, 61.0, 30, 3_000),  # proven longer than paid for: never beyond the hold
        (0, True, 61.0, 0, 0),  # incoming and echo
    ],
)
def test_an_open_call_is_billed_to_its_last_heartbeat_and_never_past_it(
    held_micros: int, answered: bool, beat_s: float | None, billed_s: int, charge: int
) -> None:
    """R63, R73"""
    hot = hot_state(profiles=(profile(),), managers=(manager(),), balances={"profile:1": 10_000})
    settled = close_open_call(open_call(held_micros, answered, beat_s), hot, NOW_AT)
    assert (settled.cdr.billed_s, settled.cdr.charge_micros) == (billed_s, charge)
    assert settled.cdr.cause == "gateway-restart"
    assert hot.ledger.balance("profile:1") == 10_000 - charge
    assert hot.ledger.held("profile:1") == 0
    assert (settled.entry is not None) is (charge > 0)
    assert settled.cdr.ended_at <= ANSWERED_AT + timedelta(seconds=beat_s or 0)


def test_credit_taken_elsewhere_meanwhile_is_not_charged_again() -> None:
    """R63: the balance stays at zero or above, and the gateway starts."""
    hot = hot_state(profiles=(profile(),), managers=(manager(),), balances={"profile:1": 3_500})
    settled = close_open_call(open_call(6_600, True, 61.0), hot, NOW_AT)
    assert (settled.cdr.billed_s, settled.cdr.charge_micros) == (30, 3_000)
    assert hot.ledger.balance("profile:1") == 500
    hot = hot_state(profiles=(profile(),), managers=(manager(),), balances={"profile:1": 10})
    settled = close_open_call(open_call(6_600, True, 61.0), hot, NOW_AT)
    assert (settled.cdr.billed_s, settled.cdr.charge_micros, settled.entry) == (0, 0, None)


def test_a_call_of_a_profile_that_is_no_more_is_settled_all_the_same() -> None:
    """R118"""
    hot = hot_state(profiles=(), managers=(manager(),), balances={"profile:1": 10_000})
    settled = close_open_call(open_call(3_000, True, 5.0), hot, NOW_AT)
    assert settled.cdr.charge_micros == 3_000
    assert hot.ledger.balance("profile:1") == 7_000
