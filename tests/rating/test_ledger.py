"""`rating.ledger`: double entry, holds, and nothing below zero (R53 to R56, R60, R63, R66)."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rating.errors import CurrencyMismatch, ForbiddenPosting, InsufficientCredit
from rating.ledger import Entry, Hold, Ledger, Posting

AT = datetime(2026, 3, 1, tzinfo=UTC)


def transfer(
    ledger: Ledger, source: str, destination: str, micros: int, entry_id: str = "t-1"
) -> Entry:
    return ledger.transfer(source, destination, micros, "USD", entry_id, "move", AT, "admin")


def charge(ledger: Ledger, hold_id: str, micros: int, entry_id: str = "e-1") -> Entry | None:
    return ledger.post(hold_id, micros, "world:calls", entry_id, "call", AT, hold_id)


def funded(micros: int = 10_000) -> Ledger:
    return Ledger({"profile:1": micros, "manager:1": 50_000, "world:cash": -50_000 - micros})


def test_a_hold_takes_from_what_is_available_and_not_from_the_balance() -> None:
    ledger = funded()
    assert ledger.hold("c-1", "profile:1", 3000, "USD") == Hold("c-1", "profile:1", 3000, "USD")
    assert ledger.balance("profile:1") == 10_000
    assert ledger.held("profile:1") == 3000
    assert ledger.available("profile:1") == 7000
    assert [hold.id for hold in ledger.holds()] == ["c-1"]
    assert ledger.find("c-1") == Hold("c-1", "profile:1", 3000, "USD")
    assert ledger.find("c-2") is None


def test_a_hold_beyond_the_available_credit_is_refused_whole() -> None:
    """R63, R64."""
    ledger = funded()
    ledger.hold("c-1", "profile:1", 9000, "USD")
    with pytest.raises(InsufficientCredit):
        ledger.hold("c-2", "profile:1", 1001, "USD")
    assert ledger.available("profile:1") == 1000
    ledger.hold("c-2", "profile:1", 1000, "USD")


def test_a_hold_grows_only_as_far_as_the_credit() -> None:
    ledger = funded()
    ledger.hold("c-1", "profile:1", 3000, "USD")
    assert ledger.extend("c-1", 10_000).micros == 10_000
    with pytest.raises(InsufficientCredit):
        ledger.extend("c-1", 10_001)
    assert ledger.held("profile:1") == 10_000
    with pytest.raises(AssertionError):
        ledger.extend("c-1", 9000)


def test_a_charge_is_posted_and_the_rest_of_its_hold_released() -> None:
    ledger = funded()
    ledger.hold("c-1", "profile:1", 3600, "USD")
    entry = charge(ledger, "c-1", 3000)
    assert entry is not None
    assert entry.postings == (Posting("profile:1", -3000), Posting("world:calls", 3000))
    assert ledger.available("profile:1") == ledger.balance("profile:1") == 7000
    assert ledger.balance("world:calls") == 3000


def test_a_call_that_costs_nothing_leaves_no_entry_and_no_hold() -> None:
    ledger = funded()
    ledger.hold("c-1", "profile:1", 3000, "USD")
    assert charge(ledger, "c-1", 0) is None
    assert ledger.available("profile:1") == 10_000


def test_a_replayed_charge_moves_nothing_and_frees_a_hold_made_again() -> None:
    """R66."""
    ledger = funded()
    ledger.hold("c-1", "profile:1", 3000, "USD")
    first = charge(ledger, "c-1", 3000)
    assert charge(ledger, "c-1", 3000) is first
    ledger.hold("c-1", "profile:1", 3000, "USD")
    assert charge(ledger, "c-1", 3000) is first
    assert ledger.available("profile:1") == ledger.balance("profile:1") == 7000


@pytest.mark.parametrize("micros", [-1, 3001])
def test_a_charge_beyond_its_hold_is_a_violation(micros: int) -> None:
    ledger = funded()
    ledger.hold("c-1", "profile:1", 3000, "USD")
    with pytest.raises(AssertionError):
        charge(ledger, "c-1", micros)
    assert ledger.held("profile:1") == 3000


def test_a_voided_hold_gives_everything_back() -> None:
    ledger = funded()
    ledger.hold("c-1", "profile:1", 3000, "USD")
    ledger.hold("c-2", "profile:1", 1000, "USD")
    ledger.void("c-1")
    assert ledger.available("profile:1") == 9000
    with pytest.raises(KeyError):
        ledger.void("c-1")


def test_credit_moves_from_the_manager_and_back() -> None:
    """R55, R56."""
    ledger = funded()
    transfer(ledger, "manager:1", "profile:1", 10_000, "t-1")
    transfer(ledger, "profile:1", "manager:1", ledger.available("profile:1"), "t-2")
    assert (ledger.balance("profile:1"), ledger.balance("manager:1")) == (0, 60_000)


def test_only_the_unreserved_part_can_be_taken_back() -> None:
    """R56: with live calls only what no hold covers moves."""
    ledger = funded()
    ledger.hold("c-1", "profile:1", 3000, "USD")
    with pytest.raises(InsufficientCredit):
        transfer(ledger, "profile:1", "manager:1", 7001)
    transfer(ledger, "profile:1", "manager:1", 7000)
    assert ledger.balance("profile:1") == ledger.held("profile:1") == 3000


def test_a_manager_without_funds_moves_nothing_not_even_a_part() -> None:
    """R60."""
    ledger = funded()
    with pytest.raises(InsufficientCredit) as caught:
        transfer(ledger, "manager:1", "profile:1", 50_001)
    assert caught.value.available_micros == 50_000
    assert (ledger.balance("profile:1"), ledger.balance("manager:1")) == (10_000, 50_000)


@pytest.mark.parametrize("destination", ["world:fees", "world:cash", "profile:2"])
def test_profile_credit_pays_calls_and_nothing_else(destination: str) -> None:
    """R53, R54."""
    with pytest.raises(ForbiddenPosting):
        transfer(funded(), "profile:1", destination, 1)


def test_the_calls_of_one_profile_never_touch_another() -> None:
    """R20."""
    ledger = Ledger({"profile:1": 5000, "profile:2": 5000, "world:cash": -10_000})
    ledger.hold("c-1", "profile:1", 5000, "USD")
    charge(ledger, "c-1", 5000)
    assert (ledger.balance("profile:2"), ledger.available("profile:2")) == (5000, 5000)


def test_a_replayed_transfer_returns_the_first_entry_and_moves_nothing() -> None:
    """R66."""
    ledger = funded()
    first = transfer(ledger, "manager:1", "profile:1", 500)
    assert transfer(ledger, "manager:1", "profile:1", 500) is first
    assert ledger.balance("profile:1") == 10_500


def test_an_entry_of_an_earlier_process_is_not_applied_again() -> None:
    earlier = transfer(funded(), "manager:1", "profile:1", 500)
    ledger = Ledger({"profile:1": 10_500, "manager:1": 49_500, "world:cash": -60_000})
    ledger.remember(earlier)
    assert transfer(ledger, "manager:1", "profile:1", 500) is earlier
    assert ledger.balance("profile:1") == 10_500


def test_only_a_bounded_number_of_entries_is_remembered() -> None:
    ledger = Ledger({"manager:1": 20_000})
    for number in range(10_001):
        transfer(ledger, "manager:1", "profile:1", 1, f"t-{number}")
    transfer(ledger, "manager:1", "profile:1", 1, "t-10000")
    assert ledger.balance("profile:1") == 10_001
    transfer(ledger, "manager:1", "profile:1", 1, "t-0")
    assert ledger.balance("profile:1") == 10_002


def test_an_account_keeps_one_currency_and_the_world_takes_all() -> None:
    ledger = Ledger({})
    ledger.transfer("world:cash", "manager:1", 5, "USD", "t-1", "top-up", AT, "")
    ledger.transfer("world:cash", "manager:2", 5, "EUR", "t-2", "top-up", AT, "")
    with pytest.raises(CurrencyMismatch):
        ledger.transfer("manager:1", "manager:2", 5, "USD", "t-3", "move", AT, "")
    with pytest.raises(CurrencyMismatch):
        ledger.hold("c-1", "manager:1", 1, "EUR")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda ledger: transfer(ledger, "manager:1", "profile:1", 0),
        lambda ledger: transfer(ledger, "manager:1", "profile:1", -5),
        lambda ledger: transfer(ledger, "manager:1", "manager:1", 5),
        lambda ledger: ledger.hold("c-1", "profile:1", -1, "USD"),
        lambda ledger: ledger.hold("c-0", "profile:1", 1, "USD"),
    ],
)
def test_senseless_amounts_and_doubled_holds_are_violations(
    wrong: Callable[[Ledger], object],
) -> None:
    ledger = funded()
    ledger.hold("c-0", "profile:1", 1, "USD")
    with pytest.raises(AssertionError):
        wrong(ledger)


def test_a_ledger_does_not_start_with_an_overdrawn_account() -> None:
    with pytest.raises(AssertionError):
        Ledger({"profile:1": -1})


ACCOUNTS = st.sampled_from(["profile:1", "profile:2", "manager:1", "world:cash"])
AMOUNTS = st.integers(0, 5000)


class LedgerUnderFire(RuleBasedStateMachine):
    """Random verbs against one ledger; refusals may happen, broken promises may not."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger({"manager:1": 20_000, "world:cash": -20_000})
        self.model: dict[str, Hold] = {}
        self.count = 0

    def next_id(self) -> str:
        self.count += 1
        return f"n-{self.count}"

    @rule(source=ACCOUNTS, destination=ACCOUNTS, micros=st.integers(1, 5000))
    def move(self, source: str, destination: str, micros: int) -> None:
        if source == destination:
            return
        available = self.ledger.available(source)
        entry_id = self.next_id()
        try:
            transfer(self.ledger, source, destination, micros, entry_id)
        except InsufficientCredit:
            assert available < micros
            assert not source.startswith("world:")
        except ForbiddenPosting:
            assert source.startswith("profile:")
            assert not destination.startswith("manager:")
        else:
            before = self.ledger.balances()
            transfer(self.ledger, source, destination, micros, entry_id)
            assert self.ledger.balances() == before

    @rule(account=st.sampled_from(["profile:1", "profile:2"]), micros=AMOUNTS)
    def take_hold(self, account: str, micros: int) -> None:
        available = self.ledger.available(account)
        hold_id = self.next_id()
        try:
            self.model[hold_id] = self.ledger.hold(hold_id, account, micros, "USD")
        except InsufficientCredit:
            assert available < micros

    @precondition(lambda self: self.model)
    @rule(data=st.data(), more=AMOUNTS)
    def grow_hold(self, data: st.DataObject, more: int) -> None:
        hold = self.model[data.draw(st.sampled_from(sorted(self.model)))]
        available = self.ledger.available(hold.account)
        try:
            self.model[hold.id] = self.ledger.extend(hold.id, hold.micros + more)
        except InsufficientCredit:
            assert available < more

    @precondition(lambda self: self.model)
    @rule(data=st.data(), part=st.integers(0, 100))
    def settle(self, data: st.DataObject, part: int) -> None:
        hold = self.model.pop(data.draw(st.sampled_from(sorted(self.model))))
        before = self.ledger.balance(hold.account)
        spent = hold.micros * part // 100
        entry = charge(self.ledger, hold.id, spent, self.next_id())
        assert (entry is None) == (spent == 0)
        assert self.ledger.balance(hold.account) == before - spent

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        hold = self.model.pop(data.draw(st.sampled_from(sorted(self.model))))
        self.ledger.void(hold.id)

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        assert sum(self.ledger.balances().values()) == 0

    @invariant()
    def nobody_but_the_world_is_below_zero_and_every_hold_can_be_paid(self) -> None:
        for account, micros in self.ledger.balances().items():
            held = sum(hold.micros for hold in self.model.values() if hold.account == account)
            assert self.ledger.held(account) == held
            assert self.ledger.available(account) == micros - held
            assert account.startswith("world:") or micros >= held >= 0

    @invariant()
    def the_ledger_knows_exactly_the_open_holds(self) -> None:
        assert {hold.id: hold for hold in self.ledger.holds()} == self.model


LedgerUnderFire.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestLedgerUnderFire = LedgerUnderFire.TestCase
