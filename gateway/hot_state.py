"""The one decider's memory: every noun the call path asks for, indexed, with money and bindings.

Changed only by synchronous calls on the event loop, so nothing here can race (R12, R35). Nothing is
written down here; the journal records that go with a change are the caller's.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import ip_address
from typing import TypeVar

from gateway.location import Location
from gateway.model.binding import Flow
from gateway.model.carrier import ANY_PORT, Carrier
from gateway.model.manager_account import ManagerAccount
from gateway.model.online_number import OnlineNumber
from gateway.model.onnet_account import OnnetAccount
from gateway.model.profile import AuthMode, SipProfile
from gateway.ports import Snapshot
from rating.ledger import Ledger
from rating.tariff import Tariff

_Key = TypeVar("_Key")


class HotState:
    """Look-ups are one dictionary access each, whatever the number of profiles (R12)."""

    __slots__ = (
        "carrier_by_address",
        "carrier_by_id",
        "carriers",
        "ledger",
        "location",
        "manager_by_id",
        "number_by_e164",
        "numbers_by_profile",
        "onnet_by_id",
        "onnet_by_name",
        "profile_by_address",
        "profile_by_id",
        "profile_by_stream_host",
        "profile_by_username",
        "realms",
        "tariff",
    )

    def __init__(self, snapshot: Snapshot, realms: tuple[str, ...]) -> None:
        self.realms = tuple(realm.lower() for realm in realms)
        self.manager_by_id: dict[int, ManagerAccount] = {m.id: m for m in snapshot.managers}
        self.profile_by_id: dict[int, SipProfile] = {}
        self.profile_by_username: dict[str, SipProfile] = {}
        self.profile_by_address: dict[tuple[str, int], SipProfile] = {}
        self.profile_by_stream_host: dict[tuple[str, str], SipProfile] = {}
        self.onnet_by_id: dict[int, OnnetAccount] = {}
        self.onnet_by_name: dict[str, OnnetAccount] = {}  # key: casefolded name
        self.number_by_e164: dict[str, OnlineNumber] = {}  # key: "+" and digits
        self.numbers_by_profile: dict[int, dict[str, OnlineNumber]] = {}
        self.carrier_by_id: dict[int, Carrier] = {}
        self.carriers: tuple[Carrier, ...] = ()  # enabled ones, in hunting order
        self.carrier_by_address: dict[tuple[str, int], Carrier] = {}  # port 0: any port
        self.location = Location(snapshot.bindings)
        self.ledger = Ledger(dict(snapshot.balances))
        self.tariff: Tariff | None = snapshot.tariff
        for profile in snapshot.profiles:
            self.put_profile(profile)
        for account in snapshot.onnet_accounts:
            self.put_onnet(account)
        for number in snapshot.numbers:
            self.put_number(number)
        for carrier in snapshot.carriers:
            self.carrier_by_id[carrier.id] = carrier
        self._index_carriers()

    # Look-ups by where a request came from

    def profile_from(self, flow: Flow) -> SipProfile | None:
        """The profile in IP mode that sends from here (R77)."""
        if flow.transport == "udp":
            return self.profile_by_address.get(flow.remote)
        # A connection's source port says nothing, its address cannot be forged.
        return self.profile_by_stream_host.get((flow.transport, flow.remote[0]))

    def carrier_from(self, flow: Flow) -> Carrier | None:
        """The carrier that sends from here: by ip:port, then by ip alone."""
        host, _ = flow.remote
        by_address = self.carrier_by_address
        found = by_address.get(flow.remote) if flow.transport == "udp" else None
        return found or by_address.get((host, ANY_PORT))

    def onnet(self, name: str) -> OnnetAccount | None:
        return self.onnet_by_name.get(name.casefold())

    def numbers_of(self, profile_id: int) -> Iterable[OnlineNumber]:
        """The Online Numbers of a profile (R108)."""
        return self.numbers_by_profile.get(profile_id, {}).values()

    def known_hosts(self) -> Iterator[str]:
        """Where carriers, PBXs known by address and living bindings send from (R86)."""
        yield from (literal(carrier.host) for carrier in self.carriers)
        yield from (host for host, _ in self.profile_by_address)
        yield from (host for _, host in self.profile_by_stream_host)
        yield from self.location.hosts()

    def currency_of(self, profile: SipProfile) -> str:
        """The currency of the profile's credit: its Manager's."""
        return self.manager_by_id[profile.manager_id].currency

    # Changes: each replaces what stood under the same id

    def put_manager(self, manager: ManagerAccount) -> None:
        self.manager_by_id[manager.id] = manager

    def put_profile(self, profile: SipProfile) -> None:
        """Add or replace a profile. Channels held by running calls stay held."""
        old = self.profile_by_id.get(profile.id)
        if old is not None:
            self.remove_profile(old.id)
            if old is not profile:
                profile.leases = old.leases
        self.profile_by_id[profile.id] = profile
        self.profile_by_username[profile.username] = profile
        if profile.mode is AuthMode.IP and profile.address is not None:
            host, port = literal(profile.address[0]), profile.address[1]
            if profile.transport == "udp":
                self.profile_by_address[host, port] = profile
            else:
                self.profile_by_stream_host[profile.transport, host] = profile

    def remove_profile(self, profile_id: int) -> None:
        profile = self.profile_by_id.pop(profile_id)
        # By value, not by key: the profile may have been edited in place.
        _discard(self.profile_by_username, profile)
        _discard(self.profile_by_address, profile)
        _discard(self.profile_by_stream_host, profile)

    def put_onnet(self, account: OnnetAccount) -> None:
        if account.id in self.onnet_by_id:
            self.remove_onnet(account.id)
        self.onnet_by_id[account.id] = account
        self.onnet_by_name[account.name.casefold()] = account

    def remove_onnet(self, account_id: int) -> None:
        account = self.onnet_by_id.pop(account_id)
        self.onnet_by_name.pop(account.name.casefold(), None)

    def put_number(self, number: OnlineNumber) -> None:
        """Add a number or follow it to its new owner: the next call goes there (R105)."""
        if number.number in self.number_by_e164:
            self.remove_number(number.number)
        self.number_by_e164[number.number] = number
        if number.profile_id is not None:
            self.numbers_by_profile.setdefault(number.profile_id, {})[number.number] = number

    def remove_number(self, number: str) -> None:
        gone = self.number_by_e164.pop(number)
        if gone.profile_id is not None:
            del self.numbers_by_profile[gone.profile_id][number]

    def put_carrier(self, carrier: Carrier) -> None:
        self.carrier_by_id[carrier.id] = carrier
        self._index_carriers()

    def remove_carrier(self, carrier_id: int) -> None:
        del self.carrier_by_id[carrier_id]
        self._index_carriers()

    def replace_tariff(self, tariff: Tariff | None) -> None:
        """Calls admitted from now on use `tariff`; running ones keep their rate (R67)."""
        self.tariff = tariff

    def check(self) -> list[str]:
        """Ambiguities and gaps of the configuration, one sentence each (R79)."""
        return [
            *self._check_names(),
            *self._check_addresses(),
            *self._check_carriers(),
            *self._check_money(),
        ]

    def _index_carriers(self) -> None:
        enabled = [c for c in self.carrier_by_id.values() if c.enabled]
        self.carriers = tuple(sorted(enabled, key=lambda c: (c.priority, c.id)))
        self.carrier_by_address = {}
        for carrier in reversed(self.carriers):
            host, port = carrier.sends_from
            self.carrier_by_address[literal(host), port] = carrier

    def _check_names(self) -> Iterable[str]:
        for username, count in Counter(p.username for p in self.profile_by_id.values()).items():
            if count > 1:
                yield f"{count} profiles share the SIP username {username}: give each its own."
        for name, count in Counter(a.name.casefold() for a in self.onnet_by_id.values()).items():
            if count > 1:
                yield f"{count} accounts share the name {name}: give each its own."
            if name in self.profile_by_username:
                yield f"{name} is the name of an account and of a profile: rename the account."

    def _check_addresses(self) -> Iterable[str]:
        by_ip = [p for p in self.profile_by_id.values() if p.mode is AuthMode.IP]
        for profile in by_ip:
            if profile.address is None:
                yield f"Profile {profile.name} uses IP authentication but has no address: set one."
        for place, count in Counter(_place(p) for p in by_ip if p.address).items():
            if count > 1:
                yield f"{count} profiles use IP authentication from {place}: give each its own."
        hosts = {literal(p.address[0]): p for p in by_ip if p.address}
        for carrier in self.carriers:
            host, port = literal(carrier.host), carrier.sends_from[1]
            clash = self.profile_by_address.get((host, port)) if port else hosts.get(host)
            if clash:
                yield (
                    f"Carrier {carrier.name} and profile {clash.name} both send from "
                    f"{carrier.host}: tell them apart by port."
                )

    def _check_carriers(self) -> Iterable[str]:
        for (host, port), count in self._carrier_places().items():
            if count > 1:
                place = f"{host}:{port}" if port else f"{host} (any port)"
                yield f"{count} carriers send from {place}: incoming calls cannot be told apart."

    def _carrier_places(self) -> Counter[tuple[str, int]]:
        return Counter((literal(c.host), c.sends_from[1]) for c in self.carriers)

    def _check_money(self) -> Iterable[str]:
        for profile in self.profile_by_id.values():
            if profile.manager_id not in self.manager_by_id:
                yield f"Profile {profile.name} belongs to Manager {profile.manager_id}: none such."
        if self.tariff is None:
            return
        for manager in self.manager_by_id.values():
            if manager.currency != self.tariff.currency:
                yield (
                    f"Manager {manager.name} keeps {manager.currency}, the tariff is in "
                    f"{self.tariff.currency}: its outgoing calls have no rate."
                )


@lru_cache(maxsize=16_384)
def literal(host: str) -> str:
    """One spelling for each address, as sockets report it; names come back in lower case."""
    try:
        return str(ip_address(host))
    except ValueError:
        return host.lower()


def _place(profile: SipProfile) -> str:
    assert profile.address is not None
    host, port = literal(profile.address[0]), profile.address[1]
    return f"{host}:{port}" if profile.transport == "udp" else f"{host} over {profile.transport}"


def _discard(index: dict[_Key, SipProfile], profile: SipProfile) -> None:
    for key in [key for key, value in index.items() if value is profile]:
        del index[key]
