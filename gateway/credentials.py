"""Generated passwords, and how one is changed without disconnecting the PBX (R82 to R85).

Owns what a password looks like, its fingerprint, and the life of a replaced one: it signs calls,
but no REGISTER, while a binding made with it lives, from the host of that binding alone. So the PBX
calls on until its registration ends, and a stolen password is worth nothing elsewhere at once. A
binding made with it cannot be refreshed, so the time of the end is known when the password changes.

Changes nothing itself: the shell puts the profile into hot state and the records into the journal.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from gateway.location import Location
from gateway.model.binding import Binding, Owner
from gateway.model.profile import OldPassword, SipProfile
from gateway.model.record import PasswordChanged, Record
from gateway.ports import Ids

# No quote, space, backslash, colon or separator: safe in every PBX's form and in every SIP header.
# No 0, 1, l and o, which people mistake when they read it out. A power of two, so that each octet
# gives five bits without bias.
ALPHABET: Final = "abcdefghijkmnpqrstuvwxyz23456789"
PASSWORD_LENGTH: Final = 26  # 130 bits


@dataclass(frozen=True, slots=True)
class Rotation:
    """A changed password: the profile with it, what to write, and when the PBX will drop (R85)."""

    profile: SipProfile
    records: tuple[Record, ...]
    drops_at: datetime | None  # None: nothing is registered, nothing drops


def new_password(ids: Ids) -> str:
    """A password for a SIP Profile or an account: generated, never chosen (R82)."""
    return "".join(ALPHABET[octet % len(ALPHABET)] for octet in ids.octets(PASSWORD_LENGTH))


def fingerprint(username: str, password: str) -> str:
    """Tells passwords apart without telling them; what a binding remembers (R83)."""
    return sha256(f"{username}:{password}".encode("utf-8", "surrogateescape")).hexdigest()[:16]


def drops_at(profile: SipProfile, location: Location, at: datetime) -> datetime | None:
    """When the PBX drops if the password changes at `at`: to be shown before the change (R85).

    Of several bindings the last: until then calls come in. None when nothing is registered.
    """
    bindings = location.lookup(Owner.PROFILE, profile.id)
    return max((b.expires_at for b in bindings if b.expires_at > at), default=None)


def rotate(profile: SipProfile, ids: Ids, location: Location, at: datetime) -> Rotation:
    """Give the profile a new password; bindings and running calls stay as they are (R83)."""
    bindings = [b for b in location.lookup(Owner.PROFILE, profile.id) if b.expires_at > at]
    replaced = [profile.password, *(old.password for old in profile.old_passwords)]
    kept = tuple(
        OldPassword(password, max(b.expires_at for b in made))
        for password in replaced
        if (made := _made_with(profile, password, bindings))
    )
    changed = replace(profile, password=new_password(ids), old_passwords=kept)
    return Rotation(changed, (record_of(changed),), drops_at(profile, location, at))


def pruned(profile: SipProfile, location: Location, now: float) -> tuple[OldPassword, ...]:
    """The replaced passwords that still have a living binding; the others are to be forgotten."""
    if not profile.old_passwords:
        return ()
    bindings = location.lookup(Owner.PROFILE, profile.id, now)
    return tuple(
        old for old in profile.old_passwords if _made_with(profile, old.password, bindings)
    )


def record_of(profile: SipProfile) -> PasswordChanged:
    """What the journal keeps of a profile's passwords."""
    return PasswordChanged(profile.id, profile.username, profile.password, profile.old_passwords)


def accepted(
    profile: SipProfile, method: str, host: str, location: Location, now: float
) -> tuple[str, ...]:
    """The passwords that may sign a request from `host` now, the current one first."""
    if not profile.old_passwords or method == "REGISTER":  # R84: registering takes the new one
        return (profile.password,)
    here = [b for b in location.lookup(Owner.PROFILE, profile.id, now) if b.flow.remote[0] == host]
    old = (o.password for o in profile.old_passwords if _made_with(profile, o.password, here))
    return (profile.password, *old)


def _made_with(profile: SipProfile, password: str, bindings: list[Binding]) -> list[Binding]:
    mark = fingerprint(profile.username, password)
    return [b for b in bindings if b.signed_with == mark]
