"""Owns the control socket: a Unix socket, private to the gateway's user, on which other processes
of this machine ask the desk (`gateway/control_wire` has the messages).

Guards the gateway against clumsy clients: limits on their number, on a message, on idleness and on
slow readers. What is answered is the desk's.
"""

import asyncio
import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway import control_wire as wire
from gateway.aio.desk import Desk, Visit
from gateway.aio.log import Log
from gateway.commands.base import CommandError

PROBE_S = 0.5


class SocketTaken(OSError):
    """Another process answers at this path."""


@dataclass(frozen=True, slots=True)
class ControlLimits:
    clients: int = 32
    idle_s: float = 300.0
    answer_s: float = 10.0  # how long a reader may take to make room


class ControlServer:
    """Every connection is a task of the loop; none outlives `aclose`."""

    def __init__(self, path: Path, desk: Desk, log: Log, limits: ControlLimits) -> None:
        self._path = path
        self._desk = desk
        self._log = log
        self._limits = limits
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen; raises OSError, SocketTaken among them."""
        sock = listen(self._path)
        self._server = await asyncio.start_unix_server(
            self._serve, sock=sock, limit=wire.MAX_REQUEST
        )

    async def aclose(self) -> None:
        """No new question; the running change is finished first."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        await self._desk.aclose()
        clients = list(self._clients)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        full = len(self._clients) >= self._limits.clients
        self._clients.add(task)
        try:
            if full:
                busy = CommandError("BUSY", f"{self._limits.clients} clients are connected already")
                await self._send(writer, wire.error_line(None, busy))
            else:
                await self._converse(reader, writer)
        except (OSError, TimeoutError) as error:
            self._log.debug("control client gone", problem=str(error))
        except asyncio.CancelledError:
            pass  # the gateway stops; the task ends here either way
        finally:
            self._clients.discard(task)
            with suppress(OSError, RuntimeError):
                writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit()
        while True:
            try:
                async with asyncio.timeout(self._limits.idle_s):
                    line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                # What follows cannot be told apart from the rest of it: say so and part.
                problem = f"a request has at most {wire.MAX_REQUEST} octets"
                await self._send(writer, wire.error_line(None, CommandError("TOO_LONG", problem)))
                return
            await self._send(writer, await self._answer(line, visit))

    async def _answer(self, line: bytes, visit: Visit) -> bytes:
        id: wire.MessageId = None
        try:
            ask = wire.read_ask(line)
            id = ask.id
            return wire.result_line(id, await self._desk.ask(ask.verb, ask.args, visit))
        except wire.BadAsk as error:
            return wire.error_line(error.id, CommandError("BAD_MESSAGE", str(error)))
        except CommandError as error:
            return wire.error_line(id, error)
        except Exception as error:
            # A bug in one command must take neither the connection nor the gateway down.
            self._log.error("command broke", exc_info=error)
            problem = CommandError("INTERNAL", "the gateway could not do this: see its log")
            return wire.error_line(id, problem)

    async def _send(self, writer: asyncio.StreamWriter, line: bytes) -> None:
        writer.write(line)
        async with asyncio.timeout(self._limits.answer_s):
            await writer.drain()


def listen(path: Path) -> socket.socket:
    """A listening socket at `path`, never open to others, in the place of a stale one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists():
        _refuse_taken(path)
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(draft))
        # Under another name until it is private: nobody gets in between.
        os.chmod(draft, 0o600)
        sock.listen(16)
        os.replace(draft, path)
    except BaseException:
        sock.close()
        draft.unlink(missing_ok=True)
        raise
    sock.setblocking(False)
    return sock


def _refuse_taken(path: Path) -> None:
    if not path.is_socket():
        raise SocketTaken(f"{path} is there and no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return  # left over by a process that is gone
        except OSError as error:
            raise SocketTaken(f"{path}: {error}") from error
    raise SocketTaken(f"another gateway answers at {path}")
