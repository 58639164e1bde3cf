"""Owns the bench's store: thousands of trunks with credit, one carrier, one wide tariff."""

from pathlib import Path

from gateway.model.carrier import Carrier
from gateway.model.manager_account import ManagerAccount
from gateway.model.profile import SipProfile, Subscription
from rating.tariff import Rate
from store import carriers, managers, profiles
from store.database import Database
from store.vault import Vault
from tests.support.seed import CURRENCY, fund, put_tariff

CHANNELS = 300  # calls come from two hundred of the trunks
CREDIT_MICROS = 1_000_000_000


def seed_bench(var: Path, users: int, carrier_port: int, calling_accounts: int = 200) -> None:
    """`u0`.. with passwords `pw0`..; the first `calling_accounts` have credit."""
    database = Database(var / "sipgw.db")
    vault = Vault.open(var / "secret.key")
    try:
        with database.editor() as connection:
            manager = managers.add(
                connection, ManagerAccount(0, "Bench", "DE", CURRENCY, "Europe/Berlin", True)
            )
            added = [
                profiles.add(
                    connection,
                    vault,
                    SipProfile(
                        id=0,
                        manager_id=manager.id,
                        name=f"u{i}",
                        username=f"u{i}",
                        password=f"pw{i}",
                        channels=CHANNELS,
                        subscription=Subscription.ACTIVE,
                    ),
                )
                for i in range(users)
            ]
            fund(connection, manager, added[:calling_accounts], CREDIT_MICROS)
            quiet = Carrier(0, "bench", "127.0.0.1", carrier_port, options_interval_s=0)
            carriers.add(connection, vault, quiet)
            put_tariff(connection, [Rate("49", "Germany", 6_000), Rate("1", "USA", 6_000)])
    finally:
        database.close()
