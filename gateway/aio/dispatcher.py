"""The transaction user: what came off the wire goes to the room that answers it.

An INVITE is identified here, on the in-memory index, before a call exists: a scanner never reaches
a call object, the journal or the writer thread. OPTIONS and unknown methods are answered here.
"""

from collections.abc import Callable
from typing import Any

from gateway.aio.call_runner import CallRunner
from gateway.aio.carrier_monitor import CarrierMonitor
from gateway.aio.log import Log
from gateway.aio.metrics import Metrics
from gateway.aio.register_handler import RegisterHandler
from gateway.aio.sip_port import SipPort
from gateway.b2bua.crossing import claimed_caller
from gateway.identify import Challenged, Identifies
from gateway.model.call import Attempt
from gateway.ports import Clock, Ids
from gateway.refusal import Refusal, headers, refuse
from sip.endpoint import RequestReceived
from sip.errors import SipError
from sip.invite import events as invite

KNOWN_METHODS = frozenset({"REGISTER", "OPTIONS", "INVITE", "ACK", "BYE", "CANCEL", "UPDATE"})


class Dispatcher:
    """Call it with each event the SIP core delivers."""

    def __init__(
        self,
        identifier: Identifies,
        register: RegisterHandler,
        runner: CallRunner,
        carriers: CarrierMonitor,
        sip: SipPort,
        clock: Clock,
        ids: Ids,
        log: Log,
        metrics: Metrics,
        allow: tuple[str, ...],
    ) -> None:
        self._identifier = identifier
        self._register = register
        self._runner = runner
        self._sip = sip
        self._clock = clock
        self._ids = ids
        self._log = log
        self._metrics = metrics
        self._allow = ", ".join(allow)
        # A child is looked up for every request: once for all.
        self._requests = {name: metrics.requests.labels(name) for name in KNOWN_METHODS}
        self._others = metrics.requests.labels("other")
        self._handlers: dict[type[object], Callable[[Any], None]] = {
            RequestReceived: self._on_request,
            invite.Offered: self._on_offer,
            **runner.handlers,
            **carriers.handlers,
        }

    def __call__(self, event: object) -> None:
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _on_request(self, event: RequestReceived) -> None:
        method = event.request.method
        self._requests.get(method, self._others).inc()
        if method == "REGISTER":
            self._register.handle(event)
        elif method == "OPTIONS":
            fields = [("Allow", self._allow), ("Accept", "application/sdp")]
            self._respond(event, 200, None, fields)
        else:
            refusal = refuse("METHOD_NOT_ALLOWED", method)
            self._note("request refused", refusal, event)
            fields = [("Allow", self._allow), *headers(refusal)]
            self._respond(event, refusal.status, refusal.reason, fields)

    def _respond(
        self, event: RequestReceived, status: int, reason: str | None, fields: list[tuple[str, str]]
    ) -> None:
        now = self._clock.now()
        self._sip.execute(self._sip.endpoint.respond(event.handle, status, reason, fields, now=now))

    def _on_offer(self, event: invite.Offered) -> None:
        self._requests["INVITE"].inc()
        now = self._clock.now()
        who = self._identifier.identify(event.request, event.flow, now)
        if isinstance(who, Challenged):
            self._metrics.challenges.inc()
            self._sip.execute(event.session.refuse(who.status, now, headers=who.headers))
            return
        if isinstance(who, Refusal):
            self._refuse(event, who, now)
            return
        try:
            uri = event.request.request_uri
            caller = claimed_caller(event.request)
        except SipError as error:
            self._refuse(event, refuse("BAD_REQUEST", str(error)), now)
            return
        attempt = Attempt(
            call_id=f"c-{self._ids.token(10)}",
            source=who.source,
            source_id=who.id,
            called=uri.username,
            called_host=uri.host,
            scheme=uri.scheme,
            caller=caller,
            flow=event.flow,
            sip_call_id=event.request.call_id,
            at=self._clock.at(),
            now=now,
        )
        self._runner.open(attempt, event.session, event.request)

    def _refuse(self, event: invite.Offered, refusal: Refusal, now: float) -> None:
        self._note("invite refused", refusal, event)
        fields = headers(refusal)
        self._sip.execute(event.session.refuse(refusal.status, now, refusal.reason, fields))

    def _note(self, what: str, refusal: Refusal, event: invite.Offered | RequestReceived) -> None:
        """Every refusal has its count and its line."""
        self._metrics.refusals.labels(refusal.code).inc()
        self._log.info(
            what,
            code=refusal.code,
            status=refusal.status,
            sentence=refusal.sentence,
            detail=refusal.detail,
            source=f"{event.flow.remote[0]}:{event.flow.remote[1]}",
            sip_call_id=event.request.call_id,
        )
