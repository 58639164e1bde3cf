"""Owns the commands about SIP Profiles: list, show, make and change them, and show their sign-in
(R15 to R18, R24, R25, R77, R79, R111).

A running call keeps its channel and a registered PBX its binding, whatever is renamed (R16).
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

from gateway import credentials
from gateway.commands import find
from gateway.commands.base import Args, Change, CommandError, Env, Json, Outcome, choice
from gateway.commands.money import credit_of
from gateway.hot_state import HotState, literal
from gateway.model.binding import Owner
from gateway.model.call import Dialect, SrtpPolicy
from gateway.model.channels import InvalidChannels, ordered_channels
from gateway.model.profile import AuthMode, SipProfile, Subscription
from gateway.model.record import BindingRemoved, ProfileSaved, Record

FIRST_USERNAME = 99051000100001
_LONGEST_NAME = 64


def list_profiles(hot: HotState, args: Args, env: Env) -> Outcome:
    page = args.page()
    args.end()
    accounts: dict[int, list[str]] = {}  # once for all: a long list must not hold up calls
    for account in hot.onnet_by_id.values():
        if account.profile_id is not None:
            accounts.setdefault(account.profile_id, []).append(account.name)
    everybody = hot.profile_by_id.values()
    shown = [_view(hot, each, accounts.get(each.id, [])) for each in page.of(everybody)]
    return {"profiles": shown, "total": len(everybody)}


def show_profile(hot: HotState, args: Args, env: Env) -> Outcome:
    found = find.profile(hot, args.text("profile"))
    args.end()
    return {"profile": view(hot, found)}


def show_password(hot: HotState, args: Args, env: Env) -> Outcome:
    """Authentication details, at any time (R17)."""
    called, account = args.optional_text("profile"), args.optional_text("account")
    args.end()
    if (called is None) == (account is None):
        raise CommandError("BAD_ARGUMENT", "name a profile or an account")
    if account is not None:
        owner = find.account(hot, account)
        return _sign_in(hot, owner.name, owner.name, owner.password)
    profile = find.profile(hot, called or "")
    return _sign_in(hot, profile.name, profile.username, profile.password)


def new_password(hot: HotState, args: Args, env: Env) -> Outcome:
    """A new password, made by the system; nobody is disconnected (R82, R83, R85)."""
    profile = find.profile(hot, args.text("profile"))
    args.end()
    rotation = credentials.rotate(profile, env.ids, hot.location, env.at)
    changed, drops_at = rotation.profile, rotation.drops_at

    def answer(hot: HotState) -> Json:
        told = _sign_in(hot, changed.name, changed.username, changed.password)
        if drops_at is None:
            sentence = "Nothing is registered with the old password: it is worth nothing now."
        else:
            sentence = (
                f"Calls go on with the old password until {drops_at:%Y-%m-%d %H:%M:%S} UTC; then "
                "the PBX drops unless it has registered with the new one."
            )
        until = drops_at.isoformat() if drops_at else None
        return {**told, "drops_at": until, "sentence": sentence}

    return Change(
        (rotation.records,), lambda hot: hot.put_profile(changed), answer, subject=changed.name
    )


def new_profile(hot: HotState, args: Args, env: Env) -> Outcome:
    """A profile with a username and a password of the system's making (R82)."""
    manager = find.manager(hot, args.optional_text("manager"))
    bare = SipProfile(
        id=find.next_id(hot.profile_by_id),
        manager_id=manager.id,
        name=args.text("name"),
        username=_next_username(hot),
        password=credentials.new_password(env.ids),
        home_country=manager.country,
    )
    made = _changed(hot, bare, args, env)
    args.end()
    _refuse_taken(hot, made)

    def answer(hot: HotState) -> Json:
        sign_in = _sign_in(hot, made.name, made.username, made.password)
        return {"profile": view(hot, made), **sign_in}

    return Change(
        ((ProfileSaved(made),),),
        lambda hot: hot.put_profile(made),
        answer,
        subject=made.name,
    )


def set_profile(hot: HotState, args: Args, env: Env) -> Outcome:
    """Change what is named, leave the rest; calls and registrations go on."""
    found = find.profile(hot, args.text("profile"))
    name = args.optional_text("name")
    changed = _changed(hot, found, args, env)
    args.end()
    if name is not None:
        changed = find.copy_of(changed, name=name)
    _refuse_taken(hot, changed)
    dropped = found.mode is AuthMode.REGISTRATION and changed.mode is AuthMode.IP
    records: list[Record] = [ProfileSaved(changed)]
    if dropped:  # a PBX known by its address is not called at an old registration
        bindings = hot.location.lookup(Owner.PROFILE, found.id)
        records += (BindingRemoved(b.owner, b.owner_id, b.contact) for b in bindings)
    return Change(
        (tuple(records),),
        lambda hot: hot.put_profile(changed),
        lambda hot: {"profile": view(hot, changed)},
        drops=((Owner.PROFILE, found.id),) if dropped else (),
        subject=changed.name,
    )


def view(hot: HotState, profile: SipProfile) -> Json:
    """What anybody who may manage the profile sees of it; no secret."""
    accounts = [each.name for each in hot.onnet_by_id.values() if each.profile_id == profile.id]
    return _view(hot, profile, accounts)


