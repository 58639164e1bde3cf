"""Commands about credit."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.commands.base import CommandError
from gateway.hot_state import HotState
from gateway.model.record import EntryPosted
from tests.support import factories as make
from tests.support.asking import call, code, yes
from tests.support.commands import KeptArchive, carry_out, decide, do, env, records, refused
from tests.support.commands import code as refusal_code

KEY = "key-00001"


def company(**balances: int) -> HotState:
    """One Manager with 100, profiles 1 and 2 with 10 and nothing."""
    given = {"manager:1": 100_000_000, "profile:1": 10_000_000}
    profiles = (make.profile(1), make.profile(2))
    return make.hot_state(profiles=profiles, balances={**given, **balances})


def balances(hot: HotState) -> dict[str, int]:
    return {name: hot.ledger.balance(name) for name in ("manager:1", "profile:1", "profile:2")}


def test_allocating_moves_credit_from_the_manager_to_the_profile() -> None:
    """R55."""
    hot = company()
    told: Any = do(hot, "credit.allocate", profile="2", amount="12.50", key=KEY)
    assert balances(hot) == {
        "manager:1": 87_500_000, "profile:1": 10_000_000, "profile:2": 12_500_000,
    }  # fmt: skip
    assert told["sentence"] == "Profile.2 got 12.50 USD."
    assert told["to"]["balance"]["text"] == "12.50 USD"


def test_money_that_came_in_is_the_managers() -> None:
    """R10."""
    hot = company()
    change = decide(hot, "credit.add", amount="5.00 USD", key=KEY, note="transfer 4711")
    (record,) = records(change)
    assert isinstance(record, EntryPosted)
    assert record.entry.ref == "transfer 4711"
    carry_out(hot, change)
    assert hot.ledger.balance("manager:1") == 105_000_000
    assert hot.ledger.balance("world:cash") == -5_000_000


def test_taking_back_leaves_what_running_calls_have_reserved_and_says_so() -> None:
    """R56."""
    hot = company()
    yes(call(hot))
    held = hot.ledger.held("profile:1")
    assert held > 0
    told: Any = do(hot, "credit.take-back", profile="1", key=KEY)
    assert hot.ledger.balance("profile:1") == held == hot.ledger.held("profile:1")
    assert told["moved"]["micros"] == 10_000_000 - held
    assert "0.003 USD stay reserved for running calls" in told["sentence"]


def test_taking_back_without_calls_returns_the_whole_rest() -> None:
    """R56."""
    hot = company()
    told: Any = do(hot, "credit.take-back", profile="1", key=KEY)
    assert hot.ledger.balance("profile:1") == 0
    assert told["sentence"] == "Company 1 got back 10.00 USD."
    error = refused(lambda: do(hot, "credit.take-back", profile="1", key="another-key"))
    assert (error.code, error.sentence) == (
        "INSUFFICIENT_CREDIT", "there is no credit to take back",
    )  # fmt: skip


def test_when_all_is_reserved_nothing_can_be_taken_back() -> None:
    """R56."""
    hot = company(**{"profile:1": 3_000})
    yes(call(hot))
    error = refused(lambda: do(hot, "credit.take-back", profile="1", key=KEY))
    assert "reserved for running calls" in error.sentence


def test_more_than_there_is_moves_nothing() -> None:
    """R60: no part of it."""
    hot = company()
    before = balances(hot)
    error = refused(lambda: do(hot, "credit.allocate", profile="2", amount="100.01", key=KEY))
    assert error.code == "INSUFFICIENT_CREDIT"
    assert error.sentence.startswith("only 100.00 USD can be moved; nothing was")
    assert balances(hot) == before
    assert list(hot.ledger.holds()) == []


def test_a_key_moves_money_once_however_often_it_is_asked() -> None:
    """R66: and across a restart, when memory has forgotten it."""
    hot, archive = company(), KeptArchive()
    first = decide(hot, "credit.allocate", env(archive), profile="2", amount="1.00", key=KEY)
    archive.keep(records(first))
    carry_out(hot, first)
    again: Any = do(hot, "credit.allocate", env(archive), profile="2", amount="1.00", key=KEY)
    assert again["replayed"] is True
    assert again["sentence"].startswith("Done before, on 2026-01-05 10:00:00 UTC")
    assert hot.ledger.balance("profile:2") == 1_000_000
    restarted = company(**{"manager:1": 99_000_000, "profile:2": 1_000_000})
    do(restarted, "credit.allocate", env(archive), profile="2", amount="1.00", key=KEY)
    assert restarted.ledger.balance("profile:2") == 1_000_000


@pytest.mark.parametrize("other", [{"profile": "1"}, {"amount": "2.00"}])
def test_a_key_is_never_taken_for_another_movement(other: dict[str, object]) -> None:
    hot = company()
    ask: dict[str, object] = {"profile": "2", "amount": "1.00", "key": KEY}
    do(hot, "credit.allocate", None, **ask)
    assert refusal_code(hot, "credit.allocate", None, **{**ask, **other}) == "KEY_REUSED"


def test_until_it_is_durable_money_is_nobodys() -> None:
    """R66: it cannot be spent twice, and a failed write gives it back."""
    hot = company()
    change = decide(hot, "credit.take-back", profile="1", key=KEY)
    assert hot.ledger.available("profile:1") == 0
    assert hot.ledger.balance("manager:1") == 100_000_000
    assert code(call(hot)) == "CREDIT"
    change.undo(hot)
    assert hot.ledger.available("profile:1") == 10_000_000
    yes(call(hot))
    again = decide(hot, "credit.take-back", profile="1", key=KEY)  # the same key may try again
    assert again.batches


@pytest.mark.parametrize("amount", ["0", "-1", "ten", "1.0000001", "1 EUR", "1,5", "1e3"])
def test_amounts_are_exact_positive_and_in_the_managers_currency(amount: str) -> None:
    ask: dict[str, object] = {"profile": "1", "amount": amount, "key": KEY}
    assert refusal_code(company(), "credit.allocate", None, **ask) == "BAD_AMOUNT"


@pytest.mark.parametrize("key", ["short", "with blank", "x" * 81, "ümlaut-key"])
def test_a_key_is_long_enough_to_be_the_only_one(key: str) -> None:
    ask: dict[str, object] = {"profile": "1", "amount": "1", "key": key}
    assert refusal_code(company(), "credit.allocate", None, **ask) == "BAD_ARGUMENT"


def test_balances_show_what_is_reserved_and_what_is_free() -> None:
    """R8."""
    hot = company()
    yes(call(hot))
    told: Any = do(hot, "credit.show")
    assert [each["name"] for each in told["managers"]] == ["Company 1"]
    first = told["profiles"][0]
    assert first["reserved"]["text"] == "0.003 USD"
    assert first["available"]["micros"] == 10_000_000 - 3_000
    one: Any = do(hot, "credit.show", profile="2")
    assert [each["name"] for each in one["profiles"]] == ["Profile.2"]


moves = st.lists(
    st.tuples(
        st.sampled_from(["credit.allocate", "credit.take-back"]),
        st.sampled_from(["1", "2"]),
        st.integers(1, 20_000_000),
    ),
    max_size=12,
)


@given(moves)
def test_transfers_keep_the_sum_and_never_touch_another_profile(
    asked: list[tuple[str, str, int]],
) -> None:
    """R20, R55: constant sum, nothing below zero, each profile its own budget."""
    hot = company()
    total = sum(balances(hot).values())
    for position, (verb, profile, micros) in enumerate(asked):
        other = f"profile:{3 - int(profile)}"
        before = hot.ledger.balance(other)
        amount = f"{micros // 1_000_000}.{micros % 1_000_000:06}"
        ask: dict[str, object] = {"profile": profile, "amount": amount, "key": f"key-{position:05}"}
        with suppress(CommandError):  # there is not as much
            do(hot, verb, None, **ask)
        assert hot.ledger.balance(other) == before
        assert min(balances(hot).values()) >= 0
        assert sum(balances(hot).values()) == total
        assert list(hot.ledger.holds()) == []
