"""What is the Python engine's own; what every engine does is in the contract suite."""

import asyncio
import gc
import os
import socket
import time

import pytest

from media.aio.relay import PythonRelay, RelaySettings
from media.errors import MediaError
from media.plane import MediaFailed, MediaOpened, Side, StreamEnd

HOST = "127.0.0.1"


def relay(low: int = 40000, high: int = 60000, silence_s: float = 30.0, events=None):
    settings = RelaySettings({4: HOST}, {4: "203.0.113.1"}, low, high, silence_s=silence_s)
    return PythonRelay(settings, clock=time.monotonic, octets=os.urandom, events=events)


async def test_the_advertised_address_may_differ_from_the_bound_one():
    made = relay()
    answers: list[MediaOpened | MediaFailed] = []
    made.open("m", 1, answers.append)
    (opened,) = answers
    assert isinstance(opened, MediaOpened)
    assert opened.a[0][0] == opened.b[0][0] == "203.0.113.1"
    await made.aclose()


async def test_silence_is_reported_without_being_asked():
    heard: asyncio.Queue[tuple[str, Side]] = asyncio.Queue()

    class Events:
        def silent(self, session_id: str, side: Side, silent_s: float) -> None:
            assert silent_s >= 0.05
            heard.put_nowait((session_id, side))

    made = relay(silence_s=0.05, events=Events())
    made.open("m", 1, lambda _: None)
    made.update("m", Side.B, (StreamEnd(("192.0.2.1", 9)),))
    async with asyncio.timeout(3):
        assert await heard.get() == ("m", Side.B)
    await made.aclose()


async def test_an_event_may_close_its_own_session():
    class Events:
        def silent(self, session_id: str, side: Side, silent_s: float) -> None:
            made.close(session_id, lambda _: None)

    made = relay(silence_s=0.0, events=Events())
    made.open("m", 1, lambda _: None)
    for side in Side:
        made.update("m", side, (StreamEnd(("192.0.2.1", 9)),))
    made.tick()
    with pytest.raises(MediaError):
        made.report("m")
    await made.aclose()


async def test_a_port_somebody_else_has_is_passed_over():
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind((HOST, 0))
    low = taken.getsockname()[1] & ~1
    settings = RelaySettings({4: HOST}, {4: HOST}, low, low + 41)
    made = PythonRelay(settings, clock=time.monotonic, octets=bytes)  # draws the taken port first
    answers: list[MediaOpened | MediaFailed] = []
    made.open("m", 1, answers.append)
    (opened,) = answers
    assert isinstance(opened, MediaOpened)
    assert low not in (opened.a[0][1], opened.b[0][1])
    await made.aclose()
    taken.close()


async def test_a_failed_open_leaves_no_session_behind():
    answers: list[MediaOpened | MediaFailed] = []
    made = relay(40000, 40000)
    made.open("m", 1, answers.append)
    assert answers == [MediaFailed("media ports are used up")]
    with pytest.raises(MediaError):
        made.report("m")
    await made.aclose()


async def test_a_session_that_is_not_open_is_an_error():
    made = relay()
    with pytest.raises(MediaError):
        made.close("m", lambda _: None)
    await made.aclose()


async def test_closing_the_engine_closes_every_socket():
    gc.collect()  # what earlier tests left to the collector must not be closed in between
    before = len(os.listdir("/proc/self/fd"))
    made = relay()
    for each in range(5):
        made.open(str(each), 2, lambda _: None)
    assert len(os.listdir("/proc/self/fd")) == before + 40
    await made.aclose()
    assert len(os.listdir("/proc/self/fd")) == before
