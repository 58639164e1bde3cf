"""Owns the commands about credit: money in, to a profile, back to its Manager (R20, R55, R56, R60,
R66).

A movement reserves what it takes at once and gives it when it is durable, so nobody spends it
twice and a failed write leaves nothing behind. Its key makes it happen once, however often it is
asked for.
"""

import re
from dataclasses import dataclass

from gateway.commands import find
from gateway.commands.base import Args, Change, CommandError, Env, Json, Outcome
from gateway.hot_state import HotState
from gateway.model.manager_account import ManagerAccount
from gateway.model.profile import SipProfile
from gateway.model.record import EntryPosted
from rating.errors import InsufficientCredit, RatingError
from rating.ledger import Entry, Posting
from rating.money import Money

CASH = "world:cash"
TOP_UP, ALLOCATION, TAKE_BACK = "top-up", "allocation", "take-back"
_KEY = re.compile(r"[A-Za-z0-9._:-]{8,80}", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Movement:
    kind: str
    source: str
    destination: str
    currency: str
    micros: int | None  # None: all that is not reserved
    entry_id: str
    ref: str


def show_credit(hot: HotState, args: Args, env: Env) -> Outcome:
    """Balances of one profile, or of everybody."""
    called, page = args.optional_text("profile"), args.page()
    args.end()
    managers = [] if called else [*hot.manager_by_id.values()]
    profiles = [find.profile(hot, called)] if called else [*hot.profile_by_id.values()]
    return {
        "managers": [
            {"name": each.name, **_standing(hot, each.account, each.currency)} for each in managers
        ],
        "profiles": [{"name": each.name, **credit_of(hot, each)} for each in page.of(profiles)],
        "total": len(profiles),
    }


def add_credit(hot: HotState, args: Args, env: Env) -> Outcome:
    """Money that came in, for a Manager (R10)."""
    manager = find.manager(hot, args.optional_text("manager"))
    amount = _amount(args.text("amount"), manager)
    movement = _movement(args, TOP_UP, CASH, manager.account, manager.currency, amount)
    return _move(hot, movement, env, f"{manager.name} got")


def allocate_credit(hot: HotState, args: Args, env: Env) -> Outcome:
    """From the Manager to one of its profiles (R55)."""
    profile, manager = _owned(hot, args)
    amount = _amount(args.text("amount"), manager)
    movement = _movement(
        args, ALLOCATION, manager.account, profile.account, manager.currency, amount
    )
    return _move(hot, movement, env, f"{profile.name} got")


def take_back_credit(hot: HotState, args: Args, env: Env) -> Outcome:
    """From a profile back to its Manager: what running calls have reserved stays (R56)."""
    profile, manager = _owned(hot, args)
    text = args.optional_text("amount")
    amount = None if text is None else _amount(text, manager)
    movement = _movement(
        args, TAKE_BACK, profile.account, manager.account, manager.currency, amount
    )
    return _move(hot, movement, env, f"{manager.name} got back")


def credit_of(hot: HotState, profile: SipProfile) -> Json:
    manager = hot.manager_by_id.get(profile.manager_id)
    return _standing(hot, profile.account, manager.currency if manager else "")


def money(micros: int, currency: str) -> Json:
    """An amount for programs and, as `text`, for people."""
    return {"micros": micros, "currency": currency, "text": str(Money(micros, currency))}


def _standing(hot: HotState, account: str, currency: str) -> Json:
    ledger = hot.ledger
    return {
        "account": account,
        "balance": money(ledger.balance(account), currency),
        "reserved": money(ledger.held(account), currency),
        "available": money(ledger.available(account), currency),
    }


def _owned(hot: HotState, args: Args) -> tuple[SipProfile, ManagerAccount]:
    profile = find.profile(hot, args.text("profile"))
    return profile, find.manager(hot, str(profile.manager_id))


def _movement(
    args: Args, kind: str, source: str, destination: str, currency: str, micros: int | None
) -> _Movement:
    key = args.text("key")
    note = args.optional_text("note") or ""
    args.end()
    if _KEY.fullmatch(key) is None:
        raise CommandError(
            "BAD_ARGUMENT", "key must be 8 to 80 letters, digits or . _ : -, new for each movement"
        )
    return _Movement(kind, source, destination, currency, micros, f"{kind}:{key}", note or key)


def _amount(text: str, manager: ManagerAccount) -> int:
    """Micro-units of "10.00", or of "10.00 USD" where the currency is the Manager's."""
    number, _, currency = text.partition(" ")
    try:
        micros = Money.parse(number, currency or manager.currency).micros
    except RatingError as error:
        raise CommandError("BAD_AMOUNT", str(error)) from None
    if currency not in ("", manager.currency):
        sentence = f"{manager.name} keeps {manager.currency}, not {currency}"
        raise CommandError("BAD_AMOUNT", sentence)
    if micros <= 0:
        raise CommandError("BAD_AMOUNT", f"{text}: the amount must be above zero")
    return micros


def _move(hot: HotState, movement: _Movement, env: Env, who: str) -> Outcome:
    done = hot.ledger.recall(movement.entry_id) or env.archive.entry(movement.entry_id)
    if done is not None:
        return _again(hot, movement, done, who)
    micros = movement.micros
    if micros is None:
        micros = hot.ledger.available(movement.source)
        if micros <= 0:
            raise CommandError("INSUFFICIENT_CREDIT", _nothing_free(hot, movement))
    hold_id = f"move:{movement.entry_id}"
    try:
        hot.ledger.hold(hold_id, movement.source, micros, movement.currency)
    except InsufficientCredit as error:
        raise CommandError("INSUFFICIENT_CREDIT", _too_much(hot, movement, error)) from None
    sides = (Posting(movement.source, -micros), Posting(movement.destination, micros))
    entry = Entry(movement.entry_id, movement.kind, sides, movement.currency, env.at, movement.ref)

    def apply(hot: HotState) -> None:
        hot.ledger.post(
            hold_id, micros, movement.destination, entry.id, entry.kind, entry.at, entry.ref
        )

    return Change(
        ((EntryPosted(entry),),),
        apply,
        lambda hot: _told(hot, movement, entry, who, replayed=False),
        undo=lambda hot: hot.ledger.void(hold_id),
        subject=f"{movement.source} -> {movement.destination} {Money(micros, movement.currency)}",
    )


def _again(hot: HotState, movement: _Movement, done: Entry, who: str) -> Json:
    """The same key again: nothing moves, and the answer is what happened then."""
    moved = done.postings[1].micros
    same = (done.postings[0].account, done.postings[1].account) == (
        movement.source,
        movement.destination,
    )
    if not same or movement.micros not in (None, moved):
        sentence = f"this key moved {Money(moved, done.currency)} already: take a new key"
        raise CommandError("KEY_REUSED", sentence)
    return _told(hot, movement, done, who, replayed=True)


def _told(hot: HotState, movement: _Movement, entry: Entry, who: str, *, replayed: bool) -> Json:
    moved = entry.postings[1].micros
    sentence = f"{who} {Money(moved, entry.currency)}."
    held = hot.ledger.held(movement.source)
    if movement.kind == TAKE_BACK and held:
        sentence += f" {Money(held, entry.currency)} stay reserved for running calls."
    if replayed:
        sentence = f"Done before, on {entry.at:%Y-%m-%d %H:%M:%S} UTC: {sentence}"
    return {
        "entry": entry.id,
        "kind": entry.kind,
        "moved": money(moved, entry.currency),
        "replayed": replayed,
        "from": _side(hot, movement.source, entry.currency),
        "to": _side(hot, movement.destination, entry.currency),
        "sentence": sentence,
    }


def _side(hot: HotState, account: str, currency: str) -> Json:
    """One side of a movement with the name people know it by."""
    owners: tuple[ManagerAccount | SipProfile, ...] = (
        *hot.manager_by_id.values(),
        *hot.profile_by_id.values(),
    )
    name = next((each.name for each in owners if each.account == account), account)
    return {"name": name, **_standing(hot, account, currency)}


def _nothing_free(hot: HotState, movement: _Movement) -> str:
    held = hot.ledger.held(movement.source)
    if held:
        reserved = Money(held, movement.currency)
        return f"all that is left, {reserved}, is reserved for running calls: try again later"
    return "there is no credit to take back"


def _too_much(hot: HotState, movement: _Movement, error: InsufficientCredit) -> str:
    free = Money(error.available_micros, movement.currency)
    sentence = f"only {free} can be moved; nothing was"
    held = hot.ledger.held(movement.source)
    if held:
        sentence += f" ({Money(held, movement.currency)} are reserved for running calls)"
    if movement.kind == ALLOCATION:
        sentence += ": add credit to the Manager first"
    return sentence
