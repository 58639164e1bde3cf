"""The call-control vocabulary."""

from dataclasses import fields
from typing import get_args

from sip.invite.events import Refused, SessionEvent
from tests.support.sip_stage import Stage


def test_every_event_names_its_session_first() -> None:
    for event in get_args(SessionEvent):
        assert fields(event)[0].name == "session"


def test_events_can_be_taken_apart() -> None:
    session = Stage().call()
    match Refused(session, 408, "Request Timeout", None):
        case Refused(who, status, reason, None):
            assert (who, status, reason) == (session, 408, "Request Timeout")
        case _:
            raise AssertionError
