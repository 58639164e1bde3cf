"""The loop: real sockets on loopback, free ports, no sleeping."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest
import trustme

from sip.aio.driver import SipDriver, log_report
from sip.aio.flows import FlowLimits
from sip.aio.stream import StreamLimits
from sip.effects import Deliver, Effect, Report, Send
from sip.endpoint import Endpoint, RequestFailed, RequestReceived, ResponseReceived
from sip.flow import Flow
from sip.headers import Headers
from sip.invite.events import Acknowledged, Answered, Offered, Refused, Released
from sip.message import Request
from sip.target import LocalNames
from sip.timers import SipTimers
from tests.support.ids import SequenceIds
from tests.support.sip_text import SDP, request_bytes

T = TypeVar("T")
FAST = SipTimers(t1_s=0.02, t2_s=0.08, t4_s=0.1, d_s=0.2, trying_s=0.01)


class Agent:
    """A driver whose events can be awaited; `on` answers them."""

    def __init__(self, name: str, **options: object) -> None:
        self.endpoint = Endpoint(SequenceIds(name), FAST, LocalNames())
        self.reports: list[Report] = []
        self.errors: list[BaseException] = []
        self.events: asyncio.Queue[object] = asyncio.Queue()
        self.on: Callable[[object], Iterable[Effect]] = lambda event: ()
        self.driver = SipDriver(
            self.endpoint,
            tu=self._event,
            report=self._report,
            **options,  # type: ignore[arg-type]
        )

    def _event(self, event: object) -> None:
        self.events.put_nowait(event)
        self.driver.execute(self.on(event))

    def _report(self, report: Report, error: BaseException | None) -> None:
        self.reports.append(report)
        if error is not None:
            self.errors.append(error)

    async def next(self, kind: type[T]) -> T:
        """The next event of that kind; others are skipped."""
        async with asyncio.timeout(5):
            while True:
                event = await self.events.get()
                if isinstance(event, kind):
                    return event

    def now(self) -> float:
        return self.driver._clock.now()

    async def reported(self, kind: str) -> Report:
        """Wait, turn by turn of the loop, for a report of that kind."""
        async with asyncio.timeout(5):
            while True:
                for report in self.reports:
                    if report.kind == kind:
                        return report
                await asyncio.sleep(0.001)


@asynccontextmanager
async def agents(*names: str, **options: object) -> AsyncIterator[list[Agent]]:
    made = [Agent(name, **options) for name in names]
    try:
        yield made
    finally:
        for agent in made:
            await agent.driver.aclose()


def invite(flow: Flow, number: int = 1) -> Request:
    host, port = flow.local
    return Request(
        "INVITE",
        "sip:100@gateway.example",
        Headers([
            ("From", f"<sip:us@gateway.example>;tag=t{number}"),
            ("To", "<sip:100@gateway.example>"),
            ("Call-ID", f"call-{number}"),
            ("CSeq", "1 INVITE"),
            ("Max-Forwards", "70"),
            ("Contact", f"<sip:us@{f'[{host}]' if ':' in host else host}:{port or 5060}>"),
        ]),
        SDP,
    )  # fmt: skip


def options(number: int = 1) -> Request:
    return Request(
        "OPTIONS",
        "sip:gateway.example",
        Headers([
            ("From", f"<sip:us@gateway.example>;tag=t{number}"),
            ("To", "<sip:gateway.example>"),
            ("Call-ID", f"options-{number}"),
            ("CSeq", "1 OPTIONS"),
            ("Max-Forwards", "70"),
        ]),
    )  # fmt: skip


async def whole_call(caller: Agent, callee: Agent, flow: Flow) -> None:
    """INVITE, 180, 200, ACK, BYE, 200."""

    def answering(event: object) -> list[Effect]:
        if isinstance(event, Offered):
            now = callee.now()
            return event.session.progress(180, now) + event.session.answer(SDP, now)
        return []

    callee.on = answering
    session, effects = caller.endpoint.invite(invite(flow), flow, caller.now())
    caller.driver.execute(effects)
    answered = await caller.next(Answered)
    assert answered.session is session
    assert answered.response.body == SDP
    await callee.next(Acknowledged)
    caller.driver.execute(session.bye(caller.now()))
    released = await callee.next(Released)
    assert released.reason == "bye"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_call_over_udp(host: str) -> None:
    async with agents("caller", "callee") as (caller, callee):
        local = await caller.driver.listen_udp(host, 0)
        remote = await callee.driver.listen_udp(host, 0)
        assert local[1] != 0
        await whole_call(caller, callee, Flow("udp", local, remote))


async def test_a_call_over_tcp_uses_one_connection_both_ways() -> None:
    async with agents("caller", "callee") as (caller, callee):
        remote = await callee.driver.listen_tcp("127.0.0.1", 0)
        await whole_call(caller, callee, Flow("tcp", ("127.0.0.1", 0), remote))
        assert caller.driver.connections == callee.driver.connections == 1


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Server and client, trusting one authority."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "gateway.example").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


async def test_a_call_over_tls() -> None:
    server, client = contexts()
    async with agents("caller", "callee") as (caller, callee):
        caller.driver.client_context = client
        remote = await callee.driver.listen_tls("127.0.0.1", 0, server)
        flow = Flow("tls", ("127.0.0.1", 0), remote)
        assert caller.driver.tls_info(flow) is None
        await whole_call(caller, callee, flow)
        info = caller.driver.tls_info(flow)
        assert info is not None
        assert info[0] == "TLSv1.3"
        assert callee.driver.connections == 1


async def test_the_server_certificate_can_be_changed_while_running() -> None:
    old, _ = contexts()
    new, client = contexts()
    async with agents("caller", "callee") as (caller, callee):
        caller.driver.client_context = client
        remote = await callee.driver.listen_tls("127.0.0.1", 0, old)
        flow = Flow("tls", ("127.0.0.1", 0), remote)
        _, effects = caller.endpoint.request(options(1), flow, caller.now())
        caller.driver.execute(effects)
        assert (await caller.next(RequestFailed)).status == 503
        callee.driver.server_context = new
        caller.driver.server_names[remote] = "gateway.example"
        await whole_call(caller, callee, flow)


async def test_a_certificate_for_another_name_is_refused() -> None:
    server, client = contexts()
    async with agents("caller", "callee") as (caller, callee):
        caller.driver.client_context = client
        remote = await callee.driver.listen_tls("127.0.0.1", 0, server)
        caller.driver.server_names[remote] = "someone.else"
        flow = Flow("tls", ("127.0.0.1", 0), remote)
        _, effects = caller.endpoint.request(options(), flow, caller.now())
        caller.driver.execute(effects)
        assert (await caller.next(RequestFailed)).status == 503
        assert caller.driver.connections == 0


async def test_tls_without_a_context_fails_at_once() -> None:
    async with agents("caller") as (caller,):
        flow = Flow("tls", ("127.0.0.1", 0), ("127.0.0.1", 9))
        _, effects = caller.endpoint.request(options(), flow, caller.now())
        caller.driver.execute(effects)
        assert (await caller.next(RequestFailed)).status == 503


async def test_a_dial_that_is_refused_is_503() -> None:
    async with agents("caller", "gone") as (caller, gone):
        remote = await gone.driver.listen_tcp("127.0.0.1", 0)
        await gone.driver.aclose()
        flow = Flow("tcp", ("127.0.0.1", 0), remote)
        _, effects = caller.endpoint.invite(invite(flow), flow, caller.now())
        caller.driver.execute(effects)
        assert (await caller.next(Refused)).status == 503
        assert caller.driver.connections == 0


async def test_silence_over_udp_times_out_by_the_one_timer() -> None:
    async with agents("caller", "deaf") as (caller, deaf):
        local = await caller.driver.listen_udp("127.0.0.1", 0)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        remote = transport.get_extra_info("sockname")
        flow = Flow("udp", local, remote)
        _, effects = caller.endpoint.request(options(), flow, caller.now())
        caller.driver.execute(effects)
        assert (await caller.next(RequestFailed)).status == 408
        transport.close()
        assert deaf.events.empty()


async def test_an_address_nobody_can_send_to_is_503() -> None:
    async with agents("caller") as (caller,):
        flow = Flow("udp", ("127.0.0.1", 5060), ("127.0.0.1", 9))
        _, effects = caller.endpoint.request(options(), flow, caller.now())
        caller.driver.execute(effects)
        assert (await caller.next(RequestFailed)).status == 503
        await caller.driver.listen_udp("127.0.0.1", 0)
        _, effects = caller.endpoint.request(
            options(2), Flow("udp", ("127.0.0.1", 5060), ("255.255.255.255", 9)), caller.now()
        )
        caller.driver.execute(effects)
        assert (await caller.next(RequestFailed)).status == 503


async def test_a_datagram_too_large_for_most_paths_is_sent_and_reported() -> None:
    """RFC 3261 §18.1.1."""
    async with agents("caller", "callee") as (caller, callee):
        local = await caller.driver.listen_udp("127.0.0.1", 0)
        remote = await callee.driver.listen_udp("127.0.0.1", 0)
        data = request_bytes("MESSAGE", body=b"x" * 1300)
        caller.driver.execute([Send(data, Flow("udp", local, remote))])
        assert (await callee.next(RequestReceived)).request.body == b"x" * 1300
        assert caller.reports[0].kind == "large-datagram"


async def test_messages_in_fragments_and_in_heaps_are_told_one_by_one() -> None:
    async with agents("gateway") as (gateway,):
        gateway.on = lambda event: (
            gateway.endpoint.respond(event.handle, 200, now=gateway.now())
            if isinstance(event, RequestReceived)
            else ()
        )
        host, port = await gateway.driver.listen_tcp("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(host, port)
        one, two, three = (
            request_bytes("OPTIONS", branch=f"z9hG4bK{i}", cseq=i, call_id=f"c{i}")
            for i in (1, 2, 3)
        )
        writer.write(one[:40])
        await writer.drain()
        writer.write(one[40:] + two + three[:-1])
        await writer.drain()
        writer.write(three[-1:])
        for number in (1, 2, 3):
            event = await gateway.next(RequestReceived)
            assert event.request.cseq.number == number
        answers = b""
        while answers.count(b"SIP/2.0 200 OK") < 3:
            answers += await reader.read(4096)
        writer.write(b"\r\n\r\n")  # RFC 5626 §3.5.1: ping
        async with asyncio.timeout(5):
            while not answers.endswith(b"\r\n\r\n\r\n"):
                answers += await reader.read(4096)
        writer.close()


async def test_a_stream_that_cannot_be_cut_is_closed() -> None:
    async with agents("gateway") as (gateway,):
        host, port = await gateway.driver.listen_tcp("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n")
        await gateway.reported("unframed")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        assert gateway.driver.connections == 0


async def test_connections_are_limited_by_source_and_in_all() -> None:
    async with agents("gateway", flow_limits=FlowLimits(connections=5, per_source=2)) as (gateway,):
        host, port = await gateway.driver.listen_tcp("127.0.0.1", 0)
        open_ones = [await asyncio.open_connection(host, port) for _ in range(2)]
        reader, writer = await asyncio.open_connection(host, port)
        assert await closed(reader)
        assert (await gateway.reported("connection-refused")).detail.endswith("one address")
        for _, one in [*open_ones, (reader, writer)]:
            one.close()


async def closed(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(5):
        try:
            return await reader.read(1) == b""
        except ConnectionError:
            return True


async def test_a_connection_that_says_nothing_is_closed() -> None:
    limits = StreamLimits(first_message_s=0.05)
    async with agents("gateway", stream_limits=limits) as (gateway,):
        host, port = await gateway.driver.listen_tcp("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(host, port)
        assert await closed(reader)
        writer.close()


async def test_a_tls_handshake_that_never_comes_is_given_up() -> None:
    server, _ = contexts()
    limits = StreamLimits(handshake_s=0.05)
    async with agents("gateway", stream_limits=limits) as (gateway,):
        host, port = await gateway.driver.listen_tls("127.0.0.1", 0, server)
        reader, writer = await asyncio.open_connection(host, port)
        assert await closed(reader)
        await gateway.reported("connection")
        assert gateway.driver.connections == 0
        writer.close()


async def test_an_answer_goes_back_over_the_connection_of_its_request() -> None:
    async with agents("gateway") as (gateway,):
        host, port = await gateway.driver.listen_tcp("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(request_bytes(body=SDP))
        offered = await gateway.next(Offered)
        assert offered.flow.remote == writer.get_extra_info("sockname")
        gateway.driver.execute(offered.session.refuse(403, gateway.now()))
        status = b""
        while not status.startswith(b"SIP/2.0 403"):
            status = await reader.readline()
        writer.close()


@pytest.mark.parametrize(
    ("data", "status"), [(request_bytes(body=SDP), b"500"), (request_bytes("OPTIONS"), b"500")]
)
async def test_an_exception_of_the_tu_costs_one_message_only(data: bytes, status: bytes) -> None:
    async with agents("gateway") as (gateway,):

        def broken(event: object) -> Iterable[Effect]:
            raise RuntimeError("broken")

        gateway.on = broken
        host, port = await gateway.driver.listen_tcp("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(data)
        assert (await reader.readline()).split()[1] == status
        assert isinstance(gateway.errors[0], RuntimeError)
        assert gateway.reports[0].kind == "tu-error"
        gateway.on = lambda event: ()
        writer.write(request_bytes("MESSAGE", branch="z9hG4bKnext", call_id="next"))
        await gateway.next(RequestReceived)
        writer.close()


async def test_effects_of_an_event_are_queued_and_not_nested() -> None:
    async with agents("gateway") as (gateway,):
        seen: list[object] = []
        depth = 0

        def tu(event: object) -> None:
            nonlocal depth
            depth += 1
            assert depth == 1
            seen.append(event)
            if len(seen) < 500:
                gateway.driver.execute([Deliver(len(seen))])
            depth -= 1

        gateway.driver.tu = tu
        gateway.driver.execute([Deliver("first"), Deliver("second")])
        assert seen[:4] == ["first", "second", 1, 2]
        assert len(seen) >= 500


async def test_reports_of_the_core_reach_the_reporter() -> None:
    async with agents("gateway") as (gateway,):
        gateway.driver.execute([Report("kind", "detail")])
        assert gateway.reports == [Report("kind", "detail")]


async def test_without_a_tu_events_are_dropped() -> None:
    driver = SipDriver(Endpoint(SequenceIds(), FAST, LocalNames()))
    driver.execute([Deliver("nobody")])
    await driver.aclose()


async def test_a_peer_that_stops_reading_is_dropped() -> None:
    limits = StreamLimits(write_buffer=200_000)
    async with agents("gateway", stream_limits=limits) as (gateway,):
        host, port = await gateway.driver.listen_tcp("127.0.0.1", 0)
        _, writer = await asyncio.open_connection(host, port)
        writer.write(request_bytes("OPTIONS"))
        flow = (await gateway.next(RequestReceived)).flow
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(400):
            gateway.driver.execute([Send(b"x" * 60_000, flow)])
            if not gateway.driver.connections:
                break
        assert gateway.driver.connections == 0
        assert any("does not read" in report.detail for report in gateway.reports)
        writer.transport.abort()


async def test_what_waits_for_a_dial_is_bounded() -> None:
    limits = StreamLimits(pending=1000)
    async with agents("gateway", "peer", stream_limits=limits) as (gateway, peer):
        remote = await peer.driver.listen_tcp("127.0.0.1", 0)
        flow = Flow("tcp", ("127.0.0.1", 0), remote)
        gateway.driver.execute([Send(b"x" * 600, flow)])
        assert gateway.driver.connections == 1
        gateway.driver.execute([Send(b"x" * 600, flow)])
        assert gateway.driver.connections == 0


async def test_closing_leaves_no_task_and_no_connection() -> None:
    made: list[Awaitable[None]] = []
    async with agents("caller", "callee") as (caller, callee):
        remote = await callee.driver.listen_tcp("127.0.0.1", 0)
        flow = Flow("tcp", ("127.0.0.1", 0), remote)
        _, effects = caller.endpoint.request(options(), flow, caller.now())
        caller.driver.execute(effects)
        await callee.next(RequestReceived)
        made.append(caller.driver.aclose())
        await made[0]
        assert caller.driver.connections == 0


async def test_a_lost_connection_fails_what_waits_on_it() -> None:
    async with agents("caller", "callee") as (caller, callee):
        remote = await callee.driver.listen_tcp("127.0.0.1", 0)
        flow = Flow("tcp", ("127.0.0.1", 0), remote)
        _, effects = caller.endpoint.request(options(), flow, caller.now())
        caller.driver.execute(effects)
        await callee.next(RequestReceived)
        await callee.driver.aclose()
        assert (await caller.next(RequestFailed)).status == 503


async def test_a_response_ends_the_wait() -> None:
    async with agents("caller", "callee") as (caller, callee):
        callee.on = lambda event: (
            callee.endpoint.respond(event.handle, 200, now=callee.now())
            if isinstance(event, RequestReceived)
            else ()
        )
        local = await caller.driver.listen_udp("127.0.0.1", 0)
        remote = await callee.driver.listen_udp("127.0.0.1", 0)
        _, effects = caller.endpoint.request(options(), Flow("udp", local, remote), caller.now())
        caller.driver.execute(effects)
        assert (await caller.next(ResponseReceived)).response.status == 200


def test_the_standard_reporter_writes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        log_report(Report("kind", "detail"), None)
        log_report(Report("tu-error", "detail"), RuntimeError("broken"))
    assert [record.levelname for record in caplog.records] == ["DEBUG", "ERROR"]
    assert "broken" in caplog.text
