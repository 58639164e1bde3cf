"""The loop of the SIP core: stamps `now`, feeds the endpoint, executes effects, keeps one timer.

Effects are executed inline from one queue, so that a TU which answers within its event recurses
into nothing. What the TU, or the core, lets escape as an exception is caught here and nowhere else:
it costs the message that caused it.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from typing import Protocol

from sip.aio.flows import FlowLimits, FlowTable
from sip.aio.stream import StreamConnection, StreamLimits, StreamListener, prepare
from sip.aio.udp import UdpListener, bind
from sip.effects import Deliver, Effect, Report, Send
from sip.endpoint import Endpoint, RequestReceived
from sip.flow import Flow
from sip.invite.events import Offered
from sip.parser import DEFAULT, Limits
from sip.target import family

# RFC 3261 §18.1.1: above this a request should not take UDP, for fragments get lost on the way.
LARGE_DATAGRAM = 1300

# Timers are looked at this much after the first is due: one tick then serves all that fell due, and
# no rounding of the loop's to milliseconds wakes us before anything is.
TICK_S = 0.01

_log = logging.getLogger(__name__)

EventHandler = Callable[[object], None]
Reporter = Callable[[Report, BaseException | None], None]


class Clock(Protocol):
    def now(self) -> float:
        """Monotonic seconds."""
        ...


class _SystemClock:
    def now(self) -> float:
        return time.monotonic()


def log_report(report: Report, error: BaseException | None) -> None:
    """The reporter used when no other is given."""
    level = logging.ERROR if error is not None else logging.DEBUG
    _log.log(level, "%s: %s (%s)", report.kind, report.detail, report.flow, exc_info=error)


class SipDriver:
    """Attributes may be changed while running: `tu`, `report`, `flow_lost`, `turns_away` and the
    two TLS contexts.

    `server_names` says which name the certificate behind an address we dial must carry; without an
    entry it is the address itself.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        clock: Clock | None = None,
        tu: EventHandler | None = None,
        *,
        report: Reporter = log_report,
        client_context: ssl.SSLContext | None = None,
        flow_limits: FlowLimits | None = None,
        stream_limits: StreamLimits | None = None,
        message_limits: Limits = DEFAULT,
    ) -> None:
        self.endpoint = endpoint
        self.tu = tu
        self.report = report
        self.client_context = client_context
        self.flow_lost: Callable[[Flow], None] | None = None  # a stream connection closed
        self.turns_away: Callable[[bytes, Flow], bool] | None = None  # True: drop it unread
        self.server_context: ssl.SSLContext | None = None
        self.server_names: dict[tuple[str, int], str] = {}
        self._clock = clock if clock is not None else _SystemClock()
        self._stream_limits = stream_limits or StreamLimits()
        self._message_limits = message_limits
        self._flows = FlowTable(flow_limits or FlowLimits())
        self._udp: dict[tuple[str, int], UdpListener] = {}
        self._listeners: list[StreamListener] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._queue: deque[Effect] = deque()
        self._executing = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._closed = False

    # -- for the gateway

    async def listen_udp(self, host: str, port: int) -> tuple[str, int]:
        """Bind a literal address; returns the real (host, port)."""
        sock = bind(socket.SOCK_DGRAM, host, port)
        listener = UdpListener(asyncio.get_running_loop(), sock, self.received)
        self._udp[listener.address] = listener
        return listener.address

    async def listen_tcp(self, host: str, port: int) -> tuple[str, int]:
        return self._listen("tcp", host, port)

    async def listen_tls(self, host: str, port: int, context: ssl.SSLContext) -> tuple[str, int]:
        """`context` becomes `server_context`; later connections use whatever that is then."""
        self.server_context = context
        return self._listen("tls", host, port)

    def execute(self, effects: Iterable[Effect]) -> None:
        """Carry effects out in order; called from within an event it returns at once."""
        self._queue.extend(effects)
        if self._executing:
            return
        self._executing = True
        queue = self._queue
        try:
            while queue:
                effect = queue.popleft()
                if isinstance(effect, Send):
                    self._send(effect.data, effect.flow)
                elif isinstance(effect, Deliver):
                    self._deliver(effect.event)
                elif isinstance(effect, Report):
                    self.report(effect, None)
        finally:
            self._executing = False
        self._arm()

    def tls_info(self, flow: Flow) -> tuple[str, str] | None:
        """TLS version and cipher of an open flow."""
        connection = self._flows.get(flow)
        return None if connection is None else connection.tls_info()

    @property
    def connections(self) -> int:
        """Stream connections, half-open ones included."""
        return len(self._flows)

    async def aclose(self) -> None:
        """Close every socket; what is still unanswered stays so."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for udp in self._udp.values():
            udp.close()
        self._udp.clear()
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        for connection in self._flows.all():
            connection.abort("closing")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close their sockets in the next turn of the loop

    # -- what comes in

    def received(self, data: bytes, flow: Flow) -> None:
        """One whole message, from a datagram or a stream."""
        if self.turns_away is not None and self.turns_away(data, flow):
            return
        self._run(self.endpoint.receive, data, flow)

    def lost(self, connection: StreamConnection, error: BaseException | None) -> None:
        """A connection is gone, or never came to be."""
        self._flows.remove(connection)
        if self._closed:
            return
        if error is not None:
            self.complain("connection", str(error) or type(error).__name__, connection.flow)
        self._fail(connection.flow)
        if self.flow_lost is not None:
            self.flow_lost(connection.flow)

    def complain(self, kind: str, detail: str, flow: Flow) -> None:
        self.report(Report(kind, detail, flow), None)

    def _run(
        self, receive: Callable[[bytes, Flow, float], list[Effect]], data: bytes, flow: Flow
    ) -> None:
        try:
            effects = receive(data, flow, self._clock.now())
        except Exception as error:
            self.report(Report("core-error", str(error), flow), error)
            return
        self.execute(effects)

    def _fail(self, flow: Flow) -> None:
        """Tell the core; inside `execute` the consequences only join the queue."""
        self.execute(self.endpoint.flow_failed(flow, self._clock.now()))

    # -- what goes out

    def _deliver(self, event: object) -> None:
        if self.tu is None:
            return
        try:
            self.tu(event)
        except Exception as error:
            self.report(Report("tu-error", type(event).__name__, None), error)
            # What the TU dropped is refused, so that no peer waits for an answer in vain.
            now = self._clock.now()
            if isinstance(event, Offered):
                self._queue.extend(event.session.refuse(500, now))
            elif isinstance(event, RequestReceived):
                self._queue.extend(self.endpoint.respond(event.handle, 500, now=now))

    def _send(self, data: bytes, flow: Flow) -> None:
        if flow.transport == "udp":
            self._send_datagram(data, flow)
            return
        connection = self._flows.get(flow)
        if connection is None:
            connection = self._dial(flow)
        if connection is not None:
            connection.write(data)

    def _send_datagram(self, data: bytes, flow: Flow) -> None:
        listener = self._udp.get(flow.local) or self._any_udp(family(flow.remote[0]))
        if listener is None:
            self.complain("no-socket", f"no UDP listener for {flow.remote[0]}", flow)
            self._fail(flow)
            return
        if len(data) > LARGE_DATAGRAM:
            self.complain("large-datagram", f"{len(data)} octets", flow)
        error = listener.send(data, flow.remote)
        if isinstance(error, BlockingIOError):
            self.complain("send-buffer-full", "datagram dropped", flow)  # retransmission heals it
        elif error is not None:
            self.complain("send", str(error), flow)
            self._fail(flow)

    def _any_udp(self, ip_family: int) -> UdpListener | None:
        return next((udp for udp in self._udp.values() if udp.family == ip_family), None)

    # -- connections

    def _listen(self, transport: str, host: str, port: int) -> tuple[str, int]:
        sock = bind(socket.SOCK_STREAM, host, port)
        loop = asyncio.get_running_loop()
        listener = StreamListener(loop, sock, self._admit, transport)
        self._listeners.append(listener)
        return listener.address

    def _admit(self, sock: socket.socket, flow: Flow) -> None:
        """A connection was accepted; TLS comes after the limits."""
        refused = self._flows.refuses(flow.remote[0])
        if refused is not None:
            sock.close()
            self.complain("connection-refused", refused, flow)
            return
        connection = self._new_connection(flow, dialled=False)
        self._spawn(self._welcome(connection, sock), connection, sock)

    async def _welcome(self, connection: StreamConnection, sock: socket.socket) -> None:
        tls = connection.flow.secure
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: connection,
            sock,
            ssl=self.server_context if tls else None,
            ssl_handshake_timeout=self._stream_limits.handshake_s if tls else None,
        )

    def _dial(self, flow: Flow) -> StreamConnection | None:
        refused = "closed" if self._closed else self._flows.refuses(flow.remote[0])
        if flow.secure and self.client_context is None:
            refused = "no TLS client context"
        sock: socket.socket | None = None
        if refused is None:
            try:
                sock = socket.socket(socket.AF_INET6 if ":" in flow.remote[0] else socket.AF_INET)
                prepare(sock)
            except OSError as error:  # out of descriptors
                refused = str(error)
        if refused is not None or sock is None:
            self.complain("dial-refused", refused or "", flow)
            self._fail(flow)
            return None
        connection = self._new_connection(flow, dialled=True)
        self._spawn(self._connect(connection, sock), connection, sock)
        return connection

    async def _connect(self, connection: StreamConnection, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        remote = connection.flow.remote
        limits = self._stream_limits
        async with asyncio.timeout(limits.dial_s):
            await loop.sock_connect(sock, remote)
        if not connection.flow.secure:
            await loop.create_connection(lambda: connection, sock=sock)
            return
        await loop.create_connection(
            lambda: connection,
            sock=sock,
            ssl=self.client_context,
            server_hostname=self.server_names.get(remote, remote[0]),
            ssl_handshake_timeout=limits.handshake_s,
        )

    def _new_connection(self, flow: Flow, *, dialled: bool) -> StreamConnection:
        connection = StreamConnection(
            asyncio.get_running_loop(),
            flow,
            self,
            self._stream_limits,
            self._message_limits,
            dialled=dialled,
        )
        self._flows.add(connection)
        return connection

    def _spawn(
        self,
        coroutine: Coroutine[None, None, None],
        connection: StreamConnection,
        sock: socket.socket,
    ) -> None:
        """Run a dial or a handshake; when it fails the connection is lost and the socket closed."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)

        def finished(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if task.cancelled():
                sock.close()
                return
            error = task.exception()
            if error is None:
                return
            sock.close()
            if not isinstance(error, OSError):  # TimeoutError and SSLError are OSErrors
                self.report(Report("core-error", str(error), connection.flow), error)
            connection.failed(error)

        task.add_done_callback(finished)

    # -- time

    def _arm(self) -> None:
        """One timer, moved only when something is due earlier: a tick too early costs little."""
        deadline = self.endpoint.deadline
        if deadline is None or self._closed:
            return
        if self._timer is not None:
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        self._timer_at = deadline
        delay_s = max(0.0, deadline - self._clock.now()) + TICK_S
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _tick(self) -> None:
        self._timer = None
        try:
            effects = self.endpoint.tick(self._clock.now())
        except Exception as error:
            self.report(Report("core-error", str(error), None), error)
            effects = []
        self.execute(effects)
