"""The built-in carrier, called by an endpoint of its own over a network in memory."""

from collections.abc import Callable
from datetime import datetime

from gateway.aio.simulator import CarrierSimulator
from media.plane import (
    Capabilities,
    MediaFailed,
    MediaOpened,
    MediaReport,
    Side,
    StreamEnd,
)
from sip.endpoint import Endpoint, ResponseReceived
from sip.flow import Flow
from sip.headers import Headers
from sip.invite.events import Answered, Progressed, Refused, Released, UpdateAnswered
from sip.invite.uac import InviteUac
from sip.message import Request
from sip.target import LocalNames
from sip.timers import SipTimers
from tests.support.factories import AT
from tests.support.ids import SequenceIds
from tests.support.network import Network

CALLER = ("192.0.2.1", 5060)
SIMULATOR = ("192.0.2.2", 5060)
FLOW = Flow("udp", CALLER, SIMULATOR)
OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)


class EchoPlane:
    """Answers at once, or when told to; remembers which media sessions are open."""

    capabilities = Capabilities(frozenset({"AES_CM_128_HMAC_SHA1_80"}), echo=True, opaque=True)

    def __init__(self) -> None:
        self.open_sessions: set[str] = set()
        self.ends: dict[str, tuple[StreamEnd, ...]] = {}
        self.full = False
        self.waiting: list[Callable[[], None]] | None = None

    def open(
        self,
        session_id: str,
        streams: int,
        done: Callable[[MediaOpened | MediaFailed], None],
        *,
        echo: bool = False,
        families: tuple[int, int] = (4, 4),
    ) -> None:
        assert echo
        if self.full:
            done(MediaFailed("no ports"))
            return
        self.open_sessions.add(session_id)
        opened = MediaOpened(tuple(("192.0.2.2", 20000 + 2 * i) for i in range(streams)), ())
        if self.waiting is None:
            done(opened)
        else:
            self.waiting.append(lambda: done(opened))

    def update(self, session_id: str, side: Side, ends: tuple[StreamEnd, ...]) -> None:
        assert side is Side.A
        self.ends[session_id] = ends

    def report(self, session_id: str) -> MediaReport:
        return MediaReport((), ())

    def close(self, session_id: str, done: Callable[[MediaReport], None]) -> None:
        self.open_sessions.remove(session_id)
        done(MediaReport((), ()))


class Stage:
    """Caller, simulator and time."""

    def __init__(self) -> None:
        self.network = Network(seed=1, delay_s=(0.001, 0.001))
        names = LocalNames()
        self.caller = self.network.add(Endpoint(SequenceIds("caller"), SipTimers(), names), CALLER)
        node = self.network.add(Endpoint(SequenceIds("simulator"), SipTimers(), names), SIMULATOR)
        self.plane = EchoPlane()
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.simulator = CarrierSimulator(
            node.endpoint, node.execute, self.plane, self, SequenceIds("sim"), self.after
        )

        def tu(event: object) -> tuple[()]:
            self.simulator.on_event(event)
            return ()

        node.tu = tu

    # The simulator's clock and timer.

    def now(self) -> float:
        return self.network.now

    def at(self) -> datetime:
        return AT

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.due.append((self.network.now + seconds, action))

    def pass_time(self, seconds: float) -> None:
        until = self.network.now + seconds
        while (now := self.network.now) < until:
            self.network.run(min(now + 0.01, until))
            ripe = [action for at, action in self.due if at <= self.network.now]
            self.due = [each for each in self.due if each[0] > self.network.now]
            for action in ripe:
                action()

    # The caller.

    def call(self, number: str, body: bytes = OFFER) -> InviteUac:
        request = Request(
            "INVITE",
            f"sip:{number}@192.0.2.2",
            Headers([
                ("Via", ""),
                ("Max-Forwards", "70"),
                ("From", "<sip:caller@192.0.2.1>;tag=a"),
                ("To", f"<sip:{number}@192.0.2.2>"),
                ("Call-ID", "one"),
                ("CSeq", "1 INVITE"),
                ("Contact", "<sip:caller@192.0.2.1:5060>"),
                ("Content-Type", "application/sdp"),
            ]),
            body,
        )  # fmt: skip
        session, effects = self.caller.endpoint.invite(request, FLOW, self.network.now)
        self.caller.execute(effects)
        return session

    def heard(self) -> list[str]:
        """Names of the caller's events, statuses for those that have one."""
        told = []
        for event in self.caller.events:
            match event:
                case Progressed() | Answered():
                    told.append(str(event.response.status))
                case Refused():
                    told.append(str(event.status))
                case _:
                    told.append(type(event).__name__)
        return told


def test_an_ordinary_number_rings_and_answers_with_an_echo() -> None:
    stage = Stage()
    session = stage.call("+442079460123")
    stage.pass_time(1)
    assert stage.heard() == ["180", "200"]
    (ends,) = stage.plane.ends.values()
    assert ends[0].remote == ("192.0.2.1", 40000)
    stage.caller.execute(session.bye(stage.now()))
    stage.pass_time(1)
    assert not stage.plane.open_sessions
    assert stage.simulator.live_calls == 0


