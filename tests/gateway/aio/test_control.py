"""The control socket: its limits, and that nothing a client does harms the gateway."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gateway import control_wire as wire
from gateway.aio.control import ControlLimits, ControlServer, SocketTaken, listen
from tests.support import factories as make
from tests.support.desk import Stage, turns
from tests.support.shell import KeptJournal


@asynccontextmanager
async def opened(
    tmp_path: Path, stage: Stage | None = None, **limits: Any
) -> AsyncIterator[tuple[Path, Stage, ControlServer]]:
    stage = stage or Stage()
    path = tmp_path / "control.sock"
    server = ControlServer(path, stage.desk, stage.log, ControlLimits(**limits))
    await server.open()
    try:
        yield path, stage, server
    finally:
        await server.aclose()
        for client in Client.open:
            client.writer.close()
        Client.open.clear()
        await turns()


class Client:
    """A connection by hand; those that are open close with the server of their test."""

    open: ClassVar[list["Client"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.open.append(self)

    @classmethod
    async def to(cls, path: Path) -> "Client":
        return cls(*await asyncio.open_unix_connection(str(path), limit=wire.MAX_ANSWER))

    async def say(self, line: bytes) -> Any:
        self.writer.write(line)
        return await self.hear()

    async def ask(self, verb: str, id: int = 1, **args: object) -> Any:
        return await self.say(wire.ask_line(id, verb, args))

    async def hear(self) -> Any:
        """The next answer; None when the connection is closed."""
        async with asyncio.timeout(5):
            line = await self.reader.readline()
        return json.loads(line) if line else None


async def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    async with opened(tmp_path) as (path, _, _):
        assert path.stat().st_mode & 0o777 == 0o600
        assert [each.name for each in tmp_path.iterdir()] == ["control.sock"]
    assert not path.exists()


async def test_one_connection_asks_several_and_each_answer_has_its_id(tmp_path: Path) -> None:
    async with opened(tmp_path) as (path, stage, _):
        client = await Client.to(path)
        asked = [wire.ask_line(i, "profile.show", {"profile": "1"}) for i in range(5)]
        client.writer.write(b"".join(asked))
        answers = [await client.hear() for _ in asked]
        assert [each["id"] for each in answers] == [0, 1, 2, 3, 4]
        assert answers[0]["result"]["profile"]["name"] == "Profile.1"
        await client.ask("profile.set", profile="1", name="New")
        assert stage.hot.profile_by_id[1].name == "New"


async def test_nonsense_is_answered_and_the_connection_goes_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as (path, _, _):
        client = await Client.to(path)
        assert (await client.say(b"nonsense\n"))["error"]["code"] == "BAD_MESSAGE"
        assert (await client.say(b'{"id":7}\n'))["id"] == 7
        answer = await client.ask("sing")
        assert answer["error"]["code"] == "UNKNOWN_VERB"
        assert "status" in answer["error"]["sentence"]
        assert (await client.ask("profile.show", profile="9"))["error"]["code"] == "NOT_FOUND"
        assert (await client.ask("status"))["result"] == {"status": "ok"}


async def test_a_message_that_is_too_long_ends_the_connection(tmp_path: Path) -> None:
    async with opened(tmp_path) as (path, _, _):
        client = await Client.to(path)
        told = await client.say(b"x" * (wire.MAX_REQUEST + 70_000))
        assert told["error"]["code"] == "TOO_LONG"
        with suppress(ConnectionError):  # closed with octets of ours unread
            assert await client.hear() is None
        assert (await (await Client.to(path)).ask("status"))["result"]


async def test_no_more_clients_than_allowed(tmp_path: Path) -> None:
    async with opened(tmp_path, clients=2) as (path, _, _):
        first, second = await Client.to(path), await Client.to(path)
        assert (await first.ask("status"))["result"]
        assert (await second.ask("status"))["result"]
        third = await Client.to(path)
        assert (await third.hear())["error"]["code"] == "BUSY"
        assert await third.hear() is None
        first.writer.close()
        await first.writer.wait_closed()
        while True:  # the place is free as soon as the server has noticed
            again = await Client.to(path)
            told = await again.ask("status")
            if "result" in told:
                break


async def test_an_idle_client_is_let_go(tmp_path: Path) -> None:
    async with opened(tmp_path, idle_s=0.02) as (path, _, _):
        client = await Client.to(path)
        assert (await client.ask("status"))["result"]
        assert await client.hear() is None


async def test_a_client_that_reads_nothing_is_let_go(tmp_path: Path) -> None:
    profiles = tuple(make.profile(i) for i in range(1, 1500))
    stage = Stage(hot=make.hot_state(profiles=profiles))
    async with opened(tmp_path, stage, answer_s=0.05) as (path, _, _):
        slow = socket.socket(socket.AF_UNIX)
        slow.connect(str(path))
        slow.sendall(wire.ask_line(1, "profile.list", {}) * 3)
        async with asyncio.timeout(5):
            while "control client gone" not in stage.log.events:
                await asyncio.sleep(0.01)
        slow.close()


async def test_a_client_that_leaves_in_the_middle_harms_nobody(tmp_path: Path) -> None:
    async with opened(tmp_path) as (path, stage, _):
        client = await Client.to(path)
        client.writer.write(b'{"id": 1, "verb": "sta')
        client.writer.close()
        assert (await (await Client.to(path)).ask("status"))["result"]
        assert "command broke" not in stage.log.events


async def test_a_command_that_breaks_is_logged_and_answered(tmp_path: Path) -> None:
    stage = Stage(hot=make.hot_state(managers=()))
    stage.hot.realms = ()  # what never happens
    async with opened(tmp_path, stage) as (path, _, _):
        client = await Client.to(path)
        told = await client.ask("password.show", profile="1")
        assert told["error"]["code"] == "INTERNAL"
        assert "command broke" in stage.log.events
        assert (await client.ask("status"))["result"]


async def test_stopping_finishes_the_running_change(tmp_path: Path) -> None:
    stage = Stage(journal=KeptJournal(durable=None))
    async with opened(tmp_path, stage) as (path, _, server):
        client = await Client.to(path)
        client.writer.write(wire.ask_line(1, "profile.set", {"profile": "1", "name": "New"}))
        async with asyncio.timeout(5):
            while not stage.journal.waiting:
                await asyncio.sleep(0.001)
        closing = asyncio.create_task(server.aclose())
        await turns()
        assert not closing.done()
        stage.journal.waiting.pop()(True)
        await closing
        assert stage.hot.profile_by_id[1].name == "New"


def test_a_socket_left_over_by_a_crash_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    sock = listen(path)
    with pytest.raises(SocketTaken, match="another gateway answers"):
        listen(path)
    sock.close()


def test_a_file_is_not_replaced_by_a_socket(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(SocketTaken, match="no socket"):
        listen(path)
    assert path.read_text() == "mine"


def test_a_path_too_long_for_a_socket_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        listen(tmp_path / ("x" * 120))
    assert list(tmp_path.iterdir()) == []
