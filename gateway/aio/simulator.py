"""Owns the driving of the built-in carrier: the transaction user of its own SIP endpoint.

What a number does is decided in `gateway/apps/simulator.py`. The simulator stands on loopback and
is called like any other carrier, so that a first call needs no contract; its audio is the media
plane's echo.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from gateway.aio.media_control import named
from gateway.apps.simulator import Behaviour, behaviour_for
from gateway.model.call import SrtpPolicy
from gateway.ports import Clock, Ids
from media.errors import SdpError
from media.plane import MediaFailed, MediaOpened, MediaPlane, MediaReport, Side
from media.sdp.offer_answer import RelayNegotiation, SidePolicy
from sip.effects import Effect
from sip.endpoint import Endpoint, RequestReceived
from sip.flow import Flow
from sip.invite.events import Cancelled, Offered, Released, Updated
from sip.invite.uas import InviteUas
from sip.target import family

_ALLOW = "INVITE,ACK,CANCEL,OPTIONS,BYE,UPDATE"
_SRTP = SidePolicy(srtp=SrtpPolicy.OPTIONAL.value, offer_srtp=False)


class _SimulatedCall:
    """One INVITE session with its media session."""

    __slots__ = ("answered", "behaviour", "body", "ended", "media_id", "negotiation", "session")

    def __init__(
        self,
        session: InviteUas,
        behaviour: Behaviour,
        media_id: str,
        negotiation: RelayNegotiation,
    ) -> None:
        self.session = session
        self.behaviour = behaviour
        self.media_id = media_id
        self.negotiation = negotiation
        self.body = b""
        self.answered = False
        self.ended = False


class CarrierSimulator:
    """Answers, refuses or rings as the called number says. Pass `on_event` as the endpoint's TU."""

    def __init__(
        self,
        endpoint: Endpoint,
        execute: Callable[[Sequence[Effect]], None],
        plane: MediaPlane,
        clock: Clock,
        ids: Ids,
        after: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._endpoint = endpoint
        self._execute = execute
        self._plane = plane
        self._clock = clock
        self._ids = ids
        self._after = after
        self._calls: dict[InviteUas, _SimulatedCall] = {}

    @property
    def live_calls(self) -> int:
        return len(self._calls)

    def on_event(self, event: object) -> None:
        """Take one event of the endpoint; what the simulator has no use for passes by."""
        match event:
            case Offered():
                self._offered(event.session, event.flow)
            case Updated():
                self._updated(event.session, event.request.body)
            case Cancelled() | Released():
                # Our own half of a session is always a UAS: the simulator never calls.
                self._end(event.session)
            case RequestReceived():
                self._answer_request(event)
            case _:
                pass

    def _offered(self, session: InviteUas, flow: Flow) -> None:
        behaviour = behaviour_for(session.request.request_uri.username)
        if not behaviour.ring_status and not behaviour.answers:
            self._execute(session.refuse(behaviour.final_status, self._clock.now()))
            return
        # The username of o= is the session's own; ours tells a trace who speaks.
        negotiation = RelayNegotiation(
            _SRTP, _SRTP, self._ids.octets, session_name="-", username="simulator"
        )
        try:
            streams = negotiation.receive_offer(Side.A, session.request.body)
        except SdpError:
            self._execute(session.refuse(488, self._clock.now()))
            return
        call = _SimulatedCall(session, behaviour, f"sim-{self._ids.token()}", negotiation)
        self._calls[session] = call
        ip_family = family(flow.remote[0])

        def opened(result: MediaOpened | MediaFailed) -> None:
            self._opened(call, result)

        self._plane.open(call.media_id, streams, opened, echo=True, families=(ip_family, ip_family))

    def _opened(self, call: _SimulatedCall, result: MediaOpened | MediaFailed) -> None:
        if isinstance(result, MediaFailed):
            if not call.ended:
                self._execute(call.session.refuse(503, self._clock.now()))
                self._calls.pop(call.session, None)
            return
        if call.ended:  # the caller gave up while the ports were being taken
            self._plane.close(call.media_id, _forget)
            return
        ours = named(result.a, lambda: call.session.flow.local[0])
        call.negotiation.set_local(replace(result, a=ours))
        call.body = call.negotiation.answer_self(Side.A)
        behaviour = call.behaviour
        body = b""
        if behaviour.early_media:
            self._plane.update(call.media_id, Side.A, call.negotiation.ends(Side.A))
            body = call.body
        self._execute(call.session.progress(behaviour.ring_status, self._clock.now(), body=body))
        if behaviour.final_status:
            self._after(behaviour.ring_s, lambda: self._decide(call))

    def _decide(self, call: _SimulatedCall) -> None:
        """Ringing is over: answer or refuse."""
        if call.ended:
            return
        now = self._clock.now()
        if not call.behaviour.answers:
            self._end(call.session)
            self._execute(call.session.refuse(call.behaviour.final_status, now))
            return
        call.answered = True
        self._plane.update(call.media_id, Side.A, call.negotiation.ends(Side.A))
        self._execute(call.session.answer(call.body, now))
        if call.behaviour.hang_up_s is not None:
            self._after(call.behaviour.hang_up_s, lambda: self._hang_up(call))

    def _hang_up(self, call: _SimulatedCall) -> None:
        if not call.ended:
            self._end(call.session)
            self._execute(call.session.bye(self._clock.now()))

    def _updated(self, session: object, body: bytes) -> None:
        call = self._find(session)
        if call is None:
            return
        now = self._clock.now()
        try:
            call.negotiation.receive_offer(Side.A, body)
            call.body = call.negotiation.answer_self(Side.A)
        except SdpError:
            call.negotiation.abandon()
            self._execute(call.session.reject_update(488, now))
            return
        self._plane.update(call.media_id, Side.A, call.negotiation.ends(Side.A))
        self._execute(call.session.accept_update(call.body, now))

    def _end(self, session: object) -> None:
        call = self._find(session)
        if call is None:
            return
        call.ended = True
        del self._calls[call.session]
        if call.body:  # the ports are ours only once the plane has answered
            self._plane.close(call.media_id, _forget)

    def _find(self, session: object) -> _SimulatedCall | None:
        return self._calls.get(session) if isinstance(session, InviteUas) else None

    def _answer_request(self, event: RequestReceived) -> None:
        # RFC 3261 §11.2: OPTIONS is answered as an INVITE would be; nothing else is offered here.
        status = 200 if event.request.method == "OPTIONS" else 405
        self._execute(
            self._endpoint.respond(
                event.handle, status, headers=(("Allow", _ALLOW),), now=self._clock.now()
            )
        )


def _forget(report: MediaReport) -> None:
    """The simulator keeps no record of its calls: the gateway's own CDR is the one that counts."""
