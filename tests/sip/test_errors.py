"""What the protocol errors carry."""

from sip.errors import LocalProtocolError, RemoteProtocolError, SipError


def test_a_peers_error_is_answered_400_unless_it_says_otherwise() -> None:
    error = RemoteProtocolError("no Via")
    assert (str(error), error.status_hint, error.request) == ("no Via", 400, None)
    assert RemoteProtocolError("x", 505).status_hint == 505


def test_one_base_catches_both_sides() -> None:
    assert issubclass(LocalProtocolError, SipError)
    assert issubclass(RemoteProtocolError, SipError)
