"""Owns balances and holds (R53 to R56, R63, R66): no account but the world's falls below zero, and
what is held stays payable until it is posted or voided.

Remembers entries only as far as a replay must be recognised; their history is the store's.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime

from rating.entries import Entry, Hold, Posting
from rating.errors import CurrencyMismatch, ForbiddenPosting, InsufficientCredit

__all__ = ["Entry", "Hold", "Ledger", "Posting"]

WORLD = "world:"
_REMEMBERED = 10_000


class Ledger:
    """The one decider of balances: accounts by name, amounts in micro-units."""

    __slots__ = ("_balances", "_currencies", "_held", "_holds", "_overdraft", "_recent")

    def __init__(self, balances: Mapping[str, int], overdraft: str = WORLD) -> None:
        self._balances = dict(balances)
        self._overdraft = overdraft  # accounts with this prefix may be negative
        self._holds: dict[str, Hold] = {}
        self._held: dict[str, int] = {}
        self._currencies: dict[str, str] = {}  # learnt at the first use of each account
        self._recent: OrderedDict[str, Entry] = OrderedDict()
        for account, micros in self._balances.items():
            assert micros >= 0 or account.startswith(overdraft), f"{account} is below zero"

    def balance(self, account: str) -> int:
        return self._balances.get(account, 0)

    def held(self, account: str) -> int:
        return self._held.get(account, 0)

    def available(self, account: str) -> int:
        """What may still be held or moved: the balance less the holds."""
        return self.balance(account) - self.held(account)

    def balances(self) -> Mapping[str, int]:
        """Every account seen so far, as a copy."""
        return dict(self._balances)

    def find(self, hold_id: str) -> Hold | None:
        """An open hold as it stands now."""
        return self._holds.get(hold_id)

    def holds(self) -> Iterator[Hold]:
        return iter(self._holds.values())

    def hold(self, hold_id: str, account: str, micros: int, currency: str) -> Hold:
        """Reserve credit; raises InsufficientCredit and reserves nothing."""
        assert hold_id not in self._holds, f"{hold_id} holds already"
        assert micros >= 0, micros
        self._check_currency(account, currency)
        self._check_available(account, micros)
        return self._set(Hold(hold_id, account, micros, currency))

    def extend(self, hold_id: str, total_micros: int) -> Hold:
        """Raise a hold to `total_micros` in all; raises InsufficientCredit, the hold unchanged."""
        hold = self._holds[hold_id]
        assert total_micros >= hold.micros, "a hold only grows"
        self._check_available(hold.account, total_micros - hold.micros)
        return self._set(Hold(hold.id, hold.account, total_micros, hold.currency))

    def post(
        self,
        hold_id: str,
        charge_micros: int,
        to_account: str,
        entry_id: str,
        kind: str,
        at: datetime,
        ref: str,
    ) -> Entry | None:
        """Charge a hold and release what is left of it; None when there is nothing to charge."""
        known = self._recent.get(entry_id)
        if known is not None:
            if hold_id in self._holds:
                self.void(hold_id)
            return known
        hold = self._holds[hold_id]
        assert 0 <= charge_micros <= hold.micros, f"{charge_micros} of {hold.micros} held"
        self.void(hold_id)
        if charge_micros == 0:
            return None
        return self._move(
            hold.account, to_account, charge_micros, hold.currency, entry_id, kind, at, ref
        )

    def void(self, hold_id: str) -> None:
        """Release a hold without a charge."""
        hold = self._holds.pop(hold_id)
        self._held[hold.account] -= hold.micros

    def transfer(
        self,
        source: str,
        destination: str,
        micros: int,
        currency: str,
        entry_id: str,
        kind: str,
        at: datetime,
        ref: str,
    ) -> Entry:
        """Move money outside a call, whole or not at all (R60); a replay moves nothing."""
        known = self._recent.get(entry_id)
        if known is not None:
            return known
        assert micros > 0, micros
        assert source != destination, source
        if source.startswith("profile:") and not destination.startswith("manager:"):
            raise ForbiddenPosting(f"{source} to {destination}")
        self._check_currency(source, currency)
        self._check_currency(destination, currency)
        self._check_available(source, micros)
        return self._move(source, destination, micros, currency, entry_id, kind, at, ref)

    def recall(self, entry_id: str) -> Entry | None:
        """An entry that was applied, while it is remembered."""
        return self._recent.get(entry_id)

    def remember(self, entry: Entry) -> None:
        """Know an entry that was applied before, so that its replay moves nothing."""
        self._recent[entry.id] = entry
        while len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)

    def _move(
        self,
        source: str,
        destination: str,
        micros: int,
        currency: str,
        entry_id: str,
        kind: str,
        at: datetime,
        ref: str,
    ) -> Entry:
        postings = (Posting(source, -micros), Posting(destination, micros))
        entry = Entry(entry_id, kind, postings, currency, at, ref)
        for posting in postings:
            self._balances[posting.account] = self.balance(posting.account) + posting.micros
        self.remember(entry)
        return entry

    def _set(self, hold: Hold) -> Hold:
        before = self._holds.get(hold.id)
        grown = hold.micros - (before.micros if before else 0)
        self._holds[hold.id] = hold
        self._held[hold.account] = self.held(hold.account) + grown
        return hold

    def _check_available(self, account: str, micros: int) -> None:
        available = self.available(account)
        if micros > available and not account.startswith(self._overdraft):
            raise InsufficientCredit(account, micros, available)

    def _check_currency(self, account: str, currency: str) -> None:
        # The world deals in every currency: what it gave of one is the sum of those entries.
        if account.startswith(self._overdraft):
            return
        known = self._currencies.setdefault(account, currency)
        if known != currency:
            raise CurrencyMismatch(f"{account} is kept in {known}, not in {currency}")
