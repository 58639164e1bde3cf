"""Who is this? Addresses, digest, and what strangers are told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.hot_state import HotState
from gateway.identify import Challenged, Identified, Identifier
from gateway.model.call import Source
from gateway.model.profile import AuthMode, OldPassword
from gateway.refusal import Refusal
from sip.digest import Nonces
from sip.fields.auth import Challenge
from sip.message import Request
from tests.support import factories as make

USER, PASSWORD = "99051000000001", "secret-1"
IP_PBX = ("203.0.113.20", 5062)


class Bench:
    """An identifier with its hot state and time."""

    def __init__(self, realms: tuple[str, ...] = (make.REALM,), **fields: Any) -> None:
        self.hot: HotState = make.hot_state(**fields)
        self.identifier = Identifier(
            self.hot, Nonces(b"k" * 32, lifetime_s=300.0), realms, make.CountingIds()
        )

    def ask(self, request: Request, **at: Any) -> Identified | Challenged | Refusal:
        now = at.pop("now", make.NOW)
        return self.identifier.identify(request, at.pop("flow", make.flow()), now)

    def challenge(self, request: Request, **at: Any) -> Challenged:
        answer = self.ask(request, **at)
        assert isinstance(answer, Challenged)
        return answer

    def sign(
        self, request: Request, username: str = USER, password: str = PASSWORD, **how: Any
    ) -> Request:
        """Credentials for a challenge of ours; `flow` is where that went."""
        (first, *_) = self.challenge(request, flow=how.pop("flow", make.flow())).headers
        return make.signed(request, first, username, password, **how)


def refused(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def test_an_invite_without_credentials_is_challenged_by_a_proxy() -> None:
    """R78"""
    answer = Bench().challenge(make.request())
    assert answer.status == 407
    ((name, value),) = answer.headers
    assert name == "Proxy-Authenticate"
    challenge = Challenge.parse(value)
    assert (challenge.realm, challenge.algorithm, challenge.qop) == (make.REALM, "MD5", ("auth",))
    assert not challenge.stale


def test_a_register_without_credentials_is_challenged_by_a_registrar() -> None:
    """R76, R78"""
    answer = Bench().challenge(make.register())
    assert answer.status == 401
    assert answer.headers[0][0] == "WWW-Authenticate"


@pytest.mark.parametrize("plain", [make.request(), make.register()])
@pytest.mark.parametrize("nc", [1, None])
def test_right_credentials_identify_the_profile(plain: Request, nc: int | None) -> None:
    """R76: with qop and in the older form without it."""
    bench = Bench()
    answer = bench.ask(bench.sign(plain, nc=nc))
    assert isinstance(answer, Identified)
    assert (answer.source, answer.id) == (Source.PROFILE, 1)
    assert len(answer.signed_with) == 16


def test_no_binding_is_needed_to_call() -> None:
    """R78: a valid digest suffices, from any address."""
    bench = Bench(bindings=())
    elsewhere = make.flow(("198.51.100.99", 9999))
    assert isinstance(
        bench.ask(bench.sign(make.request(), flow=elsewhere), flow=elsewhere), Identified
    )


def test_an_unknown_username_and_a_wrong_password_look_the_same() -> None:
    """R78: both get a fresh challenge, never 403."""
    bench = Bench()
    unknown = bench.challenge(bench.sign(make.request(), "nobody", "guess"))
    wrong = bench.challenge(bench.sign(make.request(), USER, "guess"))
    assert unknown.status == wrong.status == 407
    for answer in (unknown, wrong):
        ((name, value),) = answer.headers
        challenge = Challenge.parse(value)
        assert name == "Proxy-Authenticate"
        assert (challenge.realm, challenge.stale, challenge.algorithm) == (make.REALM, False, "MD5")
        assert len(challenge.nonce) == 40


def test_a_wrong_password_is_still_wrong_after_a_right_one() -> None:
    """The kept H(A1) belongs to the right password only."""
    bench = Bench()
    assert isinstance(bench.ask(bench.sign(make.request())), Identified)
    assert isinstance(bench.ask(bench.sign(make.request(), USER, "guess")), Challenged)
    assert isinstance(bench.ask(bench.sign(make.request())), Identified)


def test_a_new_password_counts_at_once() -> None:
    """R84: the old one signs nothing any more."""
    bench = Bench()
    assert isinstance(bench.ask(bench.sign(make.request())), Identified)
    bench.hot.profile_by_id[1].password = "changed"
    assert isinstance(bench.ask(bench.sign(make.request())), Challenged)
    assert isinstance(bench.ask(bench.sign(make.request(), USER, "changed")), Identified)


def test_the_fingerprint_tells_passwords_apart_without_telling_them() -> None:
    """R83: a binding remembers which password made it."""
    bench = Bench()
    old = bench.ask(bench.sign(make.request()))
    again = bench.ask(bench.sign(make.request()))
    bench.hot.profile_by_id[1].password = "changed"
    new = bench.ask(bench.sign(make.request(), USER, "changed"))
    assert isinstance(old, Identified) and isinstance(new, Identified)
    assert old == again
    assert old.signed_with != new.signed_with
    assert "secret" not in old.signed_with


def rotated(bench: Bench, signed_with: str, **fields: Any) -> None:
    """Profile 1 has the password "changed" now, and a binding made with the one before."""
    profile = bench.hot.profile_by_id[1]
    made = make.binding(signed_with=signed_with, expires_at=make.AT + timedelta(hours=1), **fields)
    bench.hot.location.apply(saved=[made])
    old = OldPassword(profile.password, made.expires_at)
    bench.hot.put_profile(replace(profile, password="changed", old_passwords=(old,)))


def test_a_replaced_password_signs_calls_until_its_binding_lapses() -> None:
    """R83: from the host that registered with it, and from nowhere else."""
    bench = Bench()
    before = bench.ask(bench.sign(make.register()))
    assert isinstance(before, Identified)
    rotated(bench, before.signed_with, deadline=make.NOW + 60)
    call = bench.ask(bench.sign(make.request()), now=make.NOW + 59)
    assert call == before
    new = bench.ask(bench.sign(make.request(), USER, "changed"))
    assert isinstance(new, Identified) and new.signed_with != before.signed_with
    stranger = make.flow(("198.51.100.99", 5060))
    from_elsewhere = bench.sign(make.request(), flow=stranger)
    assert bench.challenge(from_elsewhere, flow=stranger).failed
    assert bench.challenge(bench.sign(make.request()), now=make.NOW + 60).failed


def test_a_replaced_password_registers_nothing() -> None:
    """R84: a fresh 401 for the old one, while the new one registers at once."""
    bench = Bench()
    before = bench.ask(bench.sign(make.register()))
    assert isinstance(before, Identified)
    rotated(bench, before.signed_with)
    answer = bench.challenge(bench.sign(make.register()))
    assert answer.status == 401 and not answer.stale
    assert isinstance(bench.ask(bench.sign(make.register(), USER, "changed")), Identified)


def test_a_replaced_password_ends_when_the_pbx_registers_with_the_new_one() -> None:
    """R83: the binding is then made with the new one."""
    bench = Bench()
    before = bench.ask(bench.sign(make.register()))
    assert isinstance(before, Identified)
    rotated(bench, before.signed_with)
    after = bench.ask(bench.sign(make.register(), USER, "changed"))
    assert isinstance(after, Identified)
    bench.hot.location.apply(saved=[make.binding(signed_with=after.signed_with)])
    assert isinstance(bench.ask(bench.sign(make.request())), Challenged)


@pytest.mark.parametrize("algorithm", [0, 1])
def test_a_replaced_password_serves_in_either_algorithm(algorithm: int) -> None:
    """R83: registered with MD5, a PBX may sign its calls with SHA-256, and the other way round."""
    bench = Bench(profiles=(make.profile(sha256=True),))
    before = bench.ask(bench.sign(make.register()))
    assert isinstance(before, Identified)
    rotated(bench, before.signed_with)
    header = bench.challenge(make.request()).headers[algorithm]
    assert bench.ask(make.signed(make.request(), header, USER, PASSWORD)) == before


@pytest.mark.parametrize("password", [PASSWORD, "guess"])
def test_an_old_nonce_is_stale_and_tells_nothing_of_the_password(password: str) -> None:
    """R78, R86: the PBX tries again without asking anybody; a guess is not worth more that way."""
    bench = Bench()
    request = bench.sign(make.request(), USER, password)
    answer = bench.challenge(request, now=make.NOW + 301)
    assert answer.stale and not answer.failed
    assert Challenge.parse(answer.headers[0][1]).stale


@pytest.mark.parametrize("password", [PASSWORD, "guess"])
def test_a_challenge_serves_only_the_source_that_got_it(password: str) -> None:
    """R86: nobody can fail in another's name, and no guess is free."""
    bench = Bench()
    request = bench.sign(make.request(), USER, password)
    answer = bench.challenge(request, flow=make.flow(("198.51.100.99", 5060)))
    assert answer.stale and not answer.failed
    same_host = make.flow((make.PBX[0], 4711), "tls")  # ports and transports may change
    assert isinstance(bench.ask(request, flow=same_host), Identified) == (password == PASSWORD)


