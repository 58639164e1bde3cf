"""Owns the commands about carriers: which there are, in which order they are tried, and that their
incoming calls can be told apart (as R79 asks of profiles).
"""

import re
from collections.abc import Callable
from dataclasses import asdict, replace
from ipaddress import ip_address

from gateway.commands import find
from gateway.commands.base import Args, Change, CommandError, Env, Json, Outcome, choice
from gateway.hot_state import HotState
from gateway.model.call import SrtpPolicy
from gateway.model.carrier import Carrier
from gateway.model.record import CarrierRemoved, CarrierSaved

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}", re.ASCII)

# What may be set, and how each is read.
FIELDS: dict[str, Callable[[Args, str], object]] = {
    "host": lambda args, name: _host(args.optional_text(name)),
    "port": lambda args, name: args.optional_int(name, 1, 65535),
    "transport": lambda args, name: _one_of(args, name, ("udp", "tcp", "tls")),
    "priority": lambda args, name: args.optional_int(name, 0, 999),
    "weight": lambda args, name: args.optional_int(name, 0, 65535),
    "max_calls": lambda args, name: args.optional_int(name, 0, 100_000),
    "options_interval_s": lambda args, name: args.optional_seconds(name, 0, 86_400),
    "response_timeout_s": lambda args, name: args.optional_seconds(name, 0.5, 60),
    "username": Args.optional_text,
    "password": Args.optional_text,
    "srtp": lambda args, name: _srtp(args, name),
    "plus": Args.optional_flag,
    "match_port": Args.optional_flag,
    "enabled": Args.optional_flag,
}


def list_carriers(hot: HotState, args: Args, env: Env) -> Outcome:
    """In the order they are tried; those switched off come last."""
    args.end()
    ordered = sorted(hot.carrier_by_id.values(), key=lambda c: (not c.enabled, c.priority, c.id))
    return {"carriers": [_view(each) for each in ordered]}


def add_carrier(hot: HotState, args: Args, env: Env) -> Outcome:
    name = args.text("carrier")
    if _NAME.fullmatch(name) is None:
        raise CommandError(
            "BAD_ARGUMENT", f"{name}: a carrier's name has letters, digits and . _ -"
        )
    if any(each.name == name for each in hot.carrier_by_id.values()):
        raise CommandError("TAKEN", f"there is a carrier {name} already")
    changes = _changes(args)
    if "host" not in changes:
        raise CommandError("BAD_ARGUMENT", "host is missing: the carrier's IP address")
    default_port = 5061 if changes.get("transport") == "tls" else 5060
    bare = Carrier(find.next_id(hot.carrier_by_id), name, "", default_port)
    return _save(hot, replace(bare, **changes))  # type: ignore[arg-type]


def set_carrier(hot: HotState, args: Args, env: Env) -> Outcome:
    """Change what is named; running calls go on as they are."""
    found = find.carrier(hot, args.text("carrier"))
    return _save(hot, replace(found, **_changes(args)))  # type: ignore[arg-type]


def remove_carrier(hot: HotState, args: Args, env: Env) -> Outcome:
    found = find.carrier(hot, args.text("carrier"))
    args.end()
    return Change(
        ((CarrierRemoved(found.id),),),
        lambda hot: hot.remove_carrier(found.id),
        lambda hot: {"removed": found.name},
        subject=found.name,
    )


def _save(hot: HotState, carrier: Carrier) -> Change:
    find.refuse_ambiguity(hot, carriers={carrier.id: carrier})
    return Change(
        ((CarrierSaved(carrier),),),
        lambda hot: hot.put_carrier(carrier),
        lambda hot: {"carrier": _view(carrier)},
        subject=carrier.name,
    )


def _changes(args: Args) -> dict[str, object]:
    read = {name: reader(args, name) for name, reader in FIELDS.items()}
    args.end()
    return {name: value for name, value in read.items() if value is not None}


def _view(carrier: Carrier) -> Json:
    """Every field but the secret."""
    told = asdict(carrier)
    del told["password"]
    return {**told, "srtp": carrier.srtp.value, "built_in": carrier.id == find.BUILT_IN}


def _host(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(ip_address(text.removeprefix("[").removesuffix("]")))
    except ValueError:
        raise CommandError("BAD_ARGUMENT", f"host: {text!r} is not an IP address") from None


def _one_of(args: Args, name: str, allowed: tuple[str, ...]) -> str | None:
    value = args.optional_text(name)
    return None if value is None else choice(name, value, allowed)


def _srtp(args: Args, name: str) -> SrtpPolicy | None:
    value = _one_of(args, name, tuple(each.value for each in SrtpPolicy))
    return None if value is None else SrtpPolicy(value)
