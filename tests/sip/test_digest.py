"""Digest authentication (RFC 2069, RFC 2617, RFC 7616, RFC 8760) and nonces (R78)."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.digest import (
    Nonces,
    NonceVerdict,
    answer_challenge,
    compute_response,
    hash_a1,
    verify_credentials,
)
from sip.fields.auth import Challenge, Credentials

SECRET = b"s" * 32
NONCE_7616 = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_come_out(algorithm: str, response: str) -> None:
    """RFC 7616 §3.9.1."""
    ha1 = hash_a1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    assert response == compute_response(
        *(algorithm, ha1, NONCE_7616, "GET", "/dir/index.html"),
        qop="auth",
        nc=1,
        cnonce=CNONCE_7616,
    )


def test_the_example_of_rfc_2617_comes_out() -> None:
    """RFC 2617 §3.5."""
    credentials = Credentials.parse(
        'Digest username="Mufasa", realm="testrealm@host.com", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, '
        'nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", '
        'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    assert verify_credentials(credentials, "GET", "Circle Of Life")
    assert not verify_credentials(credentials, "GET", "Circle of Life")
    assert not verify_credentials(credentials, "POST", "Circle Of Life")


def test_the_example_of_rfc_2069_comes_out() -> None:
    """RFC 2069 §2.4, with the value of its erratum 749."""
    ha1 = hash_a1(None, "Mufasa", "testrealm@host.com", "CircleOfLife")
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    response = compute_response(None, ha1, nonce, "GET", "/dir/index.html")
    assert response == "1949323746fe6a43ef61f9606e7febea"


def test_auth_int_covers_the_body() -> None:
    ha2 = hashlib.md5(b"INVITE:sip:a:" + hashlib.md5(b"v=0").hexdigest().encode()).hexdigest()
    expected = hashlib.md5(f"h:n:00000001:c:auth-int:{ha2}".encode()).hexdigest()
    assert expected == compute_response(
        *("MD5", "h", "n", "INVITE", "sip:a"), qop="auth-int", nc=1, cnonce="c", body=b"v=0"
    )


def credentials_for(
    challenge: Challenge, password: str = "pw", method: str = "INVITE", nc: int = 1
) -> Credentials:
    answer = answer_challenge([challenge], "bob", password, method, "sip:a@b", "cn", nc, b"body")
    assert answer is not None
    return Credentials.parse(answer[1])


@pytest.mark.parametrize("algorithm", [None, "MD5", "md5", "SHA-256", "sha-256"])
@pytest.mark.parametrize("qop", [(), ("auth",), ("auth-int",), ("auth-int", "auth"), ("x", "auth")])
def test_what_we_answer_verifies(algorithm: str | None, qop: tuple[str, ...]) -> None:
    """Ruling 17: MD5 and SHA-256."""
    credentials = credentials_for(Challenge("r", "n", algorithm, qop, "op"))
    assert verify_credentials(credentials, "INVITE", "pw", b"body")
    assert not verify_credentials(credentials, "INVITE", "other", b"body")
    assert verify_credentials(
        credentials, "INVITE", None, b"body", ha1=hash_a1(algorithm, "bob", "r", "pw")
    )
    assert (credentials.opaque, credentials.algorithm) == ("op", algorithm)
    assert (credentials.qop is None) == (qop == ())
    if "auth-int" in qop and "auth" not in qop:
        assert not verify_credentials(credentials, "INVITE", "pw", b"other body")


def test_an_unknown_username_is_never_right() -> None:
    """R78: unknown username and wrong password look the same."""
    for password in ("", "no such password", "pw"):
        credentials = credentials_for(Challenge("r", "n", qop=("auth",)), password)
        assert not verify_credentials(credentials, "INVITE", None)


@pytest.mark.parametrize(
    "change",
    [
        {"algorithm": "MD5-sess"},
        {"algorithm": "SHA-512-256"},
        {"qop": "auth-conf"},
        {"cnonce": None},
        {"cnonce": ""},
        {"nc": None},
        {"nc": 2},
        {"nonce": "m"},
        {"uri": "sip:other"},
        {"realm": "other"},
        {"username": "eve"},
        {"response": ""},
        {"response": "é" * 32},
        {"response": "\udcff"},
    ],
)
def test_any_changed_part_spoils_the_credentials(change: dict[str, str | int | None]) -> None:
    good = credentials_for(Challenge("r", "n", "MD5", ("auth",)))
    assert verify_credentials(good, "INVITE", "pw")
    assert not verify_credentials(replace(good, **change), "INVITE", "pw")  # type: ignore[arg-type]


@pytest.mark.parametrize(("nc", "cnonce"), [(None, "c"), (1, None), (1, "")])
def test_qop_without_count_or_client_nonce_is_refused(nc: int | None, cnonce: str | None) -> None:
    """RFC 7616 §3.4: both are required, even if the response was computed without them."""
    ha1 = hash_a1("MD5", "bob", "r", "pw")
    response = compute_response("MD5", ha1, "n", "BYE", "sip:a", qop="auth", nc=nc, cnonce=cnonce)
    credentials = Credentials("bob", "r", "n", "sip:a", response, "MD5", "auth", nc, cnonce)
    assert not verify_credentials(credentials, "BYE", "pw")


def test_an_upper_case_response_is_taken() -> None:
    good = credentials_for(Challenge("r", "n"))
    assert verify_credentials(replace(good, response=good.response.upper()), "INVITE", "pw")


def test_the_stronger_challenge_is_answered() -> None:
    """RFC 8760 §2.4."""
    md5 = Challenge("r", "weak", "MD5", ("auth",), proxy=True)
    sha = Challenge("r", "strong", "SHA-256", ("auth",), proxy=True)
    for offered in ([md5, sha], [sha, md5]):
        answer = answer_challenge(offered, "bob", "pw", "INVITE", "sip:a", "c")
        assert answer is not None
        name, value = answer
        assert name == "Proxy-Authorization"
        assert Credentials.parse(value).nonce == "strong"


def test_the_header_matches_the_kind_of_challenge() -> None:
    answer = answer_challenge([Challenge("r", "n")], "bob", "pw", "REGISTER", "sip:a", "c")
    assert answer is not None
    assert answer[0] == "Authorization"
    assert "cnonce" not in answer[1]


def test_challenges_we_cannot_answer_are_passed_over() -> None:
    useless = [
        Challenge("r", "n", "SHA-512-256"),
        Challenge("r", "n", "MD5-sess"),
        Challenge("r", "n", qop=("auth-conf",)),
        Challenge("r", "", "MD5"),
        Challenge("r", "n", scheme="NTLM"),
    ]
    assert answer_challenge(useless, "bob", "pw", "INVITE", "sip:a", "c") is None
    good = Challenge("good", "n", stale=True)
    answer = answer_challenge([*useless, good], "bob", "pw", "INVITE", "sip:a", "c")
    assert answer is not None
    assert Credentials.parse(answer[1]).realm == "good"


def test_a_nonce_count_is_good_once() -> None:
    """R78: nonce count handling."""
    nonces = Nonces(SECRET)
    nonce = nonces.mint(10.0, b"12345678")
    verdicts = [nonces.verify(nonce, nc, 11.0) for nc in (1, 1, 2, 5, 3, 5, 6)]
    ok, replayed = NonceVerdict.OK, NonceVerdict.REPLAYED
    assert verdicts == [ok, replayed, ok, ok, replayed, replayed, ok]


def test_credentials_without_qop_are_good_once() -> None:
    nonces = Nonces(SECRET)
    nonce = nonces.mint(10.0, b"12345678")
    assert nonces.verify(nonce, None, 10.0) is NonceVerdict.OK
    assert nonces.verify(nonce, None, 10.0) is NonceVerdict.REPLAYED
    assert nonces.verify(nonce, 2**32 - 1, 10.0) is NonceVerdict.REPLAYED
    other = nonces.mint(10.0, b"abcdefgh")
    assert nonces.verify(other, 1, 10.0) is NonceVerdict.OK
    assert nonces.verify(other, None, 10.0) is NonceVerdict.REPLAYED


def test_a_nonce_is_stale_after_its_lifetime() -> None:
    nonces = Nonces(SECRET, lifetime_s=30.0)
    nonce = nonces.mint(100.0, b"12345678")
    assert nonces.verify(nonce, 1, 130.0) is NonceVerdict.OK
    assert nonces.verify(nonce, 2, 130.1) is NonceVerdict.STALE


@pytest.mark.parametrize("nonce", ["", "x", "A" * 40, "!" * 40, "é" * 40, "A" * 39 + "\udc80"])
def test_a_nonce_we_did_not_make_is_invalid(nonce: str) -> None:
    assert Nonces(SECRET).verify(nonce, 1, 1.0) is NonceVerdict.INVALID


def test_a_nonce_is_good_in_the_place_it_was_minted_for() -> None:
    """R86: nobody can fail with a challenge that another one got."""
    nonces = Nonces(SECRET)
    nonce = nonces.mint(1.0, b"12345678", "203.0.113.7")
    for place in ("", "203.0.113.8"):
        assert nonces.judge(nonce, 1.0, place) is NonceVerdict.INVALID
        assert nonces.verify(nonce, 1, 1.0, place) is NonceVerdict.INVALID
    assert nonces.verify(nonce, 1, 1.0, "203.0.113.7") is NonceVerdict.OK


def test_judging_a_nonce_uses_nothing_up() -> None:
    nonces = Nonces(SECRET, lifetime_s=30.0)
    nonce = nonces.mint(1.0, b"12345678")
    for _ in range(3):
        assert nonces.judge(nonce, 2.0) is NonceVerdict.OK
    assert nonces.judge(nonce, 31.1) is NonceVerdict.STALE
    assert len(nonces) == 0
    assert nonces.use(nonce, 1, 2.0) is NonceVerdict.OK
    assert nonces.use(nonce, 1, 2.0) is NonceVerdict.REPLAYED
    assert nonces.use("nonsense", 1, 2.0) is NonceVerdict.INVALID
    assert nonces.use(nonce, 0, 2.0) is NonceVerdict.INVALID


def test_a_nonce_count_of_zero_is_invalid() -> None:
    nonces = Nonces(SECRET)
    assert nonces.verify(nonces.mint(1.0, b"12345678"), 0, 1.0) is NonceVerdict.INVALID


def test_another_gateways_nonce_is_invalid() -> None:
    nonce = Nonces(b"t" * 32).mint(1.0, b"12345678")
    assert Nonces(SECRET).verify(nonce, 1, 1.0) is NonceVerdict.INVALID


@given(st.integers(0, 39), st.characters(min_codepoint=33, max_codepoint=126))
def test_no_character_of_a_nonce_can_be_changed(at: int, char: str) -> None:
    nonces = Nonces(SECRET)
    nonce = nonces.mint(77.25, b"12345678")
    forged = nonce[:at] + char + nonce[at + 1 :]
    if forged != nonce:
        verdict = nonces.verify(forged, 1, 78.0)
        aliases = {"-": "+", "_": "/", "+": "-", "/": "_"}
        assert verdict is NonceVerdict.INVALID or aliases.get(char) == nonce[at]


def test_another_spelling_of_a_nonce_is_the_same_nonce() -> None:
    nonces = Nonces(SECRET)
    spellings = ((n, n.replace("-", "+").replace("_", "/")) for n in minted(nonces, 200))
    nonce, alias = next(pair for pair in spellings if pair[0] != pair[1])
    assert nonces.verify(nonce, 1, 5.0) is NonceVerdict.OK
    assert nonces.verify(alias, 1, 5.0) is not NonceVerdict.OK


def minted(nonces: Nonces, count: int, start: float = 1.0) -> list[str]:
    return [nonces.mint(start + i / 1000, i.to_bytes(8, "big")) for i in range(count)]


def test_the_table_is_bounded_and_what_falls_out_is_not_replayable() -> None:
    """R78: a full table never makes a used count good again."""
    nonces = Nonces(SECRET, table_size=100)
    made = minted(nonces, 300)
    for nonce in made:
        assert nonces.verify(nonce, 1, 2.0) is NonceVerdict.OK
    assert len(nonces) == 100
    verdicts = {nonces.verify(nonce, 1, 2.0) for nonce in made}
    assert verdicts == {NonceVerdict.STALE, NonceVerdict.REPLAYED}
    assert nonces.verify(nonces.mint(2.0, b"87654321"), 1, 2.0) is NonceVerdict.OK


def test_expired_entries_leave_the_table() -> None:
    nonces = Nonces(SECRET, lifetime_s=10.0)
    for nonce in minted(nonces, 50):
        nonces.verify(nonce, 1, 2.0)
    assert len(nonces) == 50
    late = nonces.mint(60.0, b"12345678")
    assert nonces.verify(late, 1, 60.0) is NonceVerdict.OK
    assert len(nonces) == 1


def test_a_challenge_that_is_never_answered_costs_no_memory() -> None:
    nonces = Nonces(SECRET)
    minted(nonces, 1000)
    assert len(nonces) == 0
