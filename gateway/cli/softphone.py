"""Owns the test softphone's signalling: register, call, hang up, each awaited.

A SIP user agent made of our own endpoint and driver (RFC 3261 §10.2, §13.2, §15.1). Its audio is
`softphone_audio`'s.
"""

import asyncio
import ssl
from collections.abc import Awaitable
from dataclasses import dataclass

from gateway.aio.names import address_towards
from gateway.ports import Clock, Ids
from sip.aio.driver import SipDriver
from sip.effects import Report
from sip.endpoint import Endpoint, RequestFailed, RequestReceived, ResponseReceived
from sip.flow import Flow
from sip.headers import Headers
from sip.invite.events import Answered, Progressed, Refused, Released, Updated
from sip.invite.uac import InviteUac
from sip.message import Request, Response
from sip.target import LocalNames
from sip.timers import SipTimers
from sip.uri import bracketed

USER_AGENT = "sipgw-try"
ALLOW = ("INVITE", "ACK", "CANCEL", "OPTIONS", "BYE")
ANSWER_TIMEOUT_S = 60.0
REQUEST_TIMEOUT_S = 32.0  # RFC 3261 §17.1.2.2: timer F ends it before


class CallFailed(Exception):
    """A request was refused or lost. `status` 0: the far end hung up or sent nothing usable."""

    def __init__(self, status: int, reason: str, explanation: str = "") -> None:
        told = f"{status} {reason}" if status else reason
        super().__init__(f"{told} ({explanation})" if explanation else told)
        self.status = status


@dataclass(frozen=True, slots=True)
class Account:
    """Who we register as, where."""

    host: str
    port: int
    transport: str
    realm: str
    username: str
    password: str

    @property
    def aor(self) -> str:
        return f"sip:{self.username}@{self.realm}"


class PlacedCall:
    """One call of ours: its INVITE session and what became of it."""

    __slots__ = ("answer", "ended", "ringing_status", "session")

    def __init__(self, session: InviteUac, answer: "asyncio.Future[Response]") -> None:
        self.session = session
        self.answer = answer
        self.ringing_status = 0
        self.ended = asyncio.Event()


