"""Owns `LoadPeer`: hundreds of concurrent calls from one socket, as PBX and as carrier.

Built from the SIP core under the real driver, in the test's own process; media is only offered,
never sent. What a called peer does is the test's `answers`.
"""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from types import TracebackType

from sip.aio.driver import SipDriver
from sip.endpoint import Endpoint, RequestReceived
from sip.flow import Flow
from sip.headers import Headers
from sip.invite import events as on
from sip.invite.uac import InviteUac
from sip.invite.uas import InviteUas
from sip.message import Request
from sip.target import LocalNames
from sip.timers import SipTimers

Address = tuple[str, int]
REALM = "sipgw.local"


class _Ids:
    def token(self, octets: int = 8) -> str:
        return secrets.token_hex(octets)

    def octets(self, count: int) -> bytes:
        return secrets.token_bytes(count)


class _Clock:
    """The loop's time, scaled or not."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def now(self) -> float:
        return self._loop.time()


def sdp(port: int = 40000) -> bytes:
    return (
        "v=0\r\no=load 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    ).encode()


class PeerCall:
    """One call as this peer sees it. `final` and `over` are awaited, the rest is looked at."""

    def __init__(self, peer: "LoadPeer", session: InviteUac | InviteUas, number: str) -> None:
        loop = asyncio.get_running_loop()
        self.peer = peer
        self.session = session
        self.number = number
        self.sip_call_id = session.call_id
        self.final: asyncio.Future[int] = loop.create_future()  # status of the INVITE
        self.over: asyncio.Future[str] = loop.create_future()  # why nothing more will come
        self.refusal: Headers | None = None
        self.reason = ""  # of the gateway's BYE
        self.confirmed = False
        self.answered_now = self.ended_now = 0.0

    def ring(self) -> None:
        if isinstance(self.session, InviteUas):
            self.peer.do(self.session.progress(180, self.peer.now()))

    def answer(self) -> None:
        if isinstance(self.session, InviteUas) and not self.final.done():
            self.answered_now = self.peer.now()
            self.final.set_result(200)
            self.peer.do(self.session.answer(sdp(), self.peer.now()))

    def refuse(self, status: int) -> None:
        if isinstance(self.session, InviteUas) and not self.final.done():
            self.final.set_result(status)
            self.peer.do(self.session.refuse(status, self.peer.now()))
            self.close("refused")

    def cancel(self) -> None:
        if isinstance(self.session, InviteUac):
            self.peer.do(self.session.cancel(self.peer.now()))
            if self.confirmed:  # the answer was first: that was a BYE
                self.close("own bye")

    def bye(self) -> None:
        if self.confirmed and not self.over.done():
            self.peer.do(self.session.bye(self.peer.now()))
            self.close("own bye")

    def close(self, why: str) -> None:
        if not self.over.done():
            self.ended_now = self.peer.now()
            self.over.set_result(why)

    @property
    def talking(self) -> bool:
        return self.confirmed and not self.over.done()


Answers = Callable[[PeerCall], None]


class _CountingDriver(SipDriver):
    """Counts the BYEs of the wire by Call-ID: one for a dialog long gone never reaches the TU."""

    byes: Counter[str]

    def received(self, data: bytes, flow: Flow) -> None:
        if data.startswith(b"BYE "):
            head = data.decode("utf-8", "replace").split("\r\n\r\n")[0]
            call_id = next(
                line.partition(":")[2].strip()
                for line in head.split("\r\n")
                if line.lower().startswith("call-id:")
            )
            self.byes[call_id] += 1
        super().received(data, flow)


class LoadPeer:
    """`async with LoadPeer(answers) as peer`, then `peer.call(number, gateway)`."""

    def __init__(
        self, answers: Answers | None = None, *, t1_s: float = 0.5, transport: str = "udp"
    ) -> None:
        self._transport = transport
        self.answers = answers or answer_at_once
        self.clock = _Clock()
        self.now = self.clock.now
        endpoint = Endpoint(
            _Ids(), SipTimers(t1_s=t1_s), LocalNames(), user_agent="load", allow=("INVITE", "BYE")
        )
        self.errors: list[str] = []
        self.driver = _CountingDriver(endpoint, self.clock, self._take, report=self._report)
        self.driver.byes = Counter()
        self.address: Address = ("", 0)
        self.placed: list[PeerCall] = []
        self.offered: list[PeerCall] = []
        self._calls: dict[object, PeerCall] = {}

    @property
    def byes(self) -> Counter[str]:
        """How many BYEs came, by Call-ID; repetitions count."""
        return self.driver.byes

    def do(self, effects: list) -> None:  # type: ignore[type-arg]
        self.driver.execute(effects)

    def call(self, number: str, gateway: Address, caller: str = "pbx") -> PeerCall:
        """INVITE now; what comes of it is seen on the call."""
        flow = Flow(self._transport, self.address, gateway)
        transport = "" if self._transport == "udp" else f";transport={self._transport}"
        host, port = self.address
        fields = [
            ("Via", ""),
            ("Max-Forwards", "70"),
            ("From", f"<sip:{caller}@{REALM}>;tag={secrets.token_hex(4)}"),
            ("To", f"<sip:{number}@{REALM}>"),
            ("Call-ID", secrets.token_hex(8)),
            ("CSeq", "1 INVITE"),
            ("Contact", f"<sip:{caller}@{host}:{port}{transport}>"),
            ("Content-Type", "application/sdp"),
        ]
        request = Request("INVITE", f"sip:{number}@{REALM}", Headers(fields), sdp())
        session, effects = self.driver.endpoint.invite(request, flow, self.now())
        call = PeerCall(self, session, number)
        self._calls[session] = call
        self.placed.append(call)
        self.do(effects)
        return call

    def every(self) -> list[PeerCall]:
        return self.placed + self.offered

    def talking(self) -> list[PeerCall]:
        return [call for call in self.every() if call.talking]

    def _take(self, event: object) -> None:
        match event:
            case on.Offered():
                call = PeerCall(self, event.session, event.request.request_uri.username)
                self._calls[event.session] = call
                self.offered.append(call)
                self.answers(call)
            case on.Answered():
                self._answered(self._calls[event.session])
            case on.Acknowledged():
                self._calls[event.session].confirmed = True
            case on.Refused():
                call = self._calls[event.session]
                call.refusal = event.response.headers if event.response else None
                if not call.final.done():
                    call.final.set_result(event.status)
                call.close("refused")
            case on.Cancelled():
                call = self._calls[event.session]
                if not call.final.done():
                    call.final.set_result(487)
                call.close("cancelled")
            case on.Released():
                call = self._calls[event.session]
                if event.request is not None:
                    call.reason = event.request.headers.get("Reason") or ""
                call.close(event.reason)
            case RequestReceived():
                self.do(self.driver.endpoint.respond(event.handle, 200, now=self.now()))

    def _answered(self, call: PeerCall) -> None:
        call.confirmed = True
        call.answered_now = self.now()
        if not call.final.done():
            call.final.set_result(200)

    def _report(self, report: object, error: BaseException | None) -> None:
        if error is not None:
            self.errors.append(f"{report}: {error!r}")

    async def __aenter__(self) -> "LoadPeer":
        if self._transport == "tcp":
            self.address = await self.driver.listen_tcp("127.0.0.1", 0)
        else:
            self.address = await self.driver.listen_udp("127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.driver.aclose()
        assert not self.errors, self.errors[:3]


def answer_at_once(call: PeerCall) -> None:
    call.ring()
    call.answer()


def ring_only(call: PeerCall) -> None:
    call.ring()


def after(delay_s: float, step: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(delay_s, step)
