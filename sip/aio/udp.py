"""A UDP listener: datagrams to the driver, bytes to the wire (RFC 3261 §18; R92).

A plain socket drained on each wake-up: an order of magnitude cheaper than asyncio's own transport.
"""

import asyncio
import socket
from collections.abc import Callable

from sip.flow import Flow

DRAIN = 64  # datagrams for each wake-up: timers and connections get their turn in between
LARGEST = 65_535
RECEIVE_BUFFER = 4 << 20  # some seconds of a burst; the kernel may grant less


class UdpListener:
    """One bound socket. `address` is the real (host, port)."""

    __slots__ = ("_loop", "_receive", "_sock", "address", "family")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        receive: Callable[[bytes, Flow], None],
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._receive = receive
        bound = sock.getsockname()
        self.address: tuple[str, int] = (bound[0], bound[1])
        self.family = 6 if sock.family == socket.AF_INET6 else 4
        loop.add_reader(sock.fileno(), self._drain)

    def send(self, data: bytes, remote: tuple[str, int]) -> OSError | None:
        """Put one datagram on the wire; the error when the system refuses it."""
        try:
            self._sock.sendto(data, remote)
        except OSError as error:
            return error
        return None

    def close(self) -> None:
        self._loop.remove_reader(self._sock.fileno())
        self._sock.close()

    def _drain(self) -> None:
        receive_from, receive, local = self._sock.recvfrom, self._receive, self.address
        for _ in range(DRAIN):
            try:
                data, source = receive_from(LARGEST)
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP error of an earlier datagram, reported here by some systems
            receive(data, Flow("udp", local, (source[0], source[1])))
            if self._sock.fileno() < 0:
                return  # closed by what the datagram brought about


def bind(kind: socket.SocketKind, host: str, port: int) -> socket.socket:
    """A non-blocking socket bound to a literal address; port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_DGRAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock
