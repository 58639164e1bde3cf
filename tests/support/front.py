"""The whole gateway in memory, from bytes to bytes: real rooms, a kept journal, no sockets."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from gateway.aio.admitter import Admitter
from gateway.aio.call_runner import CallRunner
from gateway.aio.carrier_monitor import CarrierMonitor
from gateway.aio.clock import SystemClock
from gateway.aio.dispatcher import Dispatcher
from gateway.aio.doorman import Doorman
from gateway.aio.media_control import MediaControl
from gateway.aio.register_handler import RegisterHandler
from gateway.aio.settler import Settler
from gateway.b2bua.call import CallLimits
from gateway.b2bua.crossing import InvitePlan
from gateway.b2bua.hunt import HuntLimits
from gateway.bans import BanLimits, Bans
from gateway.hot_state import HotState
from gateway.identify import Identifier
from gateway.registrar import RegistrarLimits
from media.plane import (
    Capabilities,
    MediaFailed,
    MediaOpened,
    MediaReport,
    Side,
    StreamEnd,
)
from sip.digest import Nonces
from sip.effects import Deliver, Effect, Send
from sip.endpoint import Endpoint
from sip.flow import Flow
from sip.message import Request, Response
from sip.parser import parse_message
from sip.target import LocalNames
from sip.timers import SipTimers
from tests.support import factories as make
from tests.support.shell import KeptJournal, KeptLog, fresh_metrics

ALLOW = ("INVITE", "ACK", "CANCEL", "OPTIONS", "BYE", "UPDATE")
SDP = (
    b"v=0\r\no=pbx 1 1 IN IP4 203.0.113.7\r\ns=-\r\nc=IN IP4 203.0.113.7\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)


class PaperPlane:
    """A media plane that hands out addresses and moves nothing."""

    capabilities = Capabilities(frozenset(), echo=True, opaque=True)

    def __init__(self) -> None:
        self.failure: MediaFailed | Exception | None = None

    def open(
        self,
        session_id: str,
        streams: int,
        done: Callable[[MediaOpened | MediaFailed], None],
        *,
        echo: bool = False,
        families: tuple[int, int] = (4, 4),
    ) -> None:
        if isinstance(self.failure, Exception):
            raise self.failure
        places = tuple(("198.51.100.1", 20000 + 2 * index) for index in range(streams))
        done(self.failure or MediaOpened(places, () if echo else places))

    def update(self, session_id: str, side: Side, ends: tuple[StreamEnd, ...]) -> None: ...

    def report(self, session_id: str) -> MediaReport:
        return MediaReport((), ())

    def close(self, session_id: str, done: Callable[[MediaReport], None]) -> None:
        done(MediaReport((), ()))


class PaperSip:
    """An endpoint whose wire is a list; delivers to the TU as the driver does."""

    def __init__(self, names: LocalNames) -> None:
        self.endpoint = Endpoint(make.CountingIds(), SipTimers(), names, allow=ALLOW)
        self.tu: Callable[[object], None] = lambda event: None
        self.sent: list[tuple[Request | Response, Flow]] = []
        self._queue: deque[Effect] = deque()
        self._busy = False

    def execute(self, effects: Iterable[Effect]) -> None:
        self._queue.extend(effects)
        if self._busy:
            return
        self._busy = True
        while self._queue:
            effect = self._queue.popleft()
            if isinstance(effect, Send):
                self.sent.append((parse_message(effect.data), effect.flow))
            elif isinstance(effect, Deliver):
                self.tu(effect.event)
        self._busy = False


class PaperNames(LocalNames):
    def media_host(self, flow: Flow, family: int) -> str:
        return make.GATEWAY[0]


class Front:
    """Build it inside a running loop; the fields are the hot state's."""

    def __init__(
        self,
        *,
        registrar: RegistrarLimits | None = None,
        bans: BanLimits | None = None,
        calls: int = 10,
        ring_s: float = 60.0,
        env: dict[str, Any] | None = None,
        **fields: Any,
    ) -> None:
        loop, self.clock, names = asyncio.get_running_loop(), SystemClock(), PaperNames()
        self.hot: HotState = make.hot_state(**fields)
        self.journal, self.log, self.metrics = KeptJournal(), KeptLog(), fresh_metrics()
        self.plane, self.sip, ids = PaperPlane(), PaperSip(names), make.CountingIds()
        kept = (self.clock, self.log, self.metrics)
        self.admitter = Admitter(self.hot, make.env(**(env or {})), self.journal, *kept, calls)
        settler = Settler(self.hot, self.journal, self.admitter, *kept)
        self.carriers = CarrierMonitor(
            self.hot, self.sip, lambda transport, host: make.GATEWAY, self.clock, ids, self.log,
            self.metrics, loop, make.REALM, "test",
        )  # fmt: skip
        self.runner = CallRunner(
            self.sip, self.admitter, settler, MediaControl(self.plane, names), names,
            self.carriers, self.clock, ids, self.log, self.metrics,
            CallLimits(HuntLimits(ring_s=ring_s)), InvitePlan("test", ALLOW), loop,
        )  # fmt: skip
        identifier = Identifier(self.hot, Nonces(b"k" * 32), (make.REALM,), ids)
        self.doorman = Doorman(identifier, Bans(bans or BanLimits()), self.hot, *kept)
        register = RegisterHandler(
            self.hot, self.doorman, registrar or RegistrarLimits(), self.journal, self.sip, *kept
        )
        self.dispatcher = Dispatcher(
            self.doorman, register, self.runner, self.carriers, self.sip, self.clock, ids,
            self.log, self.metrics, ALLOW,
        )  # fmt: skip
        self.sip.tu = self.dispatcher
        self._branches = count(1)

    def send(self, message: Request | Response, flow: Flow | None = None) -> None:
        """Put a message on the gateway's side of the wire; a request gets a branch of its own."""
        data = message.to_bytes()
        if isinstance(message, Request):
            branch = f"z9hG4bK-test-{next(self._branches)}".encode()
            data = data.replace(b"branch=z9hG4bK-1;", b"branch=" + branch + b";")
        self.sip.execute(self.sip.endpoint.receive(data, flow or make.flow(), self.clock.now()))

    def ask(
        self,
        plain: Request,
        username: str = "99051000000001",
        password: str = "secret-1",
        *,
        flow: Flow | None = None,
        signed_uri: str | None = None,
    ) -> None:
        """Send a request, answer its challenge."""
        self.send(plain, flow)
        challenge = self.answer()
        assert challenge.status in (401, 407), challenge.status
        name = "WWW-Authenticate" if challenge.status == 401 else "Proxy-Authenticate"
        value = challenge.headers.get(name)
        assert value is not None
        signed = make.signed(plain, (name, value), username, password, signed_uri=signed_uri)
        self.send(signed, flow)

    def answer(self) -> Response:
        """The last final response that was sent."""
        found = [m for m, _ in self.sip.sent if isinstance(m, Response) and m.status >= 200]
        assert found, "no final response was sent"
        return found[-1]

    def request(self, method: str) -> tuple[Request, Flow]:
        """The last request of this method that was sent, and where to."""
        found = [(m, f) for m, f in self.sip.sent if isinstance(m, Request) and m.method == method]
        assert found, f"no {method} was sent"
        return found[-1]

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not happened():
                await asyncio.sleep(0.005)
