"""Effects are values."""

from sip.effects import Deliver, Ended, Report, Send
from tests.support.sip_text import TCP, UDP


def test_effects_compare_by_what_they_say() -> None:
    assert Send(b"x", UDP) == Send(b"x", UDP) != Send(b"x", TCP)
    assert Deliver("a") != Deliver("b")
    assert Ended() == Ended(None) != Ended("timeout")
    assert Report("stray", "x").flow is None


def test_effects_are_slotted() -> None:
    assert not hasattr(Send(b"x", UDP), "__dict__")
