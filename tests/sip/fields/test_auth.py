"""Challenges and credentials as text (RFC 7616 §3.3, §3.4)."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import RemoteProtocolError
from sip.fields.auth import Challenge, Credentials, parse_auth


def test_a_challenge_is_read_with_all_its_parts() -> None:
    challenge = Challenge.parse(
        'Digest realm="atlanta.com", domain="sip:ss1.carrier.com", qop="auth,auth-int", '
        'nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="", stale=TRUE, algorithm=MD5',
        proxy=True,
    )
    assert challenge == Challenge(
        realm="atlanta.com",
        nonce="f84f1cec41e6cbe5aea9c8e88d359",
        algorithm="MD5",
        qop=("auth", "auth-int"),
        opaque="",
        stale=True,
        proxy=True,
    )


def test_a_challenge_prints_and_parses_back() -> None:
    challenge = Challenge('our "realm"', "n", "SHA-256", ("auth",), "o", stale=True)
    assert Challenge.parse(str(challenge)) == challenge
    assert str(Challenge("r", "n")) == 'Digest realm="r", nonce="n"'


def test_credentials_are_read_and_printed_back() -> None:
    text = (
        'Digest username="bob", realm="biloxi.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
        'uri="sip:bob@biloxi.com", response="6629fae49393a05397450978507c4ef1", algorithm=MD5, '
        'cnonce="0a4f113b", opaque="5ccc069c403ebaf9f0171e9517f40e41", qop=auth, nc=0000001a'
    )
    credentials = Credentials.parse(text)
    assert (credentials.username, credentials.qop, credentials.nc) == ("bob", "auth", 26)
    assert str(credentials) == text


def test_secrets_stay_out_of_the_representation() -> None:
    assert "6629" not in repr(Credentials("bob", "r", "n", "u", "6629fae4"))


def test_quoted_commas_and_quotes_belong_to_the_value() -> None:
    scheme, params = parse_auth('dIGEST a="x, \\"y\\"" ,B=c,')
    assert (scheme, params) == ("Digest", {"a": 'x, "y"', "b": "c"})


@pytest.mark.parametrize(
    "text",
    [
        *("", "Digest username=bob", "Digest a", 'Digest a="b', "Digest a=b c=d", 'Digest a="b"c'),
        'Digest username="a", username="b", realm="r", nonce="n", uri="u", response="x"',
        'Digest username="a", realm="r", nonce="n", uri="u", response="x", nc=1',
        'Digest username="a", realm="r", nonce="n", uri="u", response="x", nc=+0000001',
        "Basic dXNlcjpwYXNz",
    ],
)
def test_malformed_credentials_are_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Credentials.parse(text)


def test_an_unknown_scheme_is_no_error_in_a_challenge() -> None:
    assert Challenge.parse('NTLM realm="x"').scheme == "NTLM"


@given(st.text(alphabet='ab="\\, \t;', max_size=40))
def test_any_text_is_credentials_or_a_protocol_error(text: str) -> None:
    with suppress(RemoteProtocolError):
        parse_auth("Digest " + text)
