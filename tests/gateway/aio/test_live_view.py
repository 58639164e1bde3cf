"""What is shown of live calls and registrations."""

from typing import Any

from gateway.aio.call_runner import LiveCall
from gateway.aio.live_view import binding_view, call_view
from gateway.b2bua import events as on
from gateway.b2bua.call import Call, CallLimits
from gateway.hot_state import HotState
from gateway.model.binding import Owner
from media.plane import MediaOpened
from tests.support import factories as make
from tests.support.asking import call, yes
from tests.support.desk import CountingPlane
from tests.support.sip_peer import sdp

OFFER = sdp("203.0.113.7", 40000).encode()
ADDRESSES = (("198.51.100.1", 20000),)


def ringing(call_id: str = "c-1", hot: HotState | None = None) -> LiveCall:
    """A call to the United States that waits for the carrier's answer."""
    admission = yes(call(hot or make.hot_state(), call_id=call_id))
    machine = Call(make.attempt(call_id=call_id), OFFER, make.CountingIds().octets, CallLimits())
    machine.start(make.NOW)
    machine.receive(on.Admitted(admission), make.NOW)
    machine.receive(on.MediaReady(MediaOpened(ADDRESSES, ADDRESSES)), make.NOW)
    return LiveCall(make.attempt(call_id=call_id), machine, None, None)  # type: ignore[arg-type]


def talking(call_id: str = "c-1", hot: HotState | None = None) -> LiveCall:
    live = ringing(call_id, hot)
    live.call.receive(on.Answered(OFFER), make.NOW + 2)
    live.call.receive(on.AnswerRecorded(True), make.NOW + 2)
    return live


def view(live: LiveCall, hot: HotState, now: float) -> Any:
    return call_view(live, hot, CountingPlane(), now)  # type: ignore[arg-type]


def test_a_talking_call_shows_its_seconds_its_cost_and_its_packets() -> None:
    hot = make.hot_state()
    told = view(talking(hot=hot), hot, make.NOW + 2 + 31)
    assert (told["state"], told["profile"], told["direction"]) == (
        "talking", "Profile.1", "outgoing",
    )  # fmt: skip
    assert (told["kind"], told["called"], told["target"]) == (
        "pstn", "+12025550123", "carrier:carrier1",
    )  # fmt: skip
    assert (told["seconds"], told["age_s"]) == (31.0, 33.0)
    assert told["cost"]["micros"] == 3_600  # 36 s at 0.006 a minute
    assert told["reserved"]["micros"] == 3_000
    assert told["packets"]["a"] == {"received": 500, "sent": 498}


def test_a_ringing_call_costs_nothing_yet() -> None:
    hot = make.hot_state()
    told = view(ringing(hot=hot), hot, make.NOW + 20)
    assert (told["state"], told["seconds"]) == ("connecting", 0.0)
    assert told["cost"]["micros"] == 0


def test_a_call_that_waits_for_admission_shows_what_is_known() -> None:
    hot = make.hot_state()
    machine = Call(make.attempt(), OFFER, make.CountingIds().octets, CallLimits())
    live = LiveCall(make.attempt(), machine, None, None)  # type: ignore[arg-type]
    told = view(live, hot, make.NOW)
    assert (told["state"], told["called"], told["profile"]) == ("admitting", "12025550123", "")
    assert told["cost"] is told["packets"] is None


def test_a_registration_shows_where_it_came_from_and_how_long_it_lasts() -> None:
    hot = make.hot_state(onnet_accounts=(make.onnet_account(5, "alice"),))
    told = binding_view(make.binding(1, nat=True), hot, make.NOW + 10.4)
    assert (told["name"], told["source"], told["nat"]) == ("Profile.1", "203.0.113.7:5060", True)
    assert (told["expires_in_s"], told["user_agent"]) == (3590, "PBX 1")
    six = make.flow(("2001:db8::7", 5061), "tls")
    onnet = make.binding(5, owner=Owner.ONNET, flow=six)
    shown = binding_view(onnet, hot, make.NOW)
    assert (shown["owner"], shown["name"]) == ("onnet", "alice")
    assert (shown["source"], shown["transport"]) == ("[2001:db8::7]:5061", "tls")
    gone = binding_view(make.binding(77), hot, make.NOW + 9999)
    assert (gone["name"], gone["expires_in_s"]) == ("77", 0)
