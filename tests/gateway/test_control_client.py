"""Asking a gateway over its socket: here a thread plays the gateway."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from gateway.control_client import ControlClient, NotRunning, Unanswered
from tests.support.commands import refused


@contextmanager
def gateway(path: Path, answer: Callable[[bytes], bytes | None]) -> Iterator[list[bytes]]:
    """Answers every line of one connection; None closes it."""
    heard: list[bytes] = []
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(1)

    def serve() -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                heard.append(line)
                answered = answer(line)
                if answered is None:
                    return
                connection.sendall(answered)

    thread = Thread(target=serve)
    thread.start()
    try:
        yield heard
    finally:
        thread.join(5)
        server.close()


def echo(line: bytes) -> bytes:
    asked = json.loads(line)
    return json.dumps({"id": asked["id"], "result": {"asked": asked}}).encode() + b"\n"


def test_one_connection_asks_several_questions(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with gateway(path, echo) as heard, ControlClient(path) as client:
        assert client.ask("status")["asked"] == {"id": 1, "verb": "status", "args": {}}
        assert client.ask("calls", {"limit": 2})["asked"] == {
            "id": 2, "verb": "calls", "args": {"limit": 2},
        }  # fmt: skip
        client.close()
    assert len(heard) == 2


def test_a_refusal_is_raised_with_its_code(tmp_path: Path) -> None:
    path, told = tmp_path / "s", b'{"id":1,"error":{"code":"NOT_FOUND","sentence":"no"}}\n'
    with gateway(path, lambda line: told), ControlClient(path) as client:
        assert refused(lambda: client.ask("status")).code == "NOT_FOUND"
        client.close()


@pytest.mark.parametrize("answer", [None, b"nonsense\n", b'{"id":9,"result":{}}\n'])
def test_no_readable_answer_leaves_the_outcome_open(tmp_path: Path, answer: bytes | None) -> None:
    path = tmp_path / "s"
    with gateway(path, lambda line: answer), ControlClient(path) as client:
        with pytest.raises(Unanswered):
            client.ask("credit.add")
        client.close()


def test_a_gateway_that_says_nothing_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with gateway(path, lambda line: b""), ControlClient(path, timeout_s=0.05) as client:
        with pytest.raises(Unanswered, match="in time"):
            client.ask("status")
        client.close()


def test_nobody_at_the_socket_is_no_gateway(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="No such file"):
        ControlClient(tmp_path / "s")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / "s"))
    stale.close()
    with pytest.raises(NotRunning, match="refused"):
        ControlClient(tmp_path / "s")
    with pytest.raises(NotRunning):
        ControlClient(tmp_path / ("x" * 200))
