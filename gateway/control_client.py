"""Owns `ControlClient`: asks a running gateway over its Unix socket, one question at a time.

Blocking, for the command line and for the threads of a web process. What the gateway refuses comes
as `CommandError` with its stable code.
"""

import socket
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from types import TracebackType

from gateway import control_wire as wire
from gateway.commands.base import Json

TIMEOUT_S = 30.0
_PIECE = 65_536


class NotRunning(Exception):
    """Nobody answers at the socket."""


class Unanswered(Exception):
    """The gateway was asked, but no answer came: a change may have been made or not."""


class ControlClient:
    """One connection; close it, or use it in a `with`."""

    def __init__(self, path: Path, timeout_s: float = TIMEOUT_S) -> None:
        """Connect; raises NotRunning."""
        self._ids = count(1)
        self._received = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
        except PermissionError:
            self._socket.close()
            raise NotRunning(
                f"{path} is not yours to open: ask as the gateway's own user"
            ) from None
        except OSError as error:
            self._socket.close()
            raise NotRunning(f"{path}: {error.strerror or error}") from None

    def ask(self, verb: str, args: Mapping[str, object] | None = None) -> Json:
        """The gateway's answer; raises CommandError, or Unanswered when the connection breaks."""
        id = next(self._ids)
        line = wire.ask_line(id, verb, args or {})
        try:
            self._socket.sendall(line)
            return wire.read_answer(self._line(), id)
        except TimeoutError:
            raise Unanswered("the gateway did not answer in time") from None
        except OSError as error:
            raise Unanswered(f"the gateway went away: {error.strerror or error}") from None
        except ValueError as error:
            raise Unanswered(f"the gateway's answer is not readable: {error}") from None

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _line(self) -> bytes:
        pieces = [self._received]
        length = len(self._received)
        while b"\n" not in pieces[-1]:
            piece = self._socket.recv(_PIECE)
            if not piece:
                raise OSError("the connection was closed")
            length += len(piece)
            if length > wire.MAX_ANSWER:
                raise ValueError("it is too long")
            pieces.append(piece)
        line, _, self._received = b"".join(pieces).partition(b"\n")
        return line
