"""The table of stream flows and its limits."""

import asyncio

from sip.aio.flows import FlowLimits, FlowTable
from sip.aio.stream import StreamConnection, StreamLimits
from sip.flow import Flow
from tests.support.sip_text import TCP


class Hub:
    def received(self, data: bytes, flow: Flow) -> None: ...

    def lost(self, connection: StreamConnection, error: BaseException | None) -> None: ...

    def complain(self, kind: str, detail: str, flow: Flow) -> None: ...


def connection(flow: Flow) -> StreamConnection:
    loop = asyncio.get_running_loop()
    return StreamConnection(loop, flow, Hub(), StreamLimits(), dialled=True)


def from_port(port: int, host: str = "192.0.2.10") -> Flow:
    return TCP._replace(remote=(host, port))


async def test_a_connection_is_found_by_its_flow_until_it_is_removed() -> None:
    table = FlowTable(FlowLimits())
    one = connection(from_port(1))
    table.add(one)
    assert table.get(from_port(1)) is one
    assert table.get(from_port(2)) is None
    assert table.all() == [one]
    table.remove(one)
    table.remove(one)
    assert table.get(from_port(1)) is None
    assert len(table) == 0


async def test_a_successor_on_the_same_flow_survives_the_loss_of_the_first() -> None:
    table = FlowTable(FlowLimits(per_source=1))
    first, second = connection(from_port(1)), connection(from_port(1))
    table.add(first)
    table.add(second)
    table.remove(first)
    assert table.get(from_port(1)) is second
    table.remove(second)
    assert table.refuses("192.0.2.10") is None


async def test_both_limits_say_why() -> None:
    table = FlowTable(FlowLimits(connections=3, per_source=2))
    for port in (1, 2):
        table.add(connection(from_port(port)))
    assert table.refuses("192.0.2.10") == "too many connections from one address"
    assert table.refuses("192.0.2.11") is None
    table.add(connection(from_port(1, "192.0.2.11")))
    assert table.refuses("192.0.2.12") == "too many connections"
