"""Owns finding a noun by what a person calls it, and trying a change out before it is made (R79).

Names are taken as they are written, ids as numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.commands.base import CommandError
from gateway.hot_state import HotState
from gateway.model.carrier import Carrier
from gateway.model.manager_account import ManagerAccount
from gateway.model.online_number import OnlineNumber
from gateway.model.onnet_account import OnnetAccount
from gateway.model.profile import SipProfile
from gateway.ports import Snapshot
from rating.e164 import E164
from rating.errors import InvalidNumber

BUILT_IN = 0  # the id of the built-in carrier, which no row has


def profile(hot: HotState, called: str) -> SipProfile:
    """By name, SIP username or id."""
    for found in hot.profile_by_id.values():
        if found.name == called:
            return found
    by_username = hot.profile_by_username.get(called)
    if by_username is not None:
        return by_username
    by_id = hot.profile_by_id.get(_number(called))
    if by_id is None:
        names = _some(p.name for p in hot.profile_by_id.values())
        raise CommandError("NOT_FOUND", f"there is no SIP Profile {called}{names}")
    return by_id


def manager(hot: HotState, called: str | None) -> ManagerAccount:
    """By name or id; the only one when none is named."""
    managers = list(hot.manager_by_id.values())
    if called is None:
        if len(managers) == 1:
            return managers[0]
        problem = "there is no Manager" if not managers else "there are several Managers"
        raise CommandError("UNCLEAR", f"{problem}: name one{_some(m.name for m in managers)}")
    for found in managers:
        if called in (found.name, str(found.id)):
            return found
    raise CommandError(
        "NOT_FOUND", f"there is no Manager {called}{_some(m.name for m in managers)}"
    )


def account(hot: HotState, called: str) -> OnnetAccount:
    """By name, whatever its capitals."""
    found = hot.onnet(called)
    if found is None:
        raise CommandError("NOT_FOUND", f"there is no account {called}")
    return found


def carrier(hot: HotState, called: str) -> Carrier:
    """By name or id; never the built-in one."""
    for found in hot.carrier_by_id.values():
        if called not in (found.name, str(found.id)):
            continue
        if found.id == BUILT_IN:
            raise CommandError(
                "BUILT_IN", "the built-in carrier is not for changing: see simulator.enabled"
            )
        return found
    raise CommandError("NOT_FOUND", f"there is no carrier {called}")


def number(hot: HotState, called: str) -> OnlineNumber:
    found = hot.number_by_e164.get(e164(called))
    if found is None:
        raise CommandError("NOT_FOUND", f"{called} is not in the inventory: add it first")
    return found


def e164(text: str) -> str:
    """The number with its plus; raises CommandError."""
    try:
        return str(E164.parse(text))
    except InvalidNumber as error:
        sentence = f"{error}: write the full international number, such as +12026555376"
        raise CommandError("BAD_NUMBER", sentence) from None


def next_id(taken: Iterable[int]) -> int:
    return max(taken, default=0) + 1


def refuse_ambiguity(
    hot: HotState,
    *,
    profiles: Mapping[int, SipProfile] | None = None,
    accounts: Mapping[int, OnnetAccount] | None = None,
    carriers: Mapping[int, Carrier] | None = None,
) -> None:
    """Try the change on a copy: what `HotState.check` then says for the first time is refused."""
    changed = Snapshot(
        managers=tuple(hot.manager_by_id.values()),
        profiles=tuple({**hot.profile_by_id, **(profiles or {})}.values()),
        onnet_accounts=tuple({**hot.onnet_by_id, **(accounts or {})}.values()),
        numbers=(),
        carriers=tuple(
            c for c in {**hot.carrier_by_id, **(carriers or {})}.values() if c.id != BUILT_IN
        ),
        bindings=(),
        balances={},
        open_calls=(),
        tariff=hot.tariff,
    )
    known = set(hot.check())
    for sentence in HotState(changed, hot.realms).check():
        if sentence not in known:
            raise CommandError("AMBIGUOUS", sentence)


def copy_of(found: SipProfile, **changes: object) -> SipProfile:
    """The profile with other values; it goes on sharing the channels of running calls."""
    return replace(found, **changes)  # type: ignore[arg-type]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _some(names: Iterable[str], most: int = 5) -> str:
    """A hint: the first few names there are."""
    known = sorted(names)
    if not known:
        return ""
    more = ", …" if len(known) > most else ""
    return f" (there are: {', '.join(known[:most])}{more})"