def test_a_busy_number_takes_no_ports() -> None:
    stage = Stage()
    stage.call("+442079460486")
    stage.pass_time(1)
    assert stage.heard() == ["486"]
    assert not stage.plane.ends


def test_a_number_that_rings_first_and_then_declines_gives_its_ports_back() -> None:
    stage = Stage()
    stage.call("+442079460603")
    stage.pass_time(2)
    assert stage.heard() == ["180", "603"]
    assert not stage.plane.open_sessions


def test_ringing_for_ever_ends_with_the_callers_cancel() -> None:
    stage = Stage()
    session = stage.call("+442079460480")
    stage.pass_time(60)
    assert stage.heard() == ["180"]
    stage.caller.execute(session.cancel(stage.now()))
    stage.pass_time(1)
    assert stage.heard() == ["180", "487"]
    assert not stage.plane.open_sessions
    assert stage.simulator.live_calls == 0


def test_a_cancel_while_it_rings_prevents_the_answer() -> None:
    stage = Stage()
    session = stage.call("+442079460123")
    stage.pass_time(0.1)
    stage.caller.execute(session.cancel(stage.now()))
    stage.pass_time(5)
    assert stage.heard() == ["180", "487"]
    assert not stage.plane.open_sessions


def test_early_media_has_a_body_before_the_answer() -> None:
    stage = Stage()
    stage.call("+442079460183")
    stage.pass_time(0.5)
    (early,) = [event for event in stage.caller.events if isinstance(event, Progressed)]
    assert early.response.status == 183
    assert b"m=audio 20000" in early.response.body
    assert stage.plane.ends
    stage.pass_time(1)
    assert stage.heard() == ["183", "200"]


def test_0999_hangs_up_by_itself() -> None:
    stage = Stage()
    stage.call("+442079460999")
    stage.pass_time(1.5)
    assert stage.heard() == ["180", "200"]
    stage.pass_time(2)
    assert isinstance(stage.caller.events[-1], Released)
    assert not stage.plane.open_sessions


def test_a_reinvite_is_answered_with_the_new_remote() -> None:
    stage = Stage()
    session = stage.call("+442079460123")
    stage.pass_time(1)
    stage.caller.execute(session.reoffer(OFFER.replace(b"40000", b"40002"), stage.now()))
    stage.pass_time(1)
    assert isinstance(stage.caller.events[-1], UpdateAnswered)
    (ends,) = stage.plane.ends.values()
    assert ends[0].remote == ("192.0.2.1", 40002)


def test_a_reinvite_it_cannot_read_leaves_the_call_as_it_was() -> None:
    stage = Stage()
    session = stage.call("+442079460123")
    stage.pass_time(1)
    stage.caller.execute(session.reoffer(b"nonsense", stage.now()))
    stage.pass_time(1)
    assert stage.heard()[-1] == "UpdateRefused"
    assert stage.simulator.live_calls == 1


def test_an_offer_it_cannot_read_is_not_acceptable() -> None:
    stage = Stage()
    stage.call("+442079460123", b"v=0\r\nnonsense")
    stage.pass_time(1)
    assert stage.heard() == ["488"]


def test_without_ports_the_carrier_is_out_of_service() -> None:
    stage = Stage()
    stage.plane.full = True
    stage.call("+442079460123")
    stage.pass_time(1)
    assert stage.heard() == ["503"]
    assert stage.simulator.live_calls == 0


def test_ports_that_come_after_the_cancel_are_given_back() -> None:
    stage = Stage()
    stage.plane.waiting = []
    session = stage.call("+442079460123")
    stage.pass_time(0.5)  # 100 Trying is out, a CANCEL may follow
    stage.caller.execute(session.cancel(stage.now()))
    stage.pass_time(1)
    assert stage.heard() == ["100", "487"]
    for opened in stage.plane.waiting:
        opened()
    assert not stage.plane.open_sessions


def test_options_are_answered_and_other_requests_are_not_offered() -> None:
    stage = Stage()
    for method in ("OPTIONS", "MESSAGE"):
        request = Request(
            method,
            "sip:192.0.2.2",
            Headers([
                ("Via", ""),
                ("Max-Forwards", "70"),
                ("From", "<sip:caller@192.0.2.1>;tag=b"),
                ("To", "<sip:192.0.2.2>"),
                ("Call-ID", method),
                ("CSeq", f"1 {method}"),
            ]),
        )  # fmt: skip
        _, effects = stage.caller.endpoint.request(request, FLOW, stage.now())
        stage.caller.execute(effects)
    stage.pass_time(1)
    told = [e.response.status for e in stage.caller.events if isinstance(e, ResponseReceived)]
    assert told == [200, 405]
