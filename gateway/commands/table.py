"""Owns the table of commands that need the state alone: verb to function, and whether it changes
anything. Those about running calls are the running gateway's (`gateway/aio/desk`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.commands import accounts, carriers, decks, money, numbers, profiles
from gateway.commands.base import Args, Env, Outcome
from gateway.hot_state import HotState


@dataclass(frozen=True, slots=True)
class Verb:
    run: Callable[[HotState, Args, Env], Outcome]
    changes: bool = False


VERBS: dict[str, Verb] = {
    "profile.list": Verb(profiles.list_profiles),
    "profile.show": Verb(profiles.show_profile),
    "profile.new": Verb(profiles.new_profile, changes=True),
    "profile.set": Verb(profiles.set_profile, changes=True),
    "password.show": Verb(profiles.show_password),
    "password.new": Verb(profiles.new_password, changes=True),
    "credit.show": Verb(money.show_credit),
    "credit.add": Verb(money.add_credit, changes=True),
    "credit.allocate": Verb(money.allocate_credit, changes=True),
    "credit.take-back": Verb(money.take_back_credit, changes=True),
    "number.list": Verb(numbers.list_numbers),
    "number.add": Verb(numbers.add_number, changes=True),
    "number.assign": Verb(numbers.assign_number, changes=True),
    "account.list": Verb(accounts.list_accounts),
    "account.add": Verb(accounts.add_account, changes=True),
    "account.attach": Verb(accounts.attach_account, changes=True),
    "account.detach": Verb(accounts.detach_account, changes=True),
    "carrier.list": Verb(carriers.list_carriers),
    "carrier.add": Verb(carriers.add_carrier, changes=True),
    "carrier.set": Verb(carriers.set_carrier, changes=True),
    "carrier.remove": Verb(carriers.remove_carrier, changes=True),
    "deck.show": Verb(decks.show_deck),
}