@pytest.mark.parametrize("username", [USER, "nobody"])
def test_only_a_wrong_answer_to_our_challenge_counts_as_failed(username: str) -> None:
    """R86: not the first request, not a replay, not a foreign realm; an unknown name does."""
    bench = Bench()
    assert not bench.challenge(make.request()).failed
    assert bench.challenge(bench.sign(make.request(), username, "guess")).failed
    signed = bench.sign(make.request())
    assert isinstance(bench.ask(signed), Identified)
    assert not bench.challenge(signed).failed
    theirs = ("Proxy-Authenticate", 'Digest realm="elsewhere", nonce="x", qop="auth"')
    assert not bench.challenge(make.signed(make.request(), theirs, username, "guess")).failed


def test_a_nonce_of_an_earlier_process_is_stale_too() -> None:
    """After a restart PBXs come back with nonces this process never minted."""
    before = Bench()
    request = before.sign(make.request())
    after = Bench()
    after.identifier = Identifier(
        after.hot, Nonces(b"other" * 8), (make.REALM,), make.CountingIds()
    )
    assert after.challenge(request).stale


def test_a_replayed_request_is_challenged_afresh() -> None:
    bench = Bench()
    request = bench.sign(make.request())
    assert isinstance(bench.ask(request), Identified)
    replay = bench.challenge(request)
    fresh = make.signed(make.request(), replay.headers[0], USER, PASSWORD)
    assert isinstance(bench.ask(fresh), Identified)


