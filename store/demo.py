"""Owns the example company (R23): Architects, with its two trunks, accounts, numbers and credit.

Fills an empty store only. Which carrier takes its calls is the operator's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from gateway.credentials import new_password
from gateway.model.manager_account import ManagerAccount
from gateway.model.online_number import OnlineNumber
from gateway.model.onnet_account import OnnetAccount
from gateway.model.profile import SipProfile, Subscription
from gateway.ports import Ids
from rating.ledger import Ledger
from rating.money import Money
from rating.tariff import read_deck
from store import ledger as ledger_rows
from store import managers, numbers, onnet, profiles, tariffs
from store.database import Database
from store.errors import NotEmpty
from store.vault import Vault

ENGINEERING_NUMBER = "+12026555376"
SALES_NUMBER = "+12026555300"
_CURRENCY = "USD"
_FIRST_USERNAME = 99051000100001
_CHANNELS = 10


@dataclass(frozen=True, slots=True)
class DemoCompany:
    """What was made, its secrets in clear for whoever shall connect a PBX."""

    manager: ManagerAccount
    sales: SipProfile
    engineering: SipProfile
    accounts: tuple[OnnetAccount, ...]


def seed(
    connection: Connection,
    vault: Vault,
    *,
    deck: Iterable[str],
    ids: Ids,
    at: datetime,
) -> DemoCompany:
    """Make the company; `deck` is the text of its tariff. Raises NotEmpty, and BadDeck."""
    if managers.every(connection):
        raise NotEmpty("the store holds a company already")
    manager = managers.add(
        connection,
        ManagerAccount(0, "Architects", "US", _CURRENCY, "America/New_York", verified=True),
    )
    sales, engineering = (
        _add_profile(connection, vault, manager, name, caller_id, new_password(ids))
        for name, caller_id in (("Sales", SALES_NUMBER), ("Engineering", ""))
    )
    numbers.save(connection, OnlineNumber(SALES_NUMBER, sales.id))
    numbers.save(connection, OnlineNumber(ENGINEERING_NUMBER, engineering.id))
    accounts = tuple(
        onnet.add(
            connection, vault, OnnetAccount(0, name, new_password(ids), profile_id, extension)
        )
        for name, profile_id, extension in (
            ("Architects.Sales", sales.id, "200"),
            ("Architects.Engineering", engineering.id, "300"),
            ("Hiroshi.Tanaka", engineering.id, ""),
            ("Vanessa.Lombardi", sales.id, ""),
            ("Claude.Morel", None, ""),
        )
    )
    tariff = read_deck(deck, name="demo", version="1", currency=_CURRENCY)
    tariffs.put_in_force(connection, tariffs.add(connection, tariff), at)
    _fund(connection, manager, (sales, engineering), at)
    return DemoCompany(manager, sales, engineering, accounts)


def seed_demo(
    database: Database, vault: Vault, deck: Path, ids: Ids, at: datetime
) -> DemoCompany | None:
    """Fill an empty store; None when it holds a company already, and nothing is changed."""
    try:
        with database.editor() as connection, deck.open(encoding="utf-8") as lines:
            return seed(connection, vault, deck=lines, ids=ids, at=at)
    except NotEmpty:
        return None


def _add_profile(
    connection: Connection,
    vault: Vault,
    manager: ManagerAccount,
    team: str,
    caller_id: str,
    password: str,
) -> SipProfile:
    taken = len(profiles.every(connection, vault))
    return profiles.add(
        connection,
        vault,
        SipProfile(
            id=0,
            manager_id=manager.id,
            name=f"{team}.{manager.name}",
            username=str(_FIRST_USERNAME + taken),
            password=password,
            channels=_CHANNELS,
            subscription=Subscription.ACTIVE,
            caller_id=caller_id,
            home_country=manager.country,
        ),
    )


def _fund(
    connection: Connection,
    manager: ManagerAccount,
    funded: tuple[SipProfile, ...],
    at: datetime,
) -> None:
    """$100.00 for the Manager, and of it $10.00 of credit for each profile (R55)."""
    ledger = Ledger({})
    moves = [("world:cash", manager.account, "100.00", "top-up")]
    moves += [(manager.account, profile.account, "10.00", "allocation") for profile in funded]
    for source, destination, amount, kind in moves:
        micros = Money.parse(amount, _CURRENCY).micros
        entry_id = f"demo-{kind}-{destination}"
        entry = ledger.transfer(
            source, destination, micros, _CURRENCY, entry_id, kind, at, ref="demo"
        )
        ledger_rows.post(connection, entry)
