"""Owns by which address a peer reaches us: what is configured, else our address towards that peer.

Asking the kernel for a route sends nothing; the answers are cached and bounded.
"""

import socket
from functools import lru_cache

from gateway.aio.media_control import WILDCARDS
from sip.flow import Flow
from sip.target import LocalNames, family


@lru_cache(maxsize=10_000)
def address_towards(host: str) -> str:
    """Our own address on the route to `host`; loopback when there is no route."""
    is_v6 = ":" in host
    with socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))  # a datagram socket: only the route is looked up
        except OSError:
            return "::1" if is_v6 else "127.0.0.1"
        found: str = probe.getsockname()[0]
        return found


class RoutedNames(LocalNames):
    """`advertise` names a transport and family for good; the rest is told per peer.

    `listening` keeps the port of each listener: a connection we dialled ourselves has a local port
    nobody can call back.
    """

    __slots__ = ("_media", "_ports")

    def __init__(self, media: dict[int, str] | None = None) -> None:
        super().__init__()
        self._ports: dict[tuple[str, int], int] = {}
        self._media = dict(media or {})  # family -> advertised address

    def listening(self, transport: str, ip_family: int, port: int) -> None:
        self._ports.setdefault((transport, ip_family), port)

    def sent_by(self, flow: Flow) -> tuple[str, int]:
        ip_family = family(flow.remote[0])
        told = self._names.get((flow.transport, ip_family))
        if told is not None:
            return told
        host, port = flow.local
        if host in WILDCARDS:
            host = address_towards(flow.remote[0])
        return host, self._ports.get((flow.transport, ip_family), port)

    def media_host(self, flow: Flow, ip_family: int) -> str:
        return self._media.get(ip_family) or address_towards(flow.remote[0])