def test_a_nonce_serves_again_with_a_higher_count() -> None:
    bench = Bench()
    (header,) = bench.challenge(make.request()).headers
    for count in (1, 2, 5):
        request = make.signed(make.request(), header, USER, PASSWORD, nc=count)
        assert isinstance(bench.ask(request), Identified)
    late = make.signed(make.request(), header, USER, PASSWORD, nc=4)
    assert isinstance(bench.ask(late), Challenged)


def test_strangers_use_up_no_nonce_counts() -> None:
    bench = Bench()
    (header,) = bench.challenge(make.request()).headers
    guess = make.signed(make.request(), header, USER, "guess", nc=9)
    assert isinstance(bench.ask(guess), Challenged)
    assert isinstance(
        bench.ask(make.signed(make.request(), header, USER, PASSWORD, nc=1)), Identified
    )


def test_md5_is_offered_before_sha256_and_both_work() -> None:
    """Ruling 17: some UAs fail when SHA-256 comes first."""
    bench = Bench(profiles=(make.profile(sha256=True),))
    headers = bench.challenge(make.request()).headers
    assert [Challenge.parse(v).algorithm for _, v in headers] == ["MD5", "SHA-256"]
    for header in headers:
        fresh = bench.challenge(make.request()).headers[headers.index(header)]
        assert isinstance(bench.ask(make.signed(make.request(), fresh, USER, PASSWORD)), Identified)


