"""Owns what test stores hold: a company, trunks of each kind, numbers, accounts and carriers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from gateway.model.call import SrtpPolicy
from gateway.model.carrier import Carrier
from gateway.model.manager_account import ManagerAccount
from gateway.model.online_number import OnlineNumber
from gateway.model.onnet_account import OnnetAccount
from gateway.model.profile import AuthMode, SipProfile, Subscription
from rating.ledger import Ledger
from rating.tariff import Rate, Tariff
from store import carriers, managers, numbers, onnet, profiles, tariffs
from store import ledger as ledger_rows
from store.database import Database
from store.vault import Vault

CURRENCY = "USD"
PBX = ("pbx-registered", "secret-of-the-pbx")
POOR_PBX = ("pbx-without-credit", "secret-of-the-poor")
SMALL_PBX = ("pbx-with-one-channel", "secret-of-the-small")
IP_PBX = "pbx-by-address"
NUMBER = "+12026555376"
IP_NUMBER = "+12026555300"
CALLER = ("Claude.Morel", "secret-of-claude")
ACCOUNT = "Architects.Sales"
PLAIN_ACCOUNT = "Hiroshi.Tanaka"
EXTENSION = "200"
CALLER_ID = NUMBER
CREDIT_MICROS = 10_000_000
PER_MINUTE_MICROS = 6_000  # the golden prices of R69
GOLDEN_RATES = (
    Rate("1", "United States", PER_MINUTE_MICROS),
    Rate("44", "United Kingdom", 12_000),
    Rate("49", "Germany", 15_000),
)
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seeded:
    """The ids of what was made."""

    manager: ManagerAccount
    pbx: SipProfile
    poor: SipProfile
    small: SipProfile
    by_address: SipProfile | None
    carrier: Carrier


def carrier_at(host: str, port: int, name: str = "main", **changes: object) -> Carrier:
    """A carrier that nobody asks by OPTIONS, unless the test wants it."""
    quiet = Carrier(id=0, name=name, host=host, port=port, options_interval_s=0)
    return replace(quiet, **changes)  # type: ignore[arg-type]


def seed(
    var: Path,
    carrier: Carrier,
    *,
    more_carriers: Iterable[Carrier] = (),
    ip_pbx: tuple[str, int] | None = None,
    srtp: SrtpPolicy = SrtpPolicy.OPTIONAL,
    sha256: bool = False,
) -> Seeded:
    """Fill the store of a gateway that does not run yet."""
    database = Database(var / "sipgw.db")
    vault = Vault.open(var / "secret.key")
    try:
        with database.editor() as connection:
            made = _fill(connection, vault, carrier, ip_pbx, srtp, sha256)
            for each in more_carriers:
                carriers.add(connection, vault, each)
    finally:
        database.close()
    return made


def _fill(
    connection: Connection,
    vault: Vault,
    carrier: Carrier,
    ip_pbx: tuple[str, int] | None,
    srtp: SrtpPolicy,
    sha256: bool,
) -> Seeded:
    manager = managers.add(
        connection, ManagerAccount(0, "Architects", "US", CURRENCY, "America/New_York", True)
    )
    base = SipProfile(
        id=0,
        manager_id=manager.id,
        name="",
        username="",
        password="",
        channels=4,
        subscription=Subscription.ACTIVE,
        srtp=srtp,
        sha256=sha256,
        caller_id=CALLER_ID,
    )

    def add(username: str, password: str, **changes: object) -> SipProfile:
        profile = replace(base, name=username, username=username, password=password, **changes)  # type: ignore[arg-type]
        return profiles.add(connection, vault, profile)

    pbx, poor, small = add(*PBX), add(*POOR_PBX), add(*SMALL_PBX, channels=1)
    by_address = None
    if ip_pbx is not None:
        by_address = add(IP_PBX, "", mode=AuthMode.IP, address=ip_pbx, caller_id="")
        numbers.save(connection, OnlineNumber(IP_NUMBER, by_address.id))
    numbers.save(connection, OnlineNumber(NUMBER, pbx.id))
    onnet.add(connection, vault, OnnetAccount(0, CALLER[0], CALLER[1]))
    onnet.add(connection, vault, OnnetAccount(0, ACCOUNT, "unused-1", pbx.id, EXTENSION))
    onnet.add(connection, vault, OnnetAccount(0, PLAIN_ACCOUNT, "unused-2", pbx.id))
    added = carriers.add(connection, vault, carrier)
    put_tariff(connection, GOLDEN_RATES)
    rich = [pbx, small] + ([by_address] if by_address is not None else [])
    fund(connection, manager, rich, CREDIT_MICROS)
    return Seeded(manager, pbx, poor, small, by_address, added)


def put_tariff(connection: Connection, rates: Iterable[Rate]) -> None:
    deck = tariffs.add(connection, Tariff("test", "1", CURRENCY, rates))
    tariffs.put_in_force(connection, deck, YESTERDAY)


def fund(
    connection: Connection, manager: ManagerAccount, funded: Iterable[SipProfile], micros: int
) -> None:
    """Cash to the Manager, and from there to each profile."""
    ledger = Ledger({})
    for profile in funded:
        for source, destination, kind in (
            ("world:cash", manager.account, "top-up"),
            (manager.account, profile.account, "allocation"),
        ):
            entry = ledger.transfer(
                source,
                destination,
                micros,
                CURRENCY,
                f"{kind}-{profile.id}",
                kind,
                YESTERDAY,
                ref="seed",
            )
            ledger_rows.post(connection, entry)
