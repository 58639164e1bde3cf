"""Commands about SIP Profiles."""

from typing import Any

import pytest

from gateway.commands.base import Json
from gateway.hot_state import HotState
from gateway.model.binding import Owner
from gateway.model.call import Direction, SrtpPolicy
from gateway.model.profile import AuthMode, Subscription
from gateway.model.record import BindingRemoved, ProfileSaved
from tests.support import factories as make
from tests.support.asking import call, code, yes
from tests.support.commands import code as refusal_code
from tests.support.commands import decide, do, env, records, refused


def profile_of(answer: Json) -> dict[str, Any]:
    found = answer["profile"]
    assert isinstance(found, dict)
    return found


def test_as_many_profiles_as_wanted_each_with_a_sign_in_of_its_own() -> None:
    """R12, R82: made by the system, 130 bits."""
    hot = make.hot_state()
    environment = env()
    made = [do(hot, "profile.new", environment, name=f"P{i}") for i in range(50)]
    signs: list[Any] = [answer["sign_in"] for answer in made]
    assert len({each["username"] for each in signs}) == 50
    assert len({each["password"] for each in signs}) == 50
    assert all(len(each["password"]) == 26 for each in signs)
    assert len(hot.profile_by_id) == 51
    for each in signs:
        assert hot.profile_by_username[each["username"]].password == each["password"]


def test_a_new_profile_without_channels_is_not_active() -> None:
    """R18."""
    hot = make.hot_state()
    do(hot, "profile.new", name="Plant")
    assert hot.profile_by_id[2].subscription is Subscription.NONE
    assert code(call(hot, source_id=2)) == "NO_SUBSCRIPTION"
    answer = do(hot, "profile.set", profile="Plant", channels=105)
    assert profile_of(answer)["channels"] == 110  # R25
    assert profile_of(answer)["subscription"] == "active"


@pytest.mark.parametrize("channels", [0, -1, 301, 304, "ten"])
def test_channels_that_cannot_be_had_change_nothing(channels: object) -> None:
    """R25."""
    hot = make.hot_state()
    assert refusal_code(hot, "profile.set", profile="1", channels=channels) == "BAD_CHANNELS"
    assert hot.profile_by_id[1].channels == 2


def test_renaming_disturbs_neither_binding_nor_call() -> None:
    """R16: SIP username, binding and live call unaffected."""
    hot = make.hot_state(bindings=(make.binding(),))
    hot.profile_by_id[1].lease("c-1", Direction.OUTGOING, make.AT)
    before = hot.profile_by_id[1]
    change = decide(hot, "profile.set", profile="1", name="Sales.EMEA")
    assert change.drops == ()
    change.apply(hot)
    after = hot.profile_by_id[1]
    assert (after.name, after.username, after.password) == (
        "Sales.EMEA", before.username, before.password,
    )  # fmt: skip
    assert set(after.leases) == {"c-1"}
    assert len(hot.location.lookup(Owner.PROFILE, 1)) == 1
    after.release("c-1")  # by the call that took it
    assert hot.profile_by_username[before.username] is after


def test_more_channels_count_at_once_and_fewer_never_cut_a_call() -> None:
    """R24: n channels, n calls; the next one is refused."""
    hot = make.hot_state()
    do(hot, "profile.set", profile="1", channels=3)
    for i in range(3):
        yes(call(hot, call_id=f"c-{i}"))
    assert code(call(hot, call_id="c-3")) == "CHANNELS_FULL_PBX"
    do(hot, "profile.set", profile="1", channels=1)
    assert len(hot.profile_by_id[1].leases) == 3
    hot.profile_by_id[1].release("c-0")
    assert code(call(hot, call_id="c-4")) == "CHANNELS_FULL_PBX"


def test_sign_in_details_are_shown_when_asked_for_and_nowhere_else() -> None:
    """R17."""
    hot = make.hot_state(onnet_accounts=(make.onnet_account(),))
    shown: Any = do(hot, "password.show", profile="1")["sign_in"]
    assert (shown["username"], shown["password"]) == ("99051000000001", "secret-1")
    assert do(hot, "password.show", profile="1")["sign_in"] == shown
    account: Any = do(hot, "password.show", account="alice")["sign_in"]
    assert account["password"] == "onnet-1"
    assert refusal_code(hot, "password.show") == "BAD_ARGUMENT"
    for verb, args in (("profile.list", {}), ("profile.show", {"profile": "1"})):
        assert "secret-1" not in str(do(hot, verb, None, **args))
    change = decide(hot, "profile.set", profile="1", name="x")
    assert "secret-1" not in repr(records(change)) + change.subject


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1:5060", "127.0.0.1:5060", "100.64.0.1:5060", "224.0.0.9:5060", "[::1]:5060"],
)
def test_a_fixed_address_must_be_public(address: str) -> None:
    """R77: labs may allow others."""
    hot = make.hot_state()
    ask: dict[str, object] = {"profile": "1", "address": address}
    assert refusal_code(hot, "profile.set", **ask) == "PRIVATE_ADDRESS"
    do(hot, "profile.set", env(allow_private_peers=True), **ask)
    assert hot.profile_by_id[1].mode is AuthMode.IP


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "8.8.8.8:0", "8.8.8.8:x", "pbx.example:5060", "::1"]
)
def test_a_fixed_address_is_an_address_and_a_port(address: str) -> None:
    assert refusal_code(make.hot_state(), "profile.set", profile="1", address=address) == (
        "BAD_ARGUMENT"
    )


