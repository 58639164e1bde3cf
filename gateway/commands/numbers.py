"""Owns the commands about Online Numbers: the inventory and which profile each number rings
(R104, R105).
"""

from gateway.commands import find
from gateway.commands.base import Args, Change, CommandError, Env, Json, Outcome
from gateway.hot_state import HotState
from gateway.model.online_number import OnlineNumber
from gateway.model.record import NumberSaved


def list_numbers(hot: HotState, args: Args, env: Env) -> Outcome:
    """All numbers, or those of one profile."""
    called, page = args.optional_text("profile"), args.page()
    args.end()
    wanted = hot.number_by_e164.values() if called is None else None
    found = wanted if wanted is not None else hot.numbers_of(find.profile(hot, called or "").id)
    ordered = sorted(found, key=lambda each: each.number)
    return {"numbers": [_view(hot, each) for each in page.of(ordered)], "total": len(ordered)}


def add_number(hot: HotState, args: Args, env: Env) -> Outcome:
    """Into the inventory; with a profile it rings there at once."""
    number = find.e164(args.text("number"))
    called = args.optional_text("profile")
    args.end()
    if number in hot.number_by_e164:
        raise CommandError("TAKEN", f"{number} is in the inventory already: assign it")
    profile_id = find.profile(hot, called).id if called else None
    return _save(OnlineNumber(number, profile_id))


def assign_number(hot: HotState, args: Args, env: Env) -> Outcome:
    """To a profile, or without one into stock; the very next call follows (R105)."""
    found = find.number(hot, args.text("number"))
    called = args.optional_text("profile")
    args.end()
    profile_id = find.profile(hot, called).id if called else None
    return _save(OnlineNumber(found.number, profile_id, found.suspended))


def _save(number: OnlineNumber) -> Change:
    return Change(
        ((NumberSaved(number),),),
        lambda hot: hot.put_number(number),
        lambda hot: {"number": _view(hot, number)},
        subject=number.number,
    )


def _view(hot: HotState, number: OnlineNumber) -> Json:
    profile = hot.profile_by_id.get(number.profile_id) if number.profile_id is not None else None
    return {
        "number": number.number,
        "profile": profile.name if profile else "",
        "suspended": number.suspended,
    }
