"""Owns framing on streams: Content-Length, keep-alives, limits (RFC 3261 §18.3, RFC 5626 §3.5.1).

It cuts; it does not parse. After an error the connection has lost its rhythm and must be closed.
"""

import re
from enum import Enum
from typing import Final

from sip.errors import RemoteProtocolError
from sip.grammar import FOLD
from sip.parser import DEFAULT, Limits, content_length

PONG: Final = b"\r\n"  # RFC 5626 §3.5.1: the answer to a ping

_CONTENT_LENGTH: Final = re.compile(
    r"\r\n(?:content-length|l)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE
)


class KeepAlive(Enum):
    PING = "ping"  # double CRLF: answer with `PONG`
    PONG = "pong"  # single CRLF, the answer to our own ping


class StreamFramer:
    """Feed it what arrives; it gives back whole messages and keep-alives in their order."""

    __slots__ = ("_buffer", "_half_ping", "_limits", "_message_size", "_pong_due", "_scanned")

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._buffer = bytearray()
        self._limits = limits
        self._scanned = 0  # no end of header before this offset
        self._message_size = 0  # of the message at the front, once its header is complete
        self._half_ping = 0  # 1 after an odd number of CRLFs
        self._pong_due = False

    @property
    def buffered(self) -> int:
        """Octets waiting for the rest of their message."""
        return len(self._buffer)

    def expect_pong(self) -> None:
        """We sent a ping: the next single CRLF is its answer, not half a ping of the peer."""
        self._pong_due = True

    def feed(self, data: bytes) -> list[bytes | KeepAlive]:
        """Raise RemoteProtocolError when the stream cannot be cut any further."""
        buffer = self._buffer
        buffer += data
        out: list[bytes | KeepAlive] = []
        while buffer:
            if not self._message_size:
                self._skip_line_breaks(out)
                if not self._measure():
                    break
            if len(buffer) < self._message_size:
                break
            out.append(bytes(buffer[: self._message_size]))
            del buffer[: self._message_size]
            self._message_size = 0
            self._half_ping = 0
        return out

    def _skip_line_breaks(self, out: list[bytes | KeepAlive]) -> None:
        """Take CRLFs off the front. A run of them counts as one ping however long it is."""
        buffer = self._buffer
        size = len(buffer)
        at = 0
        while at + 1 < size and buffer[at] == 13 and buffer[at + 1] == 10:
            at += 2
        if not at:
            return
        del buffer[:at]
        self._scanned = 0
        count = self._half_ping + at // 2
        if self._pong_due and count % 2:
            self._pong_due = False
            out.append(KeepAlive.PONG)
            count -= 1
        if count > 1:
            out.append(KeepAlive.PING)
        self._half_ping = count % 2

    def _measure(self) -> bool:
        """Find the end of the header and the size of the message; False: more octets are needed."""
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n", self._scanned)
        if end < 0:
            if len(buffer) > self._limits.message:
                raise RemoteProtocolError("header too large", 513)
            self._scanned = max(0, len(buffer) - 3)
            return False
        self._scanned = 0
        if end + 4 > self._limits.message:
            raise RemoteProtocolError("header too large", 513)
        head = buffer[:end].decode("utf-8", "surrogateescape")
        if "\r\n " in head or "\r\n\t" in head:
            head = FOLD.sub(" ", head)
        length = content_length([value.strip(" \t") for value in _CONTENT_LENGTH.findall(head)])
        if length is None:
            # RFC 3261 §20.14: on a stream Content-Length is mandatory.
            raise RemoteProtocolError("no Content-Length on a stream")
        if length > self._limits.body:
            raise RemoteProtocolError("body too large", 413)
        if end + 4 + length > self._limits.message:
            raise RemoteProtocolError("message too large", 513)
        self._message_size = end + 4 + length
        return True
