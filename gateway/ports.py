"""Owns the promises of the shells to each other: Protocols written by the side that needs them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.model.binding import Binding
from gateway.model.carrier import Carrier
from gateway.model.manager_account import ManagerAccount
from gateway.model.online_number import OnlineNumber
from gateway.model.onnet_account import OnnetAccount
from gateway.model.profile import SipProfile
from gateway.model.record import OpenCall, Record
from rating.ledger import Entry
from rating.tariff import Tariff


class Clock(Protocol):
    """Two times, never mixed: monotonic seconds for timers, UTC for records."""

    def now(self) -> float: ...

    def at(self) -> datetime: ...


class Ids(Protocol):
    """All entropy of the gateway (tags, branches, call ids, SRTP keys) comes from here."""

    def token(self, octets: int = 8) -> str:
        """Lower-case hexadecimal of `octets` random octets."""
        ...

    def octets(self, count: int) -> bytes: ...


class Journal(Protocol):
    """The writer: one thread, group commit, full sync."""

    def write(self, records: Sequence[Record], done: Callable[[bool], None] | None = None) -> None:
        """Queue one atomic batch; `done(durable)` is called on the event loop after its commit."""
        ...


class Archive(Protocol):
    """What only the store remembers; asked by rare commands, never by a call."""

    def entry(self, entry_id: str) -> Entry | None:
        """A ledger entry that was ever posted."""
        ...

    def has_deck(self, name: str, version: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything hot, read once at start. Balances by ledger account, in micro-units."""

    managers: tuple[ManagerAccount, ...]
    profiles: tuple[SipProfile, ...]
    onnet_accounts: tuple[OnnetAccount, ...]
    numbers: tuple[OnlineNumber, ...]
    carriers: tuple[Carrier, ...]
    bindings: tuple[Binding, ...]
    balances: dict[str, int]
    open_calls: tuple[OpenCall, ...]
    tariff: Tariff | None
