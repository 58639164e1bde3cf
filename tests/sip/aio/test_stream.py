"""One connection, driven by hand through a transport that only notes."""

import asyncio
from typing import cast

from sip.aio.stream import StreamConnection, StreamLimits
from sip.flow import Flow
from tests.support.sip_text import TCP, request_bytes


class Notes:
    """A transport and the hub behind it."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.received_messages: list[bytes] = []
        self.complaints: list[str] = []
        self.losses: list[BaseException | None] = []
        self.aborted = False
        self.buffered = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def abort(self) -> None:
        self.aborted = True

    def get_extra_info(self, name: str) -> object:
        return None

    def received(self, data: bytes, flow: Flow) -> None:
        self.received_messages.append(data)

    def lost(self, connection: StreamConnection, error: BaseException | None) -> None:
        self.losses.append(error)

    def complain(self, kind: str, detail: str, flow: Flow) -> None:
        self.complaints.append(kind)


def connection(notes: Notes, limits: StreamLimits | None = None) -> StreamConnection:
    loop = asyncio.get_running_loop()
    return StreamConnection(loop, TCP, notes, limits or StreamLimits(), dialled=True)


def made(one: StreamConnection, notes: Notes) -> None:
    one.connection_made(cast(asyncio.Transport, notes))


async def test_what_was_written_before_the_connection_goes_out_in_order() -> None:
    notes = Notes()
    one = connection(notes)
    one.write(b"1")
    one.write(b"2")
    assert notes.written == []
    made(one, notes)
    one.write(b"3")
    assert notes.written == [b"1", b"2", b"3"]
    one.abort("end")


async def test_a_loss_is_told_once() -> None:
    notes = Notes()
    one = connection(notes)
    made(one, notes)
    one.abort("first")
    one.abort("second")
    one.connection_lost(None)
    assert [str(error) for error in notes.losses] == ["first"]
    assert notes.aborted
    one.write(b"late")
    assert notes.written == []


async def test_a_connection_made_after_it_was_given_up_is_closed() -> None:
    notes = Notes()
    one = connection(notes)
    one.failed(TimeoutError())
    made(one, notes)
    assert notes.aborted
    one.data_received(request_bytes())
    assert notes.received_messages == []


async def test_a_ping_is_answered_and_a_message_passed_on() -> None:
    notes = Notes()
    one = connection(notes)
    made(one, notes)
    one.data_received(b"\r\n\r\n" + request_bytes())
    assert notes.written == [b"\r\n"]
    assert notes.received_messages == [request_bytes()]
    assert one.tls_info() is None
    one.abort("end")


async def test_nothing_more_is_passed_on_once_the_driver_gave_up() -> None:
    notes = Notes()
    one = connection(notes)
    made(one, notes)
    notes.received = lambda data, flow: one.abort("enough")  # type: ignore[method-assign]
    one.data_received(request_bytes() + request_bytes())
    assert len(notes.losses) == 1


async def test_an_idle_connection_is_closed_and_a_busy_one_is_not() -> None:
    notes = Notes()
    one = connection(notes, StreamLimits(idle_s=0.02))
    made(one, notes)
    async with asyncio.timeout(5):
        while not notes.losses:
            await asyncio.sleep(0.001)
    assert str(notes.losses[0]) == "idle"
