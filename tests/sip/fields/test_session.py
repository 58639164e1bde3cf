"""Session timers, reasons and token lists (RFC 4028, RFC 3326)."""

import pytest

from sip.errors import RemoteProtocolError
from sip.fields.session import (
    Reason,
    SessionExpires,
    format_tokens,
    parse_methods,
    parse_min_se,
    parse_option_tags,
)


def test_session_expires_names_interval_and_refresher() -> None:
    assert SessionExpires.parse("4000;refresher=UAC") == SessionExpires(4000, "uac")
    assert SessionExpires.parse("1800 ; x=y") == SessionExpires(1800)
    assert str(SessionExpires(1800, "uas")) == "1800;refresher=uas"
    assert str(SessionExpires(90)) == "90"


@pytest.mark.parametrize("text", ["", "x", "-1", "90;refresher=proxy", "90 90"])
def test_malformed_session_expires_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        SessionExpires.parse(text)


def test_min_se_is_a_number_of_seconds() -> None:
    assert parse_min_se("90;lr=x") == 90


def test_a_reason_is_read_and_printed_back() -> None:
    text = 'Q.850;cause=16;text="Terminated; \\"ok\\""'
    assert Reason.parse(text) == Reason("Q.850", 16, 'Terminated; "ok"')
    assert str(Reason.parse(text)) == text
    assert Reason.parse("SIP") == Reason("SIP")
    assert Reason.parse("SIP;cause=x").cause is None
    with pytest.raises(RemoteProtocolError):
        Reason.parse(";cause=1")


def test_token_lists_span_lines() -> None:
    assert parse_option_tags(["100rel, Timer", "replaces"]) == {"100rel", "timer", "replaces"}
    assert parse_methods(["INVITE,ACK", " BYE"]) == {"INVITE", "ACK", "BYE"}
    assert format_tokens(("INVITE", "ACK")) == "INVITE, ACK"
