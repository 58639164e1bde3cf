"""Owns the commands about on-net accounts, and business accounts among them (R94 to R98, R101).

An attached account answers at one profile and signs in nowhere: its registrations end (R96, R97).
"""

import re
from dataclasses import replace

from gateway.commands import find
from gateway.commands.base import Args, Change, CommandError, Env, Json, Outcome
from gateway.credentials import new_password
from gateway.hot_state import HotState
from gateway.model.binding import Owner
from gateway.model.onnet_account import OnnetAccount
from gateway.model.record import AccountSaved, BindingRemoved

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,62}[A-Za-z0-9]", re.ASCII)
_EXTENSION = re.compile(r"[A-Za-z0-9*#+._-]{1,32}", re.ASCII)


def list_accounts(hot: HotState, args: Args, env: Env) -> Outcome:
    """All accounts, or the business accounts of one profile."""
    called, page = args.optional_text("profile"), args.page()
    args.end()
    wanted = find.profile(hot, called).id if called else None
    found = [
        each for each in hot.onnet_by_id.values() if wanted is None or each.profile_id == wanted
    ]
    ordered = sorted(found, key=lambda each: each.name)
    return {"accounts": [_view(hot, each) for each in page.of(ordered)], "total": len(found)}


def add_account(hot: HotState, args: Args, env: Env) -> Outcome:
    """A new account; with a profile it is a business account from the start."""
    name = args.text("account")
    called = args.optional_text("profile")
    extension = _extension(args)
    args.end()
    if _NAME.fullmatch(name) is None:
        sentence = (
            f"{name}: an account's name has letters, digits and . _ - and begins with a letter"
        )
        raise CommandError("BAD_ARGUMENT", sentence)
    if hot.onnet(name) is not None:
        raise CommandError("TAKEN", f"there is an account {name} already")
    profile_id = find.profile(hot, called).id if called else None
    if extension and profile_id is None:
        raise CommandError("BAD_ARGUMENT", "an extension belongs to a profile: name it too")
    account = OnnetAccount(
        find.next_id(hot.onnet_by_id),
        name,
        new_password(env.ids),
        profile_id,
        extension or "",
    )
    find.refuse_ambiguity(hot, accounts={account.id: account})
    sign_in = {
        "name": name, "realm": hot.realms[0], "username": name, "password": account.password,
    }  # fmt: skip
    return Change(
        ((AccountSaved(account),),),
        lambda hot: hot.put_onnet(account),
        lambda hot: {"account": _view(hot, account), "sign_in": sign_in},
        subject=name,
    )


def attach_account(hot: HotState, args: Args, env: Env) -> Outcome:
    """To one profile (R96); asked again, only the extension may change."""
    found = find.account(hot, args.text("account"))
    profile = find.profile(hot, args.text("profile"))
    extension = _extension(args)
    args.end()
    if found.profile_id not in (None, profile.id):
        other = hot.profile_by_id[found.profile_id or 0].name
        raise CommandError(
            "ATTACHED_ELSEWHERE",
            f"{found.name} is attached to {other}: calls to an account of two profiles could not "
            "be attributed to either. Detach it there first",
        )
    attached = replace(
        found,
        profile_id=profile.id,
        extension=found.extension if extension is None else extension,
    )
    bindings = hot.location.lookup(Owner.ONNET, found.id)
    removed = tuple(BindingRemoved(b.owner, b.owner_id, b.contact) for b in bindings)
    sentence = f"Calls to {found.name} now go to {profile.name}; it cannot sign in meanwhile."
    if bindings:
        sentence += f" {len(bindings)} of its registrations ended."
    return Change(
        ((AccountSaved(attached), *removed),),
        lambda hot: hot.put_onnet(attached),
        lambda hot: {"account": _view(hot, attached), "sentence": sentence},
        drops=((Owner.ONNET, found.id),),
        subject=f"{found.name} -> {profile.name}",
    )


def detach_account(hot: HotState, args: Args, env: Env) -> Outcome:
    """A regular account again, which can sign in (R98)."""
    found = find.account(hot, args.text("account"))
    args.end()
    if found.profile_id is None:
        raise CommandError("NOT_ATTACHED", f"{found.name} is a regular account already")
    regular = replace(found, profile_id=None, extension="")
    sentence = f"{found.name} is a regular account again and can sign in."
    return Change(
        ((AccountSaved(regular),),),
        lambda hot: hot.put_onnet(regular),
        lambda hot: {"account": _view(hot, regular), "sentence": sentence},
        subject=found.name,
    )


def _extension(args: Args) -> str | None:
    extension = args.optional_text("extension")
    if extension and _EXTENSION.fullmatch(extension) is None:
        raise CommandError("BAD_ARGUMENT", f"{extension} is not an extension")
    return extension


def _view(hot: HotState, account: OnnetAccount) -> Json:
    profile = hot.profile_by_id.get(account.profile_id) if account.profile_id is not None else None
    return {
        "name": account.name,
        "profile": profile.name if profile else "",
        "extension": account.extension,
        "registrations": len(hot.location.lookup(Owner.ONNET, account.id)),
    }
