"""Generated passwords, and a change that disconnects nobody (R82 to R85)."""

import re
from dataclasses import replace
from datetime import timedelta
from math import log2

from hypothesis import given
from hypothesis import strategies as st

from gateway import credentials
from gateway.aio.clock import SystemIds
from gateway.location import Location
from gateway.model.binding import Binding
from gateway.model.profile import OldPassword
from gateway.model.record import PasswordChanged
from tests.support import factories as make

HOST = make.PBX[0]


def made_with(password: str, seconds: int = 3600, **fields: object) -> Binding:
    """A binding of profile 1 that lapses `seconds` after the test's now."""
    return make.binding(
        signed_with=credentials.fingerprint(make.profile().username, password),
        expires_at=make.AT + timedelta(seconds=seconds),
        deadline=make.NOW + seconds,
        **fields,
    )


def test_a_generated_password_has_128_bits_and_no_sign_that_sip_minds() -> None:
    """R82"""
    assert log2(len(credentials.ALPHABET)) * credentials.PASSWORD_LENGTH >= 128
    assert 256 % len(credentials.ALPHABET) == 0, "some signs would come more often"
    assert len(set(credentials.ALPHABET)) == len(credentials.ALPHABET)
    for _ in range(100):
        password = credentials.new_password(SystemIds())
        assert re.fullmatch("[a-z2-9]{26}", password)
        assert not set("01lo") & set(password)


def test_no_two_passwords_are_alike() -> None:
    """R82"""
    ids = SystemIds()
    assert len({credentials.new_password(ids) for _ in range(1000)}) == 1000


def test_every_sign_is_as_likely() -> None:
    class Counting:
        def octets(self, count: int) -> bytes:
            return bytes(range(count))

        def token(self, octets: int = 8) -> str:
            return ""

    text = credentials.new_password(Counting())
    assert text == credentials.ALPHABET[: credentials.PASSWORD_LENGTH]


def test_a_change_gives_a_new_password_and_tells_the_exact_time_of_the_drop() -> None:
    """R82, R83, R85"""
    profile, binding = make.profile(), made_with("secret-1", seconds=45)
    location = Location([binding])
    assert credentials.drops_at(profile, location, make.AT) == binding.expires_at
    rotation = credentials.rotate(profile, make.CountingIds(), location, make.AT)
    assert rotation.drops_at == binding.expires_at
    assert rotation.profile.password not in ("secret-1", "")
    assert rotation.profile.old_passwords == (OldPassword("secret-1", binding.expires_at),)
    assert rotation.records == (
        PasswordChanged(
            1, profile.username, rotation.profile.password, rotation.profile.old_passwords
        ),
    )
    assert (profile.password, profile.old_passwords) == ("secret-1", ())  # nothing is changed here
    assert location.lookup(binding.owner, 1) == [binding]  # R83: it stays


def test_without_a_registration_nothing_drops_and_the_old_password_is_dead_at_once() -> None:
    """R85"""
    gone = made_with("secret-1", seconds=0)
    for location in (Location(), Location([gone]), Location([made_with("secret-1", owner_id=2)])):
        rotation = credentials.rotate(make.profile(), make.CountingIds(), location, make.AT)
        assert rotation.drops_at is None
        assert rotation.profile.old_passwords == ()


def test_of_several_bindings_the_last_to_lapse_tells_the_time() -> None:
    """R85: until then calls come in."""
    location = Location([made_with("secret-1", s, contact=f"sip:{s}@pbx") for s in (30, 90, 60)])
    rotation = credentials.rotate(make.profile(), make.CountingIds(), location, make.AT)
    assert rotation.drops_at == make.AT + timedelta(seconds=90)


def test_two_changes_in_a_row_leave_the_password_of_the_registered_pbx_valid() -> None:
    """R83: the one in between registered nothing and is forgotten."""
    location = Location([made_with("secret-1")])
    ids = make.CountingIds()
    first = credentials.rotate(make.profile(), ids, location, make.AT).profile
    second = credentials.rotate(first, ids, location, make.AT).profile
    assert [old.password for old in second.old_passwords] == ["secret-1"]
    assert len({"secret-1", first.password, second.password}) == 3


def test_a_replaced_password_calls_from_its_bindings_host_and_never_registers() -> None:
    """R83, R84"""
    location = Location([made_with("secret-1", 60)])
    profile = credentials.rotate(make.profile(), make.CountingIds(), location, make.AT).profile
    both, new = (profile.password, "secret-1"), (profile.password,)

    def accepted(method: str, host: str, now: float) -> tuple[str, ...]:
        return credentials.accepted(profile, method, host, location, now)

    assert accepted("INVITE", HOST, make.NOW + 59.9) == both
    assert accepted("INVITE", HOST, make.NOW + 60) == new
    assert accepted("INVITE", "198.51.100.99", make.NOW) == new
    assert accepted("REGISTER", HOST, make.NOW) == new


def test_what_no_binding_needs_is_pruned() -> None:
    location = Location([made_with("secret-1", 60)])
    profile = credentials.rotate(make.profile(), make.CountingIds(), location, make.AT).profile
    assert credentials.pruned(profile, location, make.NOW + 59) == profile.old_passwords
    assert credentials.pruned(profile, location, make.NOW + 60) == ()
    assert credentials.pruned(make.profile(), location, make.NOW) == ()


def test_passwords_show_in_no_repr() -> None:
    """R17"""
    location = Location([made_with("secret-1")])
    rotation = credentials.rotate(make.profile(), make.CountingIds(), location, make.AT)
    told = repr(rotation)
    assert "secret-1" not in told
    assert rotation.profile.password not in told


def test_a_fingerprint_is_the_accounts_own() -> None:
    assert credentials.fingerprint("a", "same") != credentials.fingerprint("b", "same")
    assert len(credentials.fingerprint("a", "same")) == 16


@given(st.lists(st.tuples(st.sampled_from("RCN"), st.integers(1, 120)), max_size=30))
def test_whoever_is_registered_can_call_whatever_changes(steps: list[tuple[str, int]]) -> None:
    """R83: registering (R), calling (C) and changing (N) in any order, the PBX with what it has."""
    profile, location, ids = make.profile(), Location(), make.CountingIds()
    elapsed, registered_with, until = 0, "", -1
    for step, seconds in steps:
        elapsed += seconds
        now, at = make.NOW + elapsed, make.AT + timedelta(seconds=elapsed)
        location.tick(now)
        if step == "R":
            location.apply(saved=[made_with(profile.password, elapsed + 100)])
            registered_with, until = profile.password, elapsed + 100
        elif step == "N":
            profile = credentials.rotate(profile, ids, location, at).profile
        else:
            profile = replace(profile, old_passwords=credentials.pruned(profile, location, now))
        good = credentials.accepted(profile, "INVITE", HOST, location, now)
        assert profile.password in good
        if elapsed < until:
            assert registered_with in good
        else:
            assert good == (profile.password,)
        assert len(good) <= 2
