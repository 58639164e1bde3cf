"""Wrong passwords through the shell: who is banned, who never is, and what still passes (R86)."""

from gateway.aio.clock import SystemClock
from gateway.aio.doorman import Doorman
from gateway.bans import BanLimits, Bans
from gateway.identify import Challenged, Identified, Identifier
from gateway.model.profile import AuthMode
from gateway.refusal import Refusal
from sip.digest import Nonces
from sip.flow import Flow
from sip.message import Request
from tests.support import factories as make
from tests.support.shell import KeptLog, fresh_metrics

USER, PASSWORD = "99051000000001", "secret-1"
STRANGER = make.flow(("198.51.100.66", 5066))


class HandClock(SystemClock):
    def __init__(self) -> None:
        self.time = make.NOW

    def now(self) -> float:
        return self.time


class Bench:
    def __init__(self, limits: BanLimits | None = None, **fields: object) -> None:
        self.hot = make.hot_state(**fields)
        self.clock, self.log, self.metrics = HandClock(), KeptLog(), fresh_metrics()
        identifier = Identifier(self.hot, Nonces(b"k" * 32), (make.REALM,), make.CountingIds())
        self.bans = Bans(limits or BanLimits())
        self.doorman = Doorman(identifier, self.bans, self.hot, self.clock, self.log, self.metrics)

    def attempt(
        self, password: str, flow: Flow = STRANGER, username: str = USER, method: str = "REGISTER"
    ) -> object:
        """One challenge and its answer."""
        plain = make.register() if method == "REGISTER" else make.request(method)
        challenge = self.doorman.identify(plain, flow, self.clock.time)
        assert isinstance(challenge, Challenged)
        signed = make.signed(plain, challenge.headers[0], username, password)
        return self.doorman.identify(signed, flow, self.clock.time)

    def turns_away(self, request: Request, flow: Flow = STRANGER) -> bool:
        return self.doorman.turns_away(request.to_bytes(), flow)

    def sample(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(name)


def test_twenty_wrong_passwords_ban_the_source_and_the_last_is_told_so() -> None:
    """R86"""
    bench = Bench()
    for _ in range(19):
        assert isinstance(bench.attempt("guess"), Challenged)
    assert not bench.turns_away(make.register())
    told = bench.attempt("guess")
    assert isinstance(told, Refusal)
    assert (told.code, told.status) == ("BANNED", 403)
    assert bench.turns_away(make.register())
    ((event, facts),) = bench.log.lines
    assert event == "source banned"
    assert (facts["source"], facts["seconds"]) == ("198.51.100.66", 900)
    assert facts["reason"] == "20 wrong passwords"
    assert "sipgw ban lift 198.51.100.66" in facts["hint"]
    assert bench.sample("sipgw_bans_total") == 1
    assert bench.sample("sipgw_banned_sources") == 1
    assert bench.sample("sipgw_failed_credentials_total") == 20
    assert bench.sample("sipgw_turned_away_total") == 1


def test_unknown_user_names_and_calls_count_alike() -> None:
    """R86, R78: a scanner walks through names."""
    bench = Bench()
    for number in range(10):
        bench.attempt("guess", username=f"nobody{number}")
        bench.attempt("guess", method="INVITE")
    assert bench.turns_away(make.request())


def test_ten_thousand_cycles_of_challenge_and_answer_ban_nobody() -> None:
    """R86: however fast they come."""
    bench = Bench()
    for cycle in range(10_000):
        bench.clock.time += 0.01
        assert isinstance(bench.attempt(PASSWORD), Identified), cycle
    assert len(bench.bans) == 0
    assert not bench.turns_away(make.register())
    assert bench.sample("sipgw_failed_credentials_total") == 0


def test_what_belongs_to_running_calls_still_passes() -> None:
    """R86: a ban takes nothing from calls that are up."""
    bench = Bench(BanLimits(failures=1))
    bench.attempt("guess")
    assert bench.turns_away(make.request("OPTIONS"))
    for method in ("ACK", "BYE", "CANCEL", "UPDATE"):
        assert not bench.turns_away(make.request(method))
    assert not bench.doorman.turns_away(b"SIP/2.0 200 OK\r\n\r\n", STRANGER)
    hold = make.request(to_user="x").to_bytes()
    for to in (b"To: <sip:x@trunk.example.org>;tag=1", b't : "X" <sip:x@y> ;TAG=1'):
        inside = hold.replace(b"To: <sip:x@trunk.example.org>", to)
        assert inside != hold
        assert not bench.doorman.turns_away(inside, STRANGER)
    assert bench.doorman.turns_away(hold, STRANGER)


def test_a_ban_is_of_one_source_only() -> None:
    bench = Bench(BanLimits(failures=1))
    bench.attempt("guess")
    assert not bench.turns_away(make.register(), make.flow())
    assert isinstance(bench.attempt(PASSWORD, make.flow()), Identified)


def test_a_source_with_a_living_binding_is_never_banned() -> None:
    """R86: behind one NAT, a stranger must not cut a customer off."""
    bench = Bench(bindings=(make.binding(flow=make.flow(("198.51.100.66", 1024))),))
    for _ in range(100):
        assert isinstance(bench.attempt("guess"), Challenged)
    assert not bench.turns_away(make.register())
    assert bench.log.lines == []


def test_carriers_and_pbxs_known_by_address_are_never_banned() -> None:
    """R86: somebody could send wrong passwords in their name."""
    home = ("203.0.113.20", 5062)
    bench = Bench(profiles=(make.profile(), make.profile(2, mode=AuthMode.IP, address=home)))
    for place in (make.CARRIER, (home[0], 9)):
        for _ in range(100):
            assert isinstance(bench.attempt("guess", make.flow(place)), Challenged)
        assert not bench.turns_away(make.register(), make.flow(place))


def test_a_banned_source_that_becomes_ours_is_let_in() -> None:
    bench = Bench(BanLimits(failures=1))
    bench.attempt("guess")
    assert bench.turns_away(make.request())
    bench.hot.put_carrier(make.carrier(2, host=STRANGER.remote[0]))
    bench.clock.time += 1.0
    assert not bench.turns_away(make.request())
    assert bench.doorman.listed() == []


def test_a_ban_ends_by_itself_or_by_the_operators_word() -> None:
    """R86"""
    bench = Bench(BanLimits(failures=1, ban_s=900))
    bench.attempt("guess")
    assert [ban.source for ban in bench.doorman.listed()] == ["198.51.100.66"]
    assert bench.doorman.lift("198.51.100.66")
    assert not bench.doorman.lift("198.51.100.66")
    assert not bench.turns_away(make.register())
    bench.attempt("guess")
    bench.clock.time += 900
    bench.doorman.sweep(bench.clock.time)
    assert not bench.turns_away(make.register())
    assert bench.log.events == ["source banned", "ban lifted", "source banned", "ban ended"]
    assert bench.sample("sipgw_banned_sources") == 0