class Softphone:
    """One account on one flow. Open, register, call, hang up, close."""

    def __init__(self, account: Account, clock: Clock, ids: Ids) -> None:
        self._account = account
        self._clock = clock
        self._ids = ids
        self._names = LocalNames()
        self._endpoint = Endpoint(ids, SipTimers(), self._names, user_agent=USER_AGENT, allow=ALLOW)
        self._driver = SipDriver(self._endpoint, clock, self._on_event, report=self._on_report)
        self._trouble = ""  # what the transport complained of last
        self._flow = Flow(account.transport, ("", 0), (account.host, account.port))
        self._requests: dict[object, asyncio.Future[Response]] = {}
        self._calls: dict[InviteUac, PlacedCall] = {}
        self._cseq = 0
        self._registration_id = ids.token()

    @property
    def local_host(self) -> str:
        return self._flow.local[0]

    async def open(self, context: ssl.SSLContext | None) -> None:
        """Bind our end, on the family of the gateway's address."""
        host = address_towards(self._account.host)
        local = (host, 0)
        if self._account.transport == "udp":
            local = await self._driver.listen_udp(host, 0)
        elif context is not None:
            self._driver.client_context = context
        self._flow = self._flow._replace(local=local)

    async def close(self) -> None:
        await self._driver.aclose()

    def tls_info(self) -> tuple[str, str] | None:
        """TLS version and cipher of our connection."""
        return self._driver.tls_info(self._flow)

    async def register(self, expires_s: int = 60) -> tuple[Response, float]:
        """REGISTER with credentials when asked for; the 200 and the milliseconds it took."""
        self._cseq += 1
        request = Request(
            "REGISTER",
            f"sip:{self._account.realm}",
            self._headers("REGISTER", self._account.aor, self._registration_id, self._cseq, [
                ("Expires", str(expires_s)),
            ]),
        )  # fmt: skip
        started = self._clock.now()
        response = await self._send(request)
        return response, (self._clock.now() - started) * 1000

    async def call(self, number: str, offer: bytes) -> PlacedCall:
        """INVITE and wait for the answer; raises CallFailed with what the gateway said."""
        uri = f"sip:{number}@{self._account.realm}"
        request = Request(
            "INVITE",
            uri,
            self._headers("INVITE", uri, self._ids.token(), 1, [
                ("Allow", ", ".join(ALLOW)), ("Content-Type", "application/sdp"),
            ]),
            offer,
        )  # fmt: skip
        session, effects = self._endpoint.invite(
            request, self._flow, self._clock.now(), credentials=self._credentials
        )
        call = PlacedCall(session, asyncio.get_running_loop().create_future())
        self._calls[session] = call
        self._driver.execute(effects)
        try:
            await _within(call.answer, ANSWER_TIMEOUT_S, f"no answer from {number}")
        except CallFailed:
            if not call.answer.done():
                self._driver.execute(session.cancel(self._clock.now()))
            raise
        return call

    def hang_up(self, call: PlacedCall) -> None:
        """BYE; nothing is waited for but its transmission."""
        if not call.ended.is_set():
            call.ended.set()
            self._calls.pop(call.session, None)
            self._driver.execute(call.session.bye(self._clock.now()))

    @property
    def _credentials(self) -> tuple[str, str]:
        return self._account.username, self._account.password

    def _headers(
        self, method: str, to: str, call_id: str, cseq: int, more: list[tuple[str, str]]
    ) -> Headers:
        host, port = self._names.sent_by(self._flow)
        transport = "" if self._flow.transport == "udp" else f";transport={self._flow.transport}"
        contact = f"<sip:{self._account.username}@{bracketed(host)}:{port or 5061}{transport}>"
        return Headers([
            ("Via", ""),
            ("Max-Forwards", "70"),
            ("From", f"<{self._account.aor}>;tag={self._ids.token()}"),
            ("To", f"<{to}>"),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", contact),
            ("User-Agent", USER_AGENT),
            *more,
        ])  # fmt: skip

    async def _send(self, request: Request) -> Response:
        handle, effects = self._endpoint.request(
            request, self._flow, self._clock.now(), credentials=self._credentials
        )
        waiting: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._requests[handle] = waiting
        self._driver.execute(effects)
        response = await _within(waiting, REQUEST_TIMEOUT_S, f"no answer to {request.method}")
        if response.status >= 300:
            raise CallFailed(response.status, response.reason, explanation_of(response))
        return response

    def _on_event(self, event: object) -> None:
        match event:
            case ResponseReceived():
                if event.response.status >= 200:
                    self._settle(event.handle, event.response)
            case RequestFailed():
                waiting = self._requests.pop(event.handle, None)
                if waiting is not None and not waiting.done():
                    told = self._trouble or "the gateway did not answer"
                    waiting.set_exception(CallFailed(event.status, told))
            case Progressed() | Answered() | Refused():
                self._on_progress(event)
            case Released():
                for session, call in list(self._calls.items()):
                    if session is event.session:
                        call.ended.set()
                        del self._calls[session]
            case Updated():
                self._driver.execute(event.session.reject_update(488, self._clock.now()))
            case RequestReceived():
                status = 200 if event.request.method == "OPTIONS" else 405
                self._driver.execute(
                    self._endpoint.respond(event.handle, status, now=self._clock.now())
                )
            case _:
                pass

    def _on_report(self, report: Report, error: BaseException | None) -> None:
        if report.kind.startswith(("connection", "dial", "send")):
            self._trouble = report.detail

    def _on_progress(self, event: Progressed | Answered | Refused) -> None:
        call = self._calls.get(event.session)
        if call is None or call.answer.done():
            return
        match event:
            case Progressed():
                if event.response.status != 100:
                    call.ringing_status = event.response.status
            case Answered():
                call.answer.set_result(event.response)
            case Refused():
                explanation = explanation_of(event.response) if event.response else ""
                call.answer.set_exception(CallFailed(event.status, event.reason, explanation))
                del self._calls[event.session]

    def _settle(self, handle: object, response: Response) -> None:
        waiting = self._requests.pop(handle, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(response)


def explanation_of(response: Response) -> str:
    """What the gateway says beyond the status: its Warning's sentence, else the Reason header."""
    warning = response.headers.get("warning")
    if warning is not None:
        return warning.partition('"')[2].removesuffix('"')
    return response.headers.get("reason") or ""


async def _within(waiting: Awaitable[Response], seconds: float, otherwise: str) -> Response:
    try:
        return await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        raise CallFailed(0, f"{otherwise} within {seconds:g} s") from None