@pytest.mark.parametrize(
    ("fields", "realm"),
    [
        ({"uri": "sip:1202@second.example.org"}, "second.example.org"),
        ({"uri": "sip:1202@198.51.100.1"}, make.REALM),  # To and From name it
        ({"uri": "sip:1202@SECOND.example.ORG"}, "second.example.org"),
    ],
)
def test_the_realm_is_the_one_the_request_names(fields: dict[str, str], realm: str) -> None:
    bench = Bench(realms=("first.example.org", make.REALM, "second.example.org"))
    (header,) = bench.challenge(make.request(**fields)).headers  # type: ignore[arg-type]
    assert Challenge.parse(header[1]).realm == realm


def test_a_request_that_names_no_realm_of_ours_gets_the_first() -> None:
    bench = Bench(realms=("first.example.org", "second.example.org"))
    (header,) = bench.challenge(make.request(uri="sip:1202@198.51.100.1")).headers
    assert Challenge.parse(header[1]).realm == "first.example.org"


def test_credentials_for_another_realm_are_as_none() -> None:
    theirs = ("Proxy-Authenticate", 'Digest realm="elsewhere", nonce="x", qop="auth"')
    request = make.signed(make.request(), theirs, USER, PASSWORD)
    assert isinstance(Bench().ask(request), Challenged)


def test_ours_is_found_among_credentials_for_others() -> None:
    bench = Bench()
    theirs = ("Proxy-Authenticate", 'Digest realm="elsewhere", nonce="x", qop="auth"')
    both = bench.sign(make.signed(make.request(), theirs, USER, "other"))
    assert isinstance(bench.ask(both), Identified)


@pytest.mark.parametrize("value", ["Digest nonsense", "Basic abc", 'Digest username="x"'])
def test_unreadable_credentials_are_as_none(value: str) -> None:
    request = make.request(extra=[("Proxy-Authorization", value)])
    assert isinstance(Bench().ask(request), Challenged)


def test_the_number_signed_must_be_the_number_called() -> None:
    """RFC 7616 §3.4.6: nobody on the way may turn a signed call to another number."""
    bench = Bench()
    moved = bench.sign(make.request(), signed_uri=f"sip:4420@{make.REALM}")
    assert refused(bench.ask(moved)) == "BAD_REQUEST"
    broken = bench.sign(make.request(), signed_uri="nothing")
    assert refused(bench.ask(broken)) == "BAD_REQUEST"
    numberless = bench.sign(make.request(), signed_uri=f"sip:{make.REALM}")
    assert isinstance(bench.ask(numberless), Identified)  # sipp and others; it binds nothing
    rewritten = bench.sign(make.request(), signed_uri="sip:12025550123@10.0.0.1:5060")
    assert isinstance(bench.ask(rewritten), Identified)


def test_a_pbx_in_ip_mode_calls_without_a_challenge() -> None:
    """R77"""
    bench = Bench(profiles=(make.profile(mode=AuthMode.IP, address=IP_PBX),))
    answer = bench.ask(make.request(from_user="anything"), flow=make.flow(IP_PBX))
    assert answer == Identified(Source.PROFILE, 1)


def test_an_unknown_source_is_challenged_like_anyone() -> None:
    """R77: it cannot be told from an unregistered PBX."""
    bench = Bench(profiles=(make.profile(mode=AuthMode.IP, address=IP_PBX),))
    assert isinstance(bench.ask(make.request(), flow=make.flow((IP_PBX[0], 9))), Challenged)


@pytest.mark.parametrize("place", [("198.51.100.77", 5062), (IP_PBX[0], 5063)])
def test_valid_digest_of_an_ip_profile_from_elsewhere_is_the_wrong_source(
    place: tuple[str, int],
) -> None:
    """R77"""
    bench = Bench(profiles=(make.profile(mode=AuthMode.IP, address=IP_PBX),))
    flow = make.flow(place)
    assert refused(bench.ask(bench.sign(make.request(), flow=flow), flow=flow)) == "WRONG_SOURCE"


