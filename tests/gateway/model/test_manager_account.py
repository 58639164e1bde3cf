"""A company's account."""

from tests.support.factories import manager, profile


def test_manager_and_profile_keep_their_money_apart() -> None:
    """R20, R30: each has a ledger account of its own."""
    assert manager(1).account == "manager:1"
    assert profile(1).account == "profile:1"
