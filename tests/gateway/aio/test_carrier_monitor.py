"""The carriers' monitor with the real SIP core, under virtual time; the test plays the carrier."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from gateway.aio.carrier_monitor import LOOK_S, CarrierMonitor
from gateway.b2bua.effects import JudgeCarrier
from gateway.carrier_health import HealthLimits, Standing
from gateway.model.carrier import Carrier
from sip.effects import Deliver, Effect, Send
from sip.endpoint import Endpoint
from sip.fields.auth import Credentials
from sip.flow import Flow
from sip.message import Request
from sip.parser import parse_message
from sip.target import LocalNames
from sip.timers import SipTimers
from tests.support import factories as make
from tests.support.clock import VirtualClock
from tests.support.ids import SequenceIds
from tests.support.shell import KeptLog, fresh_metrics
from tests.support.sip_text import answer

LIMITS = HealthLimits(misses=2, faults=2, first_rest_s=20.0)
CHALLENGE = 'Proxy-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"'
FAULT = JudgeCarrier(1, "503 Service Unavailable", None)


@dataclass(eq=False)
class Timer:
    at: float
    fire: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Loop:
    """The one thing the timers need of an event loop."""

    clock: VirtualClock
    timers: list[Timer] = field(default_factory=list)

    def call_later(self, delay: float, fire: Callable[[], None]) -> Timer:
        self.timers.append(Timer(self.clock.now() + delay, fire))
        return self.timers[-1]

    def advance(self, seconds: float) -> None:
        until = self.clock.now() + seconds
        while due := [t for t in self.timers if not t.cancelled and t.at <= until]:
            first = min(due, key=lambda timer: timer.at)
            self.timers.remove(first)
            self.clock.advance(max(0.0, first.at - self.clock.now()))
            first.fire()
        self.clock.advance(until - self.clock.now())


class Bench:
    def __init__(self, *carriers: Carrier) -> None:
        self.clock = VirtualClock()
        self.loop = Loop(self.clock)
        self.hot = make.hot_state(carriers=carriers)
        self.log = KeptLog()
        self.metrics = fresh_metrics()
        self.endpoint = Endpoint(SequenceIds(), SipTimers(), LocalNames())
        self.sent: list[tuple[Request, Flow]] = []
        self.monitor = CarrierMonitor(
            self.hot, self, lambda transport, host: make.GATEWAY, self.clock, SequenceIds("m"),
            self.log, self.metrics, self.loop, make.REALM, "sipgw", LIMITS,
        )  # fmt: skip
        self.monitor.start()
        self.loop.advance(0.0)

    def execute(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(data, flow):
                    self.sent.append((parse_message(data), flow))
                case Deliver(event):
                    self.monitor.handlers[type(event)](event)

    def asked(self) -> list[tuple[Request, Flow]]:
        """The OPTIONS sent since the last look."""
        sent, self.sent = self.sent, []
        return sent

    def reply(self, asked: tuple[Request, Flow], status: int, extra: tuple[str, ...] = ()) -> None:
        request, flow = asked
        data = answer(request, status, extra=extra)
        self.execute(self.endpoint.receive(data, flow, self.clock.now()))

    def up(self, name: str = "carrier1") -> float | None:
        return self.metrics.registry.get_sample_value("sipgw_carrier_up", {"carrier": name})


def test_a_carrier_is_asked_where_it_is() -> None:
    bench = Bench(make.carrier(options_interval_s=30.0))
    ((request, flow),) = bench.asked()
    assert (request.method, request.uri) == ("OPTIONS", "sip:192.0.2.50:5060")
    assert flow == make.flow(make.CARRIER)
    assert (request.max_forwards, request.cseq.number) == (70, 1)
    assert request.from_.uri.host == make.REALM
    assert bench.up() == 1


def test_an_answered_carrier_is_asked_again_after_its_interval_only() -> None:
    bench = Bench(make.carrier(options_interval_s=30.0))
    bench.reply(bench.asked()[0], 200)
    bench.loop.advance(29.0)
    assert bench.asked() == []
    bench.loop.advance(1.5)
    assert len(bench.asked()) == 1
    assert bench.log.lines == []


def test_silence_takes_it_down_and_an_answer_brings_it_back() -> None:
    bench = Bench(make.carrier(options_interval_s=10.0, response_timeout_s=2.0))
    bench.loop.advance(12.5)
    assert bench.log.lines == [
        (
            "carrier down",
            {"carrier": "carrier1", "reason": "OPTIONS not answered, 2 times in a row"},
        )
    ]
    assert bench.up() == 0
    told = bench.monitor.status()["carrier1"]
    assert (told["health"], told["reason"]) == ("down", "OPTIONS not answered, 2 times in a row")
    bench.asked()
    bench.loop.advance(8.0)
    bench.reply(bench.asked()[0], 404)
    assert bench.log.events == ["carrier down", "carrier up"]
    assert bench.up() == 1


def test_a_challenge_is_answered_with_the_carriers_password() -> None:
    bench = Bench(make.carrier(options_interval_s=30.0, username="us", password="secret"))
    bench.reply(bench.asked()[0], 407, (CHALLENGE,))
    ((request, _),) = bench.asked()
    signed = Credentials.parse(request.headers.get("Proxy-Authorization") or "")
    assert signed.username == "us"


def test_a_failed_flow_counts_as_a_miss() -> None:
    bench = Bench(make.carrier(options_interval_s=10.0, transport="tcp"))
    for _ in range(2):
        ((_, flow),) = bench.asked()
        bench.execute(bench.endpoint.flow_failed(flow, bench.clock.now()))
        bench.loop.advance(10.0)
    assert bench.log.lines[0][1]["reason"] == "OPTIONS not sent, 2 times in a row"


def test_what_calls_say_moves_a_carrier_back_and_its_success_forward() -> None:
    first = make.carrier(1, options_interval_s=0)
    second = make.carrier(2, options_interval_s=0, port=5070, priority=5)
    bench = Bench(first, second)
    assert bench.asked() == []
    for _ in range(2):
        assert bench.monitor.in_order(bench.hot.carriers) == (first, second)
        bench.monitor.judge(FAULT)
    assert bench.monitor.in_order(bench.hot.carriers) == (second, first)
    assert bench.log.events == ["carrier resting"]
    bench.monitor.judge(JudgeCarrier(1, "", None))
    assert bench.monitor.in_order(bench.hot.carriers) == (first, second)
    bench.monitor.judge(JudgeCarrier(1, "503 Service Unavailable", 7.0))
    assert bench.monitor.standing(first) is Standing.RESTING
    bench.loop.advance(7.1)
    assert bench.monitor.standing(first) is Standing.UP
    assert bench.up("carrier1") == 1


def test_an_unknown_carrier_is_judged_by_nobody() -> None:
    bench = Bench(make.carrier(1))
    bench.monitor.judge(JudgeCarrier(9, "503", None))
    assert bench.monitor.standing(make.carrier(9)) is Standing.UP


def test_carriers_that_come_change_and_go_are_followed() -> None:
    bench = Bench(make.carrier(1, options_interval_s=0))
    for _ in range(2):
        bench.monitor.judge(FAULT)
    bench.hot.put_carrier(make.carrier(2, port=5070, options_interval_s=30.0))
    bench.loop.advance(LOOK_S)
    ((request, _),) = bench.asked()
    assert request.uri == "sip:192.0.2.50:5070"
    assert bench.up("carrier1") == 0, "who did not change keeps what is known"
    bench.hot.put_carrier(make.carrier(1, name="renamed", options_interval_s=0))
    bench.hot.remove_carrier(2)
    bench.loop.advance(LOOK_S)
    assert (bench.up("carrier1"), bench.up("renamed"), bench.up("carrier2")) == (None, 1, None)
    bench.reply((request, make.flow(("192.0.2.50", 5070))), 200)
    bench.loop.advance(60.0)
    assert bench.asked() == []


def test_no_more_calls_than_a_carrier_may_have() -> None:
    limited = make.carrier(1, max_calls=2, options_interval_s=0)
    bench = Bench(limited, make.carrier(2, port=5070, options_interval_s=0))
    monitor = bench.monitor
    assert monitor.take("c-1", 1)
    assert monitor.take("c-2", 1)
    assert not monitor.take("c-3", 1)
    assert monitor.take("c-3", 2)
    assert monitor.status()["carrier1"]["calls"] == 2
    assert monitor.take("c-1", 2), "a call that goes on leaves its place"
    assert monitor.take("c-4", 1)
    monitor.give_back("c-2")
    monitor.give_back("c-2")
    assert monitor.status()["carrier1"]["calls"] == 1
    assert monitor.take("c-5", None)
    bench.hot.put_carrier(replace(limited, max_calls=0))
    assert all(monitor.take(f"c-{number}", 1) for number in range(10, 20))


def test_after_the_close_nothing_is_asked() -> None:
    bench = Bench(make.carrier(options_interval_s=5.0))
    bench.asked()
    bench.monitor.close()
    bench.loop.advance(60.0)
    assert bench.asked() == []
