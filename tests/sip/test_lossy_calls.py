"""Two endpoints over a network that loses, doubles and reorders: every call ends cleanly."""

import pytest

from sip.effects import Effect
from sip.endpoint import Endpoint
from sip.flow import Flow
from sip.headers import Headers
from sip.invite.events import (
    Acknowledged,
    Answered,
    Offered,
    Refused,
    Released,
    UpdateAnswered,
    Updated,
    UpdateRefused,
)
from sip.message import Request
from sip.target import LocalNames
from sip.timers import SipTimers
from tests.support.ids import SequenceIds
from tests.support.network import Network, Node
from tests.support.sip_text import SDP

CALLER, CALLEE = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
CALLS = 20


def node(network: Network, address: tuple[str, int], seed: int) -> Node:
    endpoint = Endpoint(SequenceIds(f"{address} {seed}"), SipTimers(), LocalNames())
    return network.add(endpoint, address)


def invite(number: int) -> Request:
    return Request(
        "INVITE",
        "sip:100@192.0.2.2",
        Headers([
            ("From", f"<sip:us@192.0.2.1>;tag=t{number}"),
            ("To", "<sip:100@192.0.2.2>"),
            ("Call-ID", f"call-{number}"),
            ("CSeq", "1 INVITE"),
            ("Via", ""),
            ("Max-Forwards", "70"),
            ("Contact", "<sip:us@192.0.2.1:5060>"),
        ]),
        SDP,
    )  # fmt: skip


def story(network: Network, transport: str, seed: int) -> tuple[Node, Node]:
    """Twenty calls; the callee rings, answers, accepts every reoffer; the caller hangs up."""
    caller, callee = node(network, CALLER, seed), node(network, CALLEE, seed)

    def answering(event: object) -> list[Effect]:
        match event:
            case Offered(session):
                now = network.now
                return session.progress(180, now) + session.answer(SDP, now)
            case Updated(session):
                return session.accept_update(SDP, network.now)
        return []

    def calling(event: object) -> list[Effect]:
        match event:
            case Answered(session):
                return session.reoffer(SDP, network.now)
            case UpdateAnswered(session) | UpdateRefused(session):
                return session.bye(network.now)
        return []

    callee.tu, caller.tu = answering, calling
    flow = Flow(transport, CALLER, CALLEE)
    for number in range(CALLS):
        _, effects = caller.endpoint.invite(invite(number), flow, network.now)
        caller.execute(effects)
    return caller, callee


def told(node: Node, kind: type) -> int:
    return sum(isinstance(event, kind) for event in node.events)


@pytest.mark.parametrize("seed", range(6))
def test_calls_complete_over_a_bad_udp_path(seed: int) -> None:
    network = Network(seed, loss=0.15, doubling=0.1, delay_s=(0.005, 0.12))
    caller, callee = story(network, "udp", seed)
    network.run(400.0)
    assert told(caller, Answered) == CALLS
    assert told(callee, Offered) == CALLS
    assert told(callee, Acknowledged) + told(callee, Released) >= CALLS
    assert told(callee, Released) == CALLS
    assert told(caller, Refused) == 0
    assert set(caller.endpoint.counts.values()) == {0}
    assert set(callee.endpoint.counts.values()) == {0}


def test_calls_complete_over_a_stream() -> None:
    network = Network(1)
    caller, callee = story(network, "tcp", 1)
    network.run(200.0)
    assert told(caller, UpdateAnswered) == CALLS
    assert told(callee, Released) == CALLS
    assert set(caller.endpoint.counts.values()) == {0}
    assert set(callee.endpoint.counts.values()) == {0}


def test_calls_into_the_void_are_all_refused() -> None:
    network = Network(2, loss=1.0)
    caller, _ = story(network, "udp", 2)
    network.run(100.0)
    assert told(caller, Refused) == CALLS
    assert set(caller.endpoint.counts.values()) == {0}


@pytest.mark.parametrize("seed", range(4))
def test_callers_that_give_up_while_it_rings_leave_nothing_behind(seed: int) -> None:
    network = Network(seed, loss=0.2, doubling=0.1, delay_s=(0.005, 0.3))
    caller, callee = node(network, CALLER, seed), node(network, CALLEE, seed)

    def ringing(event: object) -> list[Effect]:
        if isinstance(event, Offered):
            return event.session.progress(180, network.now)
        return []

    callee.tu = ringing
    sessions = []
    for number in range(CALLS):
        flow = Flow("udp", CALLER, CALLEE)
        session, effects = caller.endpoint.invite(invite(number), flow, network.now)
        caller.execute(effects)
        sessions.append(session)
    for number, session in enumerate(sessions):
        network.run(0.1 * (number + 1))
        caller.execute(session.cancel(network.now))
        if number % 3 == 0 and len(callee.events) > number:
            event = callee.events[number]
            if isinstance(event, Offered):
                callee.execute(event.session.answer(SDP, network.now))
    network.run(400.0)
    # An answer that came before its cancel is told, and ended by BYE; nothing is told twice.
    assert told(caller, Refused) + told(caller, Answered) == CALLS
    assert told(caller, Refused) > CALLS // 2
    assert set(caller.endpoint.counts.values()) == {0}
    assert set(callee.endpoint.counts.values()) == {0}
