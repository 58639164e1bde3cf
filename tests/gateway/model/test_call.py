"""The words for one call."""

from dataclasses import replace

from gateway.model.call import CallerIdentity, LegSide
from rating.e164 import E164
from tests.gateway.b2bua.test_call import target


def test_each_leg_knows_the_other() -> None:
    assert LegSide.A.other is LegSide.B
    assert LegSide.B.other is LegSide.A


def test_a_caller_is_shown_as_number_name_or_anonymous() -> None:
    """R111: nothing of a withheld number is shown."""
    number = E164.parse("+12026555376")
    assert str(CallerIdentity(number)) == "+12026555376"
    assert str(CallerIdentity(None, onnet_name="alice")) == "alice"
    assert str(CallerIdentity(None, network_number=number)) == "anonymous"


def test_a_target_has_a_short_name_without_blanks() -> None:
    named = target("carrier:Main of  London")
    assert named.name == "Main-of-London"
    assert replace(named, carrier_id=None, label="binding:sip:a@h").name == "binding"
