"""UDP sockets on loopback."""

import asyncio
import socket

import pytest

from sip.aio.udp import DRAIN, UdpListener, bind
from sip.flow import Flow


async def listener(received: list[tuple[bytes, Flow]], host: str = "127.0.0.1") -> UdpListener:
    sock = bind(socket.SOCK_DGRAM, host, 0)
    return UdpListener(
        asyncio.get_running_loop(), sock, lambda data, flow: received.append((data, flow))
    )


async def until(received: list[tuple[bytes, Flow]], count: int) -> None:
    async with asyncio.timeout(5):
        while len(received) < count:
            await asyncio.sleep(0)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_datagram_comes_with_its_flow(host: str) -> None:
    received: list[tuple[bytes, Flow]] = []
    one, two = await listener([], host), await listener(received, host)
    assert one.family == (6 if ":" in host else 4)
    assert one.send(b"hello", two.address) is None
    await until(received, 1)
    assert received == [(b"hello", Flow("udp", two.address, one.address))]
    one.close()
    two.close()


async def test_a_burst_longer_than_one_drain_is_read_to_its_end() -> None:
    received: list[tuple[bytes, Flow]] = []
    one, two = await listener([]), await listener(received)
    for number in range(3 * DRAIN):
        assert one.send(str(number).encode(), two.address) is None
    await until(received, 3 * DRAIN)
    assert [data for data, _ in received] == [str(n).encode() for n in range(3 * DRAIN)]
    one.close()
    two.close()


async def test_what_the_system_refuses_comes_back_as_its_error() -> None:
    one = await listener([])
    assert isinstance(one.send(b"x" * 70_000, one.address), OSError)
    one.close()


async def test_closing_within_a_datagram_ends_the_drain() -> None:
    received: list[bytes] = []
    sender = await listener([])
    sock = bind(socket.SOCK_DGRAM, "127.0.0.1", 0)

    def receive(data: bytes, flow: Flow) -> None:
        received.append(data)
        one.close()

    one = UdpListener(asyncio.get_running_loop(), sock, receive)
    for _ in range(3):
        sender.send(b"x", one.address)
    async with asyncio.timeout(5):
        while not received:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert received == [b"x"]
    sender.close()


def test_a_port_in_use_is_an_error_and_leaks_no_socket() -> None:
    with (
        bind(socket.SOCK_DGRAM, "127.0.0.1", 0) as first,
        pytest.raises(OSError, match="in use"),
    ):
        bind(socket.SOCK_DGRAM, "127.0.0.1", first.getsockname()[1])
