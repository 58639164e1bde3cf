"""Which caller is shown."""

import pytest

from gateway import caller_id
from gateway.hot_state import HotState
from gateway.model.call import CallerIdentity
from rating.e164 import E164
from tests.support import factories as make

US, GB, EE = "+12026555376", "+442079460123", "+3726123456"
TO_US, TO_GB, TO_FR = E164("12025550123"), E164("447824501234"), E164("33123456789")


def shown(hot: HotState, called: E164 = TO_US) -> CallerIdentity:
    return caller_id.choose(hot.profile_by_id[1], called, hot)


def hot_with(caller: str = "", numbers: tuple[str, ...] = (), **by_country: str) -> HotState:
    return make.hot_state(
        profiles=(make.profile(caller_id=caller, caller_id_by_country=by_country),),
        numbers=tuple(make.number(n) for n in numbers),
    )


def test_a_new_profile_shows_nobody() -> None:
    """R111: a new profile has (c)."""
    assert shown(hot_with()) == caller_id.ANONYMOUS
    assert str(shown(hot_with())) == "anonymous"


def test_a_landline_is_shown() -> None:
    """R111a"""
    assert str(shown(hot_with(GB))) == GB


def test_an_online_number_of_the_profile_is_shown() -> None:
    """R111b"""
    assert shown(hot_with(US, (US,))) == CallerIdentity(E164(US[1:]))


def test_a_withheld_caller_is_known_to_the_trusted_carrier() -> None:
    """R111c"""
    identity = shown(hot_with("", (US,)))
    assert identity.number is None
    assert identity.network_number == E164(US[1:])
    assert str(identity) == "anonymous"


def test_a_number_that_left_the_profile_is_no_longer_shown() -> None:
    """R117: from the next call."""
    hot = hot_with(US, (US,))
    hot.put_number(make.number(US, profile_id=2))
    assert shown(hot) == caller_id.ANONYMOUS
    hot.put_number(make.number(US, profile_id=None))
    assert shown(hot) == caller_id.ANONYMOUS


def test_a_suspended_number_is_not_shown_nor_told() -> None:
    """R110, R117"""
    hot = hot_with(US)
    number = make.number(US)
    hot.put_number(type(number)(US, 1, suspended=True))
    assert shown(hot) == caller_id.ANONYMOUS


def test_the_called_country_chooses_the_number() -> None:
    """R113: fallback is the profile's default."""
    hot = hot_with(EE, (US, GB, EE), US=US, GB=GB)
    assert str(shown(hot, TO_US)) == US
    assert str(shown(hot, TO_GB)) == GB
    assert str(shown(hot, TO_FR)) == EE


def test_what_is_no_number_is_never_shown() -> None:
    assert shown(hot_with("Sales")) == caller_id.ANONYMOUS


@pytest.mark.parametrize(
    ("claimed", "number"),
    [
        ("+447824501234", "+447824501234"),
        ("447824501234", "+447824501234"),
        ("00447824501234", "+447824501234"),
        ("+447824501234;cpc=ordinary", "+447824501234"),
        ("07824501234", None),
        ("anonymous", None),
        ("Restricted", None),
        ("", None),
    ],
)
def test_a_carrier_is_believed_for_full_numbers_only(claimed: str, number: str | None) -> None:
    identity = caller_id.inbound(claimed)
    assert (str(identity.number) if identity.number else None) == number


def test_an_account_is_shown_by_its_name() -> None:
    """R109"""
    assert caller_id.onnet("alice") == CallerIdentity(None, onnet_name="alice")
    assert str(caller_id.onnet("alice")) == "alice"
