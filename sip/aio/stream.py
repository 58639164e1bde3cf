"""TCP and TLS connections: accepting, dialling, idle close, limits (RFC 3261 §18, RFC 5626; R88).

A connection is one flow for all its life. TLS contexts come from outside and are asked for anew
with each connection, so that certificates can be changed while calls are up.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from sip.errors import RemoteProtocolError
from sip.flow import Flow
from sip.parser import DEFAULT, Limits
from sip.stream import PONG, KeepAlive, StreamFramer

ACCEPTS = 64  # connections taken for each wake-up
OUT_OF_FILES_PAUSE_S = 1.0
KEEPALIVE = {socket.TCP_KEEPIDLE: 60, socket.TCP_KEEPINTVL: 20, socket.TCP_KEEPCNT: 3}


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Octets and seconds for each connection."""

    pending: int = 256 << 10  # waiting for the dial to succeed
    write_buffer: int = 1 << 20  # the peer reads too slowly: drop it
    first_message_s: float = 30.0  # an accepted connection has to say something sensible
    idle_s: float = 3900.0  # above the usual hour between registrations
    dial_s: float = 10.0
    handshake_s: float = 10.0


class StreamHub(Protocol):
    """What a connection tells the driver."""

    def received(self, data: bytes, flow: Flow) -> None: ...

    def lost(self, connection: "StreamConnection", error: BaseException | None) -> None: ...

    def complain(self, kind: str, detail: str, flow: Flow) -> None: ...


class StreamConnection(asyncio.Protocol):
    """One connection; writes made while it is still dialled wait, up to a limit."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        flow: Flow,
        hub: StreamHub,
        limits: StreamLimits,
        message_limits: Limits = DEFAULT,
        *,
        dialled: bool,
    ) -> None:
        self.flow = flow
        self._loop = loop
        self._hub = hub
        self._limits = limits
        self._framer = StreamFramer(message_limits)
        self._transport: asyncio.Transport | None = None
        self._pending: list[bytes] = []
        self._pending_octets = 0
        self._closed = False
        self._idle_s = limits.idle_s if dialled else limits.first_message_s
        self._active_at = loop.time()
        self._idle_timer: asyncio.TimerHandle | None = None

    # -- for the driver

    def write(self, data: bytes) -> None:
        transport = self._transport
        if self._closed:
            return
        if transport is None:
            self._pending_octets += len(data)
            if self._pending_octets > self._limits.pending:
                self.abort("more waits for the dial than is allowed")
            else:
                self._pending.append(data)
            return
        transport.write(data)
        if transport.get_write_buffer_size() > self._limits.write_buffer:
            self.abort("the peer does not read")

    def abort(self, reason: str) -> None:
        """Close at once; the driver hears of it as a loss."""
        if self._closed:
            return
        if self._transport is not None:
            self._transport.abort()
        self._close(ConnectionError(reason))

    def failed(self, error: BaseException) -> None:
        """The dial or the handshake did not succeed."""
        self._close(error)

    def closed(self) -> bool:
        return self._closed

    def tls_info(self) -> tuple[str, str] | None:
        """TLS version and cipher; None on TCP, or before the handshake is done."""
        found = None if self._transport is None else self._transport.get_extra_info("ssl_object")
        if found is None:
            return None
        tls = cast(ssl.SSLObject, found)
        cipher = tls.cipher()
        return (tls.version() or "", cipher[0] if cipher else "")

    # -- for asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self._closed:
            self._transport.abort()
            return
        self._active_at = self._loop.time()
        self._watch_idle()
        for data in self._pending:
            self._transport.write(data)
        self._pending.clear()

    def data_received(self, data: bytes) -> None:
        if self._closed:
            return
        try:
            items = self._framer.feed(data)
        except RemoteProtocolError as error:
            self._hub.complain("unframed", str(error), self.flow)
            self.abort(str(error))
            return
        for item in items:
            self._active_at = self._loop.time()
            if item is KeepAlive.PING:
                self.write(PONG)
            elif isinstance(item, bytes):
                self._idle_s = self._limits.idle_s
                self._hub.received(item, self.flow)
            if self.closed():
                return

    def connection_lost(self, exc: Exception | None) -> None:
        self._close(exc)

    def _close(self, error: BaseException | None) -> None:
        if self._closed:
            return
        self._closed = True
        self._pending.clear()
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._hub.lost(self, error)

    def _watch_idle(self) -> None:
        left = self._active_at + self._idle_s - self._loop.time()
        if left <= 0:
            self.abort("idle")
            return
        # Look again soon enough to see the first-message limit, which may have been lifted since.
        self._idle_timer = self._loop.call_later(left, self._watch_idle)


class StreamListener:
    """A listening socket that asks `admit` before it spends a handshake on anyone."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        admit: Callable[[socket.socket, Flow], None],
        transport: str,
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._admit = admit
        self._transport = transport
        self._resume: asyncio.TimerHandle | None = None
        bound = sock.getsockname()
        self.address: tuple[str, int] = (bound[0], bound[1])
        sock.listen(1024)
        loop.add_reader(sock.fileno(), self._accept)

    def close(self) -> None:
        if self._resume is not None:
            self._resume.cancel()
        else:
            self._loop.remove_reader(self._sock.fileno())
        self._sock.close()

    def _accept(self) -> None:
        for _ in range(ACCEPTS):
            try:
                sock, remote = self._sock.accept()
                local = sock.getsockname()
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # gone before we looked
            except OSError:
                # Out of descriptors: the connection stays in the queue, all we can do is wait.
                self._loop.remove_reader(self._sock.fileno())
                self._resume = self._loop.call_later(OUT_OF_FILES_PAUSE_S, self._start_again)
                return
            flow = Flow(self._transport, (local[0], local[1]), (remote[0], remote[1]))
            try:
                prepare(sock)
            except OSError:
                sock.close()  # gone before we looked
            else:
                self._admit(sock, flow)

    def _start_again(self) -> None:
        self._resume = None
        self._loop.add_reader(self._sock.fileno(), self._accept)


def prepare(sock: socket.socket) -> None:
    """Options of every connection: a peer behind NAT that vanished is found out in minutes."""
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE.items():
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