def test_two_profiles_never_share_an_address_and_port() -> None:
    """R79: whatever its spelling and transport."""
    first = make.profile(1, name="One", mode=AuthMode.IP, address=("2001:4860::1", 5060))
    hot = make.hot_state(profiles=(first, make.profile(2)))
    for transport in ("udp", "tcp"):
        ask = {"profile": "2", "address": "[2001:4860:0::1]:5060", "transport": transport}
        error = refused(lambda ask=ask: do(hot, "profile.set", None, **ask))
        assert error.code == "TAKEN"
        assert "is the address of profile One already" in error.sentence
    assert hot.profile_by_id[2].mode is AuthMode.REGISTRATION
    do(hot, "profile.set", profile="2", address="[2001:4860::1]:5062")


def test_a_profile_and_a_carrier_that_send_from_one_place_are_refused() -> None:
    """R79: their calls could not be told apart; nothing is changed."""
    hot = make.hot_state(carriers=(make.carrier(host="8.8.4.4", match_port=False),))
    error = refused(lambda: do(hot, "profile.set", profile="1", address="8.8.4.4:5099"))
    assert error.code == "AMBIGUOUS"
    assert "both send from 8.8.4.4" in error.sentence
    assert hot.profile_by_id[1].address is None


def test_switching_to_a_fixed_address_ends_registrations_and_back() -> None:
    """R77."""
    hot = make.hot_state(bindings=(make.binding(),))
    change = decide(hot, "profile.set", profile="1", address="8.8.8.8:5060")
    saved, removed = records(change)
    assert isinstance(saved, ProfileSaved)
    assert isinstance(removed, BindingRemoved)
    do(hot, "profile.set", profile="1", address="8.8.8.8:5060")
    assert hot.profile_from(make.flow(("8.8.8.8", 5060))) is hot.profile_by_id[1]
    assert len(hot.location) == 0
    do(hot, "profile.set", profile="1", mode="registration")
    assert hot.profile_by_id[1].address is None
    assert hot.profile_from(make.flow(("8.8.8.8", 5060))) is None


def test_a_mode_needs_what_belongs_to_it() -> None:
    hot = make.hot_state()
    assert refusal_code(hot, "profile.set", profile="1", mode="ip") == "BAD_ARGUMENT"
    both = {"mode": "registration", "address": "8.8.8.8:5060"}
    assert refusal_code(hot, "profile.set", None, profile="1", **both) == "BAD_ARGUMENT"


def test_everything_else_is_set_and_shown() -> None:
    hot = make.hot_state(numbers=(make.number(),))
    told = profile_of(
        do(hot, "profile.set", profile="1", srtp="required", dialect="modern", require_tls=True,
           sha256=True, caller_id="+12026555376")
    )  # fmt: skip
    assert (told["srtp"], told["dialect"]) == ("required", "modern")
    assert (told["require_tls"], told["sha256"]) == (True, True)
    assert told["caller_id"] == "+12026555376"
    assert told["numbers"] == ["+12026555376"]
    assert hot.profile_by_id[1].srtp is SrtpPolicy.REQUIRED
    assert profile_of(do(hot, "profile.set", profile="1", caller_id="none"))["caller_id"] == ""
    assert refusal_code(hot, "profile.set", profile="1", caller_id="2026") == "BAD_NUMBER"
    assert refusal_code(hot, "profile.set", profile="1", srtp="maybe") == "BAD_ARGUMENT"


def test_names_are_unique() -> None:
    hot = make.hot_state()
    assert refusal_code(hot, "profile.new", name="Profile.1") == "TAKEN"
    assert refusal_code(hot, "profile.new", name="   ") == "BAD_ARGUMENT"
    assert refusal_code(hot, "profile.new", name="x" * 65) == "BAD_ARGUMENT"


def test_a_thousand_profiles_are_found_as_fast_as_one() -> None:
    """R12: an index, whatever the number."""
    hot: HotState = make.hot_state(profiles=tuple(make.profile(i) for i in range(1, 1001)))
    assert hot.profile_by_username["99051000001000"].id == 1000
    first: Any = do(hot, "profile.list")
    rest: Any = do(hot, "profile.list", offset=500)
    assert first["total"] == rest["total"] == 1000
    assert [each["id"] for each in first["profiles"] + rest["profiles"]] == [*range(1, 1001)]
    assert do(hot, "profile.list", offset=1000)["profiles"] == []