def _view(hot: HotState, profile: SipProfile, accounts: list[str]) -> Json:
    host, port = profile.address or ("", 0)
    manager = hot.manager_by_id.get(profile.manager_id)
    return {
        "id": profile.id,
        "name": profile.name,
        "manager": manager.name if manager else str(profile.manager_id),
        "username": profile.username,
        "mode": profile.mode.value,
        "address": _place(host, port) if host else "",
        "transport": profile.transport,
        "channels": profile.channels,
        "channels_in_use": len(profile.leases),
        "subscription": profile.subscription.value,
        "caller_id": profile.caller_id,
        "dialect": profile.dialect.value,
        "srtp": profile.srtp.value,
        "require_tls": profile.require_tls,
        "sha256": profile.sha256,
        "credit": credit_of(hot, profile),
        "numbers": sorted(number.number for number in hot.numbers_of(profile.id)),
        "accounts": sorted(accounts),
        "registrations": len(hot.location.lookup(Owner.PROFILE, profile.id)),
    }


def _sign_in(hot: HotState, name: str, username: str, password: str) -> Json:
    return {
        "sign_in": {
            "name": name,
            "realm": hot.realms[0],
            "username": username,
            "password": password,
        }
    }


def _changed(hot: HotState, old: SipProfile, args: Args, env: Env) -> SipProfile:
    """The profile with everything the arguments name, checked one by one."""
    changes: dict[str, object] = {}
    wanted = args.count_or_text("channels")
    if wanted is not None:
        try:
            changes["channels"] = ordered_channels(wanted)
        except InvalidChannels as error:
            raise CommandError("BAD_CHANNELS", str(error)) from None
        changes["subscription"] = Subscription.ACTIVE  # R18: channels make it active
    caller_id = args.optional_text("caller_id")
    if caller_id is not None:
        changes["caller_id"] = find.e164(caller_id) if caller_id not in ("", "none") else ""
    for name, kind in (("srtp", SrtpPolicy), ("dialect", Dialect)):
        text = args.optional_text(name)
        if text is not None:
            changes[name] = kind(choice(name, text, [each.value for each in kind]))
    for name in ("require_tls", "sha256"):
        flag = args.optional_flag(name)
        if flag is not None:
            changes[name] = flag
    changes.update(_place_changes(old, args, env))
    return find.copy_of(old, **changes)


def _place_changes(old: SipProfile, args: Args, env: Env) -> dict[str, object]:
    """How the PBX is known: by its registration, or by a fixed address and port (R77)."""
    mode = args.optional_text("mode")
    address = args.optional_text("address")
    transport = args.optional_text("transport")
    changes: dict[str, object] = {}
    if transport is not None:
        changes["transport"] = choice("transport", transport, ("udp", "tcp", "tls"))
    if address:
        changes["address"] = _fixed_address(address, env.allow_private_peers)
        mode = mode or AuthMode.IP.value
    if mode is None:
        return changes
    chosen = AuthMode(choice("mode", mode, [each.value for each in AuthMode]))
    changes["mode"] = chosen
    if chosen is AuthMode.REGISTRATION:
        if address:
            raise CommandError("BAD_ARGUMENT", "mode registration has no fixed address")
        changes["address"] = None
    elif not address and old.address is None:
        raise CommandError("BAD_ARGUMENT", "mode ip needs an address, such as 203.0.113.7:5060")
    return changes


def _fixed_address(text: str, allow_private: bool) -> tuple[str, int]:
    """host:port with an address literal, IPv6 in brackets; public unless labs are allowed."""
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise CommandError(
            "BAD_ARGUMENT", f"{text}: write address and port, such as 203.0.113.7:5060"
        )
    try:
        ip = ip_address(host)
    except ValueError:
        raise CommandError("BAD_ARGUMENT", f"{host} is not an IP address") from None
    if not allow_private and not _public(ip):
        sentence = f"{host} is not a public address: a PBX behind NAT registers instead"
        raise CommandError("PRIVATE_ADDRESS", sentence)
    return str(ip), int(port)


def _public(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast


def _refuse_taken(hot: HotState, wanted: SipProfile) -> None:
    if not wanted.name.strip() or len(wanted.name) > _LONGEST_NAME:
        raise CommandError("BAD_ARGUMENT", f"a name has 1 to {_LONGEST_NAME} characters")
    others = [each for each in hot.profile_by_id.values() if each.id != wanted.id]
    if any(each.name == wanted.name for each in others):
        raise CommandError("TAKEN", f"another profile is called {wanted.name}: choose another name")
    if wanted.address is not None:
        place = (literal(wanted.address[0]), wanted.address[1])
        for each in others:
            if each.address and (literal(each.address[0]), each.address[1]) == place:
                sentence = f"{_place(*place)} is the address of profile {each.name} already"
                raise CommandError("TAKEN", f"{sentence}: give each PBX its own port")  # R79
    find.refuse_ambiguity(hot, profiles={wanted.id: wanted})


def _next_username(hot: HotState) -> str:
    taken = set(hot.profile_by_username) | set(hot.onnet_by_name)
    number = FIRST_USERNAME + len(hot.profile_by_id)
    while str(number) in taken:
        number += 1
    return str(number)


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
