"""Owns `SipStreamPeer`: SIP by hand over one TCP or TLS connection, else as `sip_peer` does."""

import contextlib
import re
import secrets
import socket
import ssl
from pathlib import Path

from tests.support.sip_peer import Address, Message, SipPeer, bracketed

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"^(?:content-length|l)\s*:\s*(\d+)", re.IGNORECASE | re.MULTILINE)


class SipStreamPeer(SipPeer):
    """Connects at once. With `ca_file` the connection is TLS, and the certificate is verified."""

    def __init__(self, server: Address, ca_file: Path | None = None, name: str = "") -> None:
        super().__init__(server[0])
        self._socket.close()  # what speaks is the stream, not the datagram socket
        plain = socket.create_connection(server, timeout=5)
        self._buffer = b""
        self.transport = "tls" if ca_file else "tcp"
        if ca_file:
            context = ssl.create_default_context(cafile=str(ca_file))
            self._socket = context.wrap_socket(plain, server_hostname=name or server[0])
        else:
            self._socket = plain
        self.port = self._socket.getsockname()[1]
        self._server = server

    def via(self, branch: str = "") -> tuple[str, str]:
        branch = branch or f"z9hG4bK{secrets.token_hex(6)}"
        sent_by = f"{bracketed(self.host)}:{self.port}"
        return ("Via", f"SIP/2.0/{self.transport.upper()} {sent_by};branch={branch};rport")

    def send(self, text: str, to: Address) -> None:
        """There is one connection: `to` says nothing."""
        self._socket.sendall(text.encode())

    def _receive(self, timeout_s: float) -> Message | None:
        self._socket.settimeout(max(0.001, timeout_s))
        while (end := self._message_end()) is None:
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                return None
            if not data:
                return None
            self._buffer += data
        text = self._buffer[:end].decode("utf-8", "surrogateescape")
        self._buffer = self._buffer[end:]
        message = Message(text, self._server)
        self.seen.append(message)
        return message

    def close(self) -> None:
        """Hang up, and wait until the other side has noticed."""
        with contextlib.suppress(OSError):  # it was closed already, or by the other side
            self._socket.shutdown(socket.SHUT_WR)
            self._socket.settimeout(5)
            while self._socket.recv(65536):
                pass
        super().close()

    def _message_end(self) -> int | None:
        """Where the first whole message of the buffer ends (RFC 3261 §18.3)."""
        self._buffer = self._buffer.lstrip(b"\r\n")
        head, found, _ = self._buffer.partition(HEAD_END)
        if not found:
            return None
        length = LENGTH.search(head)
        end = len(head) + len(HEAD_END) + (int(length[1]) if length else 0)
        return end if len(self._buffer) >= end else None
