"""Owns the store of load tests: one trunk by address, one carrier, one number, some credit."""

from dataclasses import dataclass
from pathlib import Path

from gateway.model.carrier import Carrier
from gateway.model.manager_account import ManagerAccount
from gateway.model.online_number import OnlineNumber
from gateway.model.profile import AuthMode, SipProfile, Subscription
from store import carriers, managers, numbers, profiles
from store.database import Database
from store.vault import Vault
from tests.support.seed import CURRENCY, GOLDEN_RATES, NUMBER, fund, put_tariff

FIRST_INCREMENT = 3_000  # 30 s to the United States at 0.006 a minute
CREDIT = 100_000_000
DESTINATION = "+17035550100"


@dataclass(frozen=True, slots=True)
class LoadSeed:
    profile: SipProfile
    number: str = NUMBER

    @property
    def account(self) -> str:
        return self.profile.account


def seed_load(
    var: Path,
    pbx: tuple[str, int],
    carrier: tuple[str, int],
    *,
    channels: int = 300,
    credit_micros: int = CREDIT,
    transport: str = "udp",
) -> LoadSeed:
    """Fill the store of a gateway that does not run yet."""
    var.mkdir(parents=True, exist_ok=True)
    database = Database(var / "sipgw.db")
    vault = Vault.open(var / "secret.key")
    try:
        with database.editor() as connection:
            manager = managers.add(
                connection, ManagerAccount(0, "Load", "US", CURRENCY, "America/New_York", True)
            )
            profile = profiles.add(
                connection,
                vault,
                SipProfile(
                    id=0,
                    manager_id=manager.id,
                    name="Load",
                    username="load",
                    password="secret-of-load",
                    mode=AuthMode.IP,
                    address=pbx,
                    transport=transport,
                    channels=channels,
                    subscription=Subscription.ACTIVE,
                ),
            )
            numbers.save(connection, OnlineNumber(NUMBER, profile.id))
            carriers.add(connection, vault, Carrier(0, "main", *carrier))
            put_tariff(connection, GOLDEN_RATES)
            fund(connection, manager, [profile], credit_micros)
    finally:
        database.close()
    return LoadSeed(profile)
