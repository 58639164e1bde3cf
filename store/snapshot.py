"""Owns the read of everything hot, once at start, all of the same moment."""

from datetime import datetime

from sqlalchemy import Connection

from gateway.ports import Snapshot
from store import (
    bindings,
    carriers,
    ledger,
    managers,
    numbers,
    onnet,
    open_calls,
    profiles,
    tariffs,
)
from store.vault import Vault


def load(connection: Connection, vault: Vault, now: float, at: datetime) -> Snapshot:
    """The state to start from; `now` and `at` are the same instant, monotonic and UTC."""
    return Snapshot(
        managers=managers.every(connection),
        profiles=profiles.every(connection, vault),
        onnet_accounts=onnet.every(connection, vault),
        numbers=numbers.every(connection),
        carriers=carriers.every(connection, vault),
        bindings=bindings.living(connection, now=now, at=at),
        balances=ledger.balances(connection),
        open_calls=open_calls.every(connection),
        tariff=tariffs.in_force(connection, at),
    )
