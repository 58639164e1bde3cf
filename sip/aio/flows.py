"""Owns the table of stream flows, by which messages go back the way they came, and its limits.

A connection is in the table from the moment it is accepted or dialled until it is lost.
"""

from dataclasses import dataclass

from sip.aio.stream import StreamConnection
from sip.flow import Flow


@dataclass(frozen=True, slots=True)
class FlowLimits:
    """How many connections may be open, in all and from one address."""

    connections: int = 10_000
    per_source: int = 200


class FlowTable:
    __slots__ = ("_by_flow", "_limits", "_per_source")

    def __init__(self, limits: FlowLimits) -> None:
        self._limits = limits
        self._by_flow: dict[Flow, StreamConnection] = {}
        self._per_source: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._by_flow)

    def refuses(self, host: str) -> str | None:
        """Why one more connection from `host` may not be opened; None when it may."""
        if len(self._by_flow) >= self._limits.connections:
            return "too many connections"
        if self._per_source.get(host, 0) >= self._limits.per_source:
            return "too many connections from one address"
        return None

    def get(self, flow: Flow) -> StreamConnection | None:
        return self._by_flow.get(flow)

    def add(self, connection: StreamConnection) -> None:
        flow = connection.flow
        host = flow.remote[0]
        if flow not in self._by_flow:
            self._per_source[host] = self._per_source.get(host, 0) + 1
        self._by_flow[flow] = connection

    def remove(self, connection: StreamConnection) -> None:
        """Forget a connection, if it is the one its flow still means."""
        flow = connection.flow
        if self._by_flow.get(flow) is not connection:
            return
        del self._by_flow[flow]
        host = flow.remote[0]
        left = self._per_source[host] - 1
        if left:
            self._per_source[host] = left
        else:
            del self._per_source[host]

    def all(self) -> list[StreamConnection]:
        return list(self._by_flow.values())
