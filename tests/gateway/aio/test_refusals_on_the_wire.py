"""Every refusal of the table, from bytes to bytes: status, code and sentence on the wire, a line of
the log and a count (R18, R37, R64, R77, R91, R97, R122).

Each situation brings its refusal about with a gateway of its own; what it sent last is judged.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.bans import BanLimits
from gateway.identify import Identified
from gateway.model.call import ChannelLease, Direction, EndCause, Source, SrtpPolicy
from gateway.model.online_number import OnlineNumber
from gateway.model.profile import AuthMode, Subscription
from gateway.refusal import REFUSALS
from gateway.registrar import RegistrarLimits
from media.plane import MediaFailed
from sip.message import Request, response_to
from tests.support import factories as make
from tests.support.front import SDP, Front

# Codes whose rule is not built yet. This list only ever shrinks.
NOT_BUILT_YET = {
    "CREDIT_MANAGER",  # R42: minute bundles
}

NUMBER = "+12026555376"
NUMBERS = (OnlineNumber(NUMBER, 1),)
HOME = ("203.0.113.20", 5062)
ALICE = make.onnet_account(9, "alice")


@dataclass(frozen=True, slots=True)
class Situation:
    """What the gateway is like, and what is done to it."""

    act: Callable[[Front], Awaitable[None]]
    fields: dict[str, Any] = field(default_factory=dict)
    status: int = 0  # when it is not the table's: told to a caller who is not the PBX


def invite(called: str = "12025550123", body: bytes = SDP, **fields: Any) -> Request:
    uri = called if ":" in called else f"sip:{called}@{make.REALM}"
    extra = [("Content-Type", "application/sdp")]
    return make.request(uri=uri, body=body, extra=extra, **fields)


def pbx_calls(called: str = "12025550123", body: bytes = SDP) -> Callable[[Front], Awaitable[None]]:
    async def act(front: Front) -> None:
        front.ask(invite(called, body))

    return act


def alice_calls(called: str) -> Callable[[Front], Awaitable[None]]:
    async def act(front: Front) -> None:
        request = invite(called, from_user="alice")
        front.ask(request, "alice", "onnet-9", flow=make.flow(("203.0.113.99", 5060)))

    return act


def carrier_brings(called: str = NUMBER) -> Callable[[Front], Awaitable[None]]:
    async def act(front: Front) -> None:
        front.send(invite(called, from_user="447824501234"), make.flow(make.CARRIER))

    return act


def registers(**fields: Any) -> Callable[[Front], Awaitable[None]]:
    async def act(front: Front) -> None:
        flow = fields.pop("flow", None)
        front.ask(make.register(**fields), flow=flow)

    return act


async def _out_of_order(front: Front) -> None:
    front.ask(make.register(cseq=7))
    front.ask(make.register(cseq=6))


async def _registers_elsewhere(front: Front) -> None:
    front.ask(make.register())
    place = ("203.0.113.99", 5060)
    there = make.register(contacts=[f"<sip:pbx@{place[0]}>"], via=place, call_id="other")
    front.ask(there, flow=make.flow(place))


async def _signs_another_number(front: Front) -> None:
    front.ask(invite(), signed_uri=f"sip:4420@{make.REALM}")


async def _unknown_method(front: Front) -> None:
    front.send(make.request("SUBSCRIBE"))


async def _guesses(front: Front) -> None:
    front.ask(make.register(), password="guess")


async def _profile_gone(front: Front) -> None:
    class Remembers:
        def identify(self, *_: object) -> Identified:
            return Identified(Source.PROFILE, 99)

    front.dispatcher._identifier = Remembers()
    front.send(invite())


async def _closing(front: Front) -> None:
    front.admitter.closing = True
    front.ask(invite())


async def _store_fails(front: Front) -> None:
    front.journal.durable = False
    front.ask(invite())


async def _no_ports(front: Front) -> None:
    front.plane.failure = MediaFailed("no ports")
    front.ask(invite())


async def _carrier_full(front: Front) -> None:
    assert front.carriers.take("c-0", 1)
    front.ask(invite())


async def _breaks(front: Front) -> None:
    front.plane.failure = RuntimeError("a fault of ours")
    front.ask(invite())


async def _nobody_answers(front: Front) -> None:
    front.ask(invite())
    request, flow = front.request("INVITE")
    front.send(response_to(request, 180, "Ringing", to_tag="carrier"), flow)
    await front.until(lambda: front.answer().status != 407)


async def _operator_ends_it(front: Front) -> None:
    front.ask(invite())
    (live,) = list(front.runner)
    front.runner.hang_up(live.call_id, EndCause.OPERATOR)


async def _called_side_goes(front: Front) -> None:
    """The carrier answers and hangs up before the answer is on the disk."""
    front.ask(invite())
    request, flow = front.request("INVITE")
    front.journal.durable = None
    contact = ("Contact", f"<sip:carrier@{make.CARRIER[0]}:{make.CARRIER[1]}>")
    answer = response_to(
        request, 200, "OK", [contact, ("Content-Type", "application/sdp")], SDP, "carrier"
    )
    front.send(answer, flow)
    bye = make.request(
        "BYE", f"sip:{make.GATEWAY[0]}", via=make.CARRIER, call_id=request.call_id, contacts=[]
    )
    headers = bye.headers.with_field("From", answer.headers.get("To") or "")
    bye = bye.with_headers(headers.with_field("To", request.headers.get("From") or ""))
    front.send(bye, flow)


def _profile(**fields: Any) -> dict[str, Any]:
    return {"profiles": (make.profile(**fields),)}


def _inward(**fields: Any) -> dict[str, Any]:
    """Profile 1 has a number and is registered."""
    return {
        "numbers": NUMBERS,
        "bindings": (make.binding(deadline=1e12),),
        "onnet_accounts": (ALICE,),
        **fields,
    }


FULL = _profile(channels=1, leases={"c-0": ChannelLease("c-0", 1, Direction.INCOMING, make.AT)})

SITUATIONS: dict[str, Situation] = {
    # Who is asking
    "WRONG_SOURCE": Situation(pbx_calls(), _profile(mode=AuthMode.IP, address=HOME)),
    "NOT_REGISTRATION_MODE": Situation(
        registers(flow=make.flow(HOME)), _profile(mode=AuthMode.IP, address=HOME)
    ),
    "ATTACHED_TO_PROFILE": Situation(
        alice_calls(NUMBER), {"onnet_accounts": (make.onnet_account(9, "alice", profile_id=1),)}
    ),
    "REQUIRE_TLS": Situation(registers(), _profile(require_tls=True)),
    "BANNED": Situation(_guesses, {"bans": BanLimits(failures=1)}),
    "UNKNOWN_REALM": Situation(alice_calls("sip:bob@elsewhere.example"), _inward()),
    # The profile
    "NO_SUBSCRIPTION": Situation(pbx_calls(), _profile(subscription=Subscription.NONE)),
    "SUBSCRIPTION_LAPSED": Situation(
        carrier_brings(), _inward(**_profile(subscription=Subscription.LAPSED)), status=480
    ),
    "PROFILE_INACTIVE": Situation(_profile_gone),
    # The number called
    "EMERGENCY_NOT_OFFERED": Situation(pbx_calls("911")),
    "ONNET_NAME_NOT_DIALABLE": Situation(pbx_calls("alice")),
    "NO_SUCH_ACCOUNT": Situation(alice_calls("bob"), _inward()),
    "NOT_INTERNATIONAL": Situation(pbx_calls("5550123")),
    "INVALID_NUMBER": Situation(pbx_calls("*99")),
    "NO_SUCH_NUMBER": Situation(carrier_brings("+12025550999"), _inward()),
    "NUMBER_NOT_ASSIGNED": Situation(
        carrier_brings(), _inward(numbers=(OnlineNumber(NUMBER, None),))
    ),
    "NUMBER_SUSPENDED": Situation(
        carrier_brings(), _inward(numbers=(OnlineNumber(NUMBER, 1, suspended=True),))
    ),
    "DESTINATION_NOT_ALLOWED": Situation(
        pbx_calls("+442079460123"), {"env": {"countries": frozenset({"US"})}}
    ),
    "NO_RATE": Situation(pbx_calls("+4930123456")),
    # Channels and money
    "CHANNELS_FULL_PBX": Situation(pbx_calls(), FULL),
    "CHANNELS_FULL_CALLER": Situation(carrier_brings(), _inward(**FULL)),
    "CREDIT": Situation(pbx_calls(), {"balances": {}}),
    # The way there
    "NO_CARRIER": Situation(pbx_calls(), {"carriers": ()}),
    "CARRIERS_FULL": Situation(_carrier_full, {"carriers": (make.carrier(max_calls=1),)}),
    "PBX_NOT_REACHABLE": Situation(carrier_brings(), _inward(bindings=())),
    "MEDIA_EXHAUSTED": Situation(_no_ports),
    "MEDIA_NOT_ACCEPTABLE": Situation(pbx_calls(body=b"no description at all")),
    "SRTP_REQUIRED": Situation(pbx_calls(), _profile(srtp=SrtpPolicy.REQUIRED)),
    "STORE_UNAVAILABLE": Situation(_store_fails),
    "NO_ANSWER": Situation(_nobody_answers, {"ring_s": 0.05}),
    "CALLED_GONE": Situation(_called_side_goes),
    # The request itself
    "INTERVAL_TOO_BRIEF": Situation(registers(extra=[("Expires", "5")])),
    "NOT_YOUR_ADDRESS": Situation(registers(to_user="99051000000002")),
    "ALREADY_REGISTERED": Situation(
        _registers_elsewhere, {"registrar": RegistrarLimits(refuse_second=True)}
    ),
    "OUT_OF_ORDER": Situation(_out_of_order),
    "TOO_MANY_BINDINGS": Situation(
        registers(contacts=[f"<sip:pbx@203.0.113.{i}>" for i in range(1, 7)])
    ),
    "BAD_CONTACT": Situation(registers(contacts=["<tel:+12025550123>"])),
    "BAD_REQUEST": Situation(_signs_another_number),
    "METHOD_NOT_ALLOWED": Situation(_unknown_method),
    # The gateway itself
    "SHUTTING_DOWN": Situation(_closing),
    "ENDED_BY_OPERATOR": Situation(_operator_ends_it),
    "CALLS_FULL": Situation(pbx_calls(), {"calls": 0}),
    "INTERNAL": Situation(_breaks),
}


def test_every_code_has_its_situation() -> None:
    assert set(SITUATIONS) | NOT_BUILT_YET == set(REFUSALS)
    assert not set(SITUATIONS) & NOT_BUILT_YET


@pytest.mark.parametrize("code", SITUATIONS)
async def test_a_refusal_says_why_on_the_wire_in_the_log_and_in_the_metrics(code: str) -> None:
    """R18, R37, R64, R77, R91, R97, R122"""
    situation, row = SITUATIONS[code], REFUSALS[code]
    front = Front(**situation.fields)
    await situation.act(front)
    answer = front.answer()
    assert answer.status == (situation.status or row.status)
    assert answer.reason == row.reason
    assert answer.headers.get("Reason") == f'Q.850;cause={row.q850};text="{code}"'
    assert (answer.headers.get("Warning") or "").startswith(f'399 sipgw "{code} {row.sentence}')
    await front.until(lambda: counted(front, code) == 1)
    told = [facts for _, facts in front.log.lines if facts.get("code") == code]
    assert len(told) == 1
    assert told[0]["status"] == answer.status


def counted(front: Front, code: str) -> float:
    value = front.metrics.registry.get_sample_value("sipgw_refusals_total", {"code": code})
    return value or 0.0


async def test_a_refused_call_leaves_nothing_behind() -> None:
    """R36, R63: whatever it was refused for."""
    for code, situation in SITUATIONS.items():
        front = Front(**situation.fields)
        await situation.act(front)
        await asyncio.sleep(0)
        for done in front.journal.waiting:
            done(True)
        assert len(front.runner) == 0, code
        assert not list(front.hot.ledger.holds()), code
        taken = [call for p in front.hot.profile_by_id.values() for call in p.leases]
        assert taken in ([], ["c-0"]), code
