"""Owns `Flow`: the way a message came in and the way its reply goes out (RFC 3261 §18.2.2).

A flow is a value. Sockets and connections live in `sip/aio`, where a flow is the key to one.
"""

from typing import NamedTuple


class Flow(NamedTuple):
    """Transport and both ends of one path.

    `local` is the bound (host, port) of our listener or connection, `remote` the peer's. For an
    outgoing stream that is not dialled yet `local` is the listener's address: the shell dials
    `remote` when it finds no open connection.
    """

    transport: str  # "udp" | "tcp" | "tls"
    local: tuple[str, int]
    remote: tuple[str, int]

    @property
    def reliable(self) -> bool:
        """True for streams: no retransmission timers (RFC 3261 §17)."""
        return self.transport != "udp"

    @property
    def secure(self) -> bool:
        return self.transport == "tls"
