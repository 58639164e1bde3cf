"""The sockets of one leg: drained, marked, forgiving."""

import asyncio
import os
import socket
import time

from media.aio.relay import PythonRelay, RelaySettings
from media.aio.wire import BATCH, MAX_DATAGRAM
from media.plane import MediaFailed, MediaOpened, Side, StreamEnd
from media.rtp import packet

HOST = "127.0.0.1"


class Pair:
    """One relayed stream with a plain socket on each side."""

    def __init__(self) -> None:
        settings = RelaySettings({4: HOST}, {4: HOST}, 40000, 60000)
        self.relay = PythonRelay(settings, clock=time.monotonic, octets=os.urandom)
        answers: list[MediaOpened | MediaFailed] = []
        self.relay.open("m", 1, answers.append)
        assert isinstance(answers[0], MediaOpened)
        self.opened = answers[0]
        self.sockets = {}
        for side in Side:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.bind((HOST, 0))
            made.setblocking(False)
            self.sockets[side] = made
            self.relay.update("m", side, (StreamEnd(made.getsockname()),))

    def send(self, data: bytes) -> None:
        self.sockets[Side.A].sendto(data, self.opened.a[0])

    async def heard(self) -> bytes:
        async with asyncio.timeout(3):
            return await asyncio.get_running_loop().sock_recv(self.sockets[Side.B], 4096)

    async def aclose(self) -> None:
        await self.relay.aclose()
        for each in self.sockets.values():
            each.close()


async def test_more_packets_than_one_batch_all_arrive_in_order():
    pair = Pair()
    sent = [packet(0, at, at, 1, b"x") for at in range(BATCH * 2 + 1)]
    for each in sent:
        pair.send(each)
    assert [await pair.heard() for _ in sent] == sent
    await pair.aclose()


async def test_packets_carry_the_mark_of_telephony():
    """RFC 4594 §4.1: expedited forwarding."""
    pair = Pair()
    pair.sockets[Side.B].setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    pair.send(packet(0, 1, 1, 1, b"x"))
    async with asyncio.timeout(3):
        while True:
            try:
                _, ancillary, _, _ = pair.sockets[Side.B].recvmsg(MAX_DATAGRAM, 64)
                break
            except BlockingIOError:
                await asyncio.sleep(0.001)
    assert [data[0] >> 2 for _, _, data in ancillary] == [46]
    await pair.aclose()


async def test_a_peer_whose_port_is_closed_does_not_stop_the_others_packets():
    pair = Pair()
    pair.relay.update("m", Side.A, (StreamEnd((HOST, 9)),))
    for at in range(3):
        pair.sockets[Side.B].sendto(packet(0, at, at, 1, b"x"), pair.opened.b[0])
    pair.send(packet(0, 1, 1, 1, b"x"))
    assert await pair.heard() == packet(0, 1, 1, 1, b"x")
    await pair.aclose()


async def test_a_datagram_that_was_cut_is_not_passed_on():
    pair = Pair()
    pair.send(packet(0, 1, 1, 1, bytes(MAX_DATAGRAM)))
    pair.send(packet(0, 2, 2, 1, b"x"))
    assert await pair.heard() == packet(0, 2, 2, 1, b"x")
    assert pair.relay.report("m").a[0].dropped_malformed == 1
    await pair.aclose()