def test_a_pbx_in_ip_mode_is_told_that_it_needs_no_registration() -> None:
    bench = Bench(profiles=(make.profile(mode=AuthMode.IP, address=IP_PBX),))
    home = make.flow(IP_PBX)
    at_home = bench.ask(bench.sign(make.register(), flow=home), flow=home)
    assert refused(at_home) == "NOT_REGISTRATION_MODE"
    assert refused(bench.ask(bench.sign(make.register()))) == "WRONG_SOURCE"


def test_a_register_signs_even_from_a_trusted_address() -> None:
    """An address alone binds nothing."""
    bench = Bench(profiles=(make.profile(mode=AuthMode.IP, address=IP_PBX),))
    for place in (IP_PBX, make.CARRIER):
        assert isinstance(bench.ask(make.register(), flow=make.flow(place)), Challenged)


def test_a_carrier_is_known_by_its_address() -> None:
    answer = Bench().ask(make.request(), flow=make.flow(make.CARRIER))
    assert answer == Identified(Source.CARRIER, 1)


def test_several_profiles_sign_from_one_address_and_port() -> None:
    """R14"""
    bench = Bench(profiles=(make.profile(1), make.profile(2)))
    for id in (1, 2):
        name = bench.hot.profile_by_id[id].username
        answer = bench.ask(bench.sign(make.register(from_user=name), name, f"secret-{id}"))
        assert isinstance(answer, Identified) and answer.id == id


def test_require_tls_refuses_after_a_right_password_only() -> None:
    """R91: strangers do not learn of it."""
    bench = Bench(profiles=(make.profile(require_tls=True),))
    assert refused(bench.ask(bench.sign(make.register()))) == "REQUIRE_TLS"
    assert isinstance(bench.ask(bench.sign(make.register(), USER, "guess")), Challenged)
    secure = make.flow(make.PBX, "tls")
    assert isinstance(bench.ask(bench.sign(make.register()), flow=secure), Identified)


def test_require_tls_holds_for_a_pbx_in_ip_mode_too() -> None:
    bench = Bench(profiles=(make.profile(mode=AuthMode.IP, address=IP_PBX, require_tls=True),))
    assert refused(bench.ask(make.request(), flow=make.flow(IP_PBX))) == "REQUIRE_TLS"


def test_an_account_of_our_own_network_signs_in_by_name() -> None:
    bench = Bench(onnet_accounts=(make.onnet_account(5, "alice"),))
    for spelling in ("alice", "Alice"):
        answer = bench.ask(bench.sign(make.request(), spelling, "onnet-5"))
        assert isinstance(answer, Identified)
        assert (answer.source, answer.id) == (Source.ONNET, 5)


@pytest.mark.parametrize("plain", [make.request(), make.register()])
def test_an_attached_account_cannot_sign_in(plain: Request) -> None:
    """R97: and only its owner is told why."""
    bench = Bench(onnet_accounts=(make.onnet_account(5, "sales", profile_id=1),))
    assert refused(bench.ask(bench.sign(plain, "sales", "onnet-5"))) == "ATTACHED_TO_PROFILE"
    assert isinstance(bench.ask(bench.sign(plain, "sales", "guess")), Challenged)


def test_guessing_under_many_spellings_fills_no_memory() -> None:
    bench = Bench(onnet_accounts=(make.onnet_account(5, "abcdefgh"),))
    for bits in range(50):
        name = "".join(c.upper() if bits >> i & 1 else c for i, c in enumerate("abcdefgh"))
        bench.ask(bench.sign(make.request(), name, "guess"))
        bench.ask(bench.sign(make.request(), f"nobody{bits}", "guess"))
    assert len(bench.identifier._known) <= 1


def test_ten_thousand_challenges_and_answers_lock_nobody_out() -> None:
    """R86: the ordinary rhythm of challenge and answer never turns against a PBX."""
    bench = Bench()
    for cycle in range(10_000):
        now = make.NOW + 45.0 * cycle
        plain = make.register()
        (header,) = bench.challenge(plain, now=now).headers
        if cycle % 100 == 0:  # signing costs the test more than checking
            answer = bench.ask(make.signed(plain, header, USER, PASSWORD), now=now)
            assert isinstance(answer, Identified)
