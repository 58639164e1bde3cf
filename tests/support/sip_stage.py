"""One endpoint on a stage: the test plays the peer, message by message, under virtual time."""

from collections.abc import Iterable

from sip.effects import Deliver, Effect, Report, Send
from sip.endpoint import Endpoint
from sip.flow import Flow
from sip.headers import Headers
from sip.invite.uac import InviteUac
from sip.invite.uas import InviteUas
from sip.message import Request, Response
from sip.parser import parse_message
from sip.target import LocalNames
from sip.timers import SipTimers
from tests.support.ids import SequenceIds
from tests.support.sip_text import SDP, UDP, answer, parsed_request, request_bytes


class Stage:
    """`sent` and `events` hold what came out since they were last taken."""

    def __init__(self, flow: Flow = UDP, supported: tuple[str, ...] = ()) -> None:
        self.endpoint = Endpoint(
            SequenceIds(), SipTimers(), LocalNames(), user_agent="test", supported=supported
        )
        self.flow = flow
        self.now = 0.0
        self.sent: list[Request | Response] = []
        self.flows: list[Flow] = []
        self.events: list[object] = []
        self.reports: list[Report] = []

    def run(self, effects: Iterable[Effect]) -> "Stage":
        """Take effects apart; what was taken before is dropped."""
        self.sent, self.flows, self.events, self.reports = [], [], [], []
        self._take(effects)
        return self

    def hear(self, data: bytes, flow: Flow | None = None) -> "Stage":
        return self.run(self.endpoint.receive(data, flow or self.flow, self.now))

    def advance(self, seconds: float) -> "Stage":
        """Let time pass, every deadline kept to the moment."""
        until = self.now + seconds
        self.run(())
        while (deadline := self.endpoint.deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self._take(self.endpoint.tick(self.now))
        self.now = until
        return self

    def _take(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(data, flow):
                    self.sent.append(parse_message(data))
                    self.flows.append(flow)
                case Deliver(event):
                    self.events.append(event)
                case Report():
                    self.reports.append(effect)
                case _:
                    raise AssertionError(effect)

    # -- what the test looks at

    @property
    def names(self) -> list[str]:
        """What was sent and told: methods, statuses, event names."""
        told = [m.method if isinstance(m, Request) else str(m.status) for m in self.sent]
        return told + [type(event).__name__ for event in self.events]

    def request(self, index: int = 0) -> Request:
        found = self.sent[index]
        assert isinstance(found, Request)
        return found

    def response(self, index: int = 0) -> Response:
        found = self.sent[index]
        assert isinstance(found, Response)
        return found

    # -- as UAC

    def call(
        self,
        *,
        credentials: tuple[str, str] | None = None,
        via_flow: bool = True,
        extra: tuple[tuple[str, str], ...] = (),
    ) -> InviteUac:
        """Send an INVITE; it is then the first of `sent`."""
        request = Request(
            "INVITE",
            "sip:100@192.0.2.10",
            Headers([
                ("From", "<sip:us@192.0.2.1>;tag=us"),
                ("To", "<sip:100@192.0.2.10>"),
                ("Call-ID", "ours-1"),
                ("CSeq", "1 INVITE"),
                ("Via", ""),
                ("Max-Forwards", "70"),
                ("Contact", "<sip:us@192.0.2.1:5060>"),
                *extra,
                ("Content-Type", "application/sdp"),
            ]),
            SDP,
        )  # fmt: skip
        session, effects = self.endpoint.invite(request, self.flow, self.now, credentials, via_flow)
        self.run(effects)
        return session

    def respond(
        self,
        sent: Request,
        status: int,
        *,
        tag: str = "peer",
        extra: tuple[str, ...] = (),
        contact: str = "<sip:peer@192.0.2.10:5060>",
        body: bytes = b"",
    ) -> "Stage":
        """The peer answers one of our requests."""
        return self.hear(answer(sent, status, tag=tag, extra=extra, contact=contact, body=body))

    def answered(self) -> tuple[InviteUac, Request]:
        """A confirmed call of ours, and its INVITE."""
        session = self.call()
        invite = self.request()
        self.respond(invite, 200, body=SDP)
        return session, invite

    # -- as UAS

    def offered(self, extra: tuple[str, ...] = ()) -> InviteUas:
        """The peer's INVITE, not answered yet."""
        self.hear(request_bytes(extra=extra, body=SDP))
        session = self.events[0].session  # type: ignore[attr-defined]
        assert isinstance(session, InviteUas)
        return session

    def talking(self) -> InviteUas:
        """The peer's INVITE, answered and acknowledged."""
        session = self.offered()
        self.run(session.answer(SDP, self.now))
        self.in_dialog("ACK", session, cseq=1)
        return session

    def in_dialog(
        self,
        method: str,
        session: InviteUas,
        *,
        cseq: int = 2,
        body: bytes = b"",
        branch: str = "",
        extra: tuple[str, ...] = (),
        flow: Flow | None = None,
    ) -> "Stage":
        """A request of the peer inside the dialog of its INVITE."""
        return self.hear(
            request_bytes(
                method,
                branch=branch or f"z9hG4bK{method}{cseq}",
                cseq=cseq,
                to_tag=session.local_tag,
                body=body,
                extra=extra,
            ),
            flow,
        )

    def towards(
        self,
        session: InviteUac,
        method: str,
        *,
        cseq: int = 1,
        body: bytes = b"",
        tag: str = "peer",
    ) -> "Stage":
        """A request of the callee inside the dialog of our INVITE."""
        lines = [
            f"{method} sip:us@192.0.2.1:5060 SIP/2.0",
            f"Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKcallee{method}{cseq}",
            f"From: <sip:100@192.0.2.10>;tag={tag}",
            f"To: <sip:us@192.0.2.1>;tag={session.local_tag}",
            f"Call-ID: {session.call_id}",
            f"CSeq: {cseq} {method}",
            "Max-Forwards: 70",
            "Contact: <sip:peer@192.0.2.10:5060>",
            f"Content-Length: {len(body)}",
        ]
        return self.hear("\r\n".join([*lines, "", ""]).encode() + body)


def reparsed(request: Request) -> Request:
    """The request as the peer reads it."""
    return parsed_request(request.to_bytes())
