"""Owns `RtpPeer`: a bare RTP socket for byte-level media tests, IPv4 and IPv6."""

import socket
import struct
import time

HEADER = struct.Struct("!BBHII")
PAYLOAD_OCTETS = 160
PACKET_S = 0.02


class RtpPeer:
    """Sends recognisable PCMU-sized payloads and collects what comes back."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._sequence = 0

    def send(self, to: tuple[str, int], mark: int, count: int = 10) -> None:
        """`count` packets at their pace, payload filled with the octet `mark`."""
        for _ in range(count):
            self._sequence += 1
            header = HEADER.pack(0x80, 0, self._sequence, self._sequence * 160, 0x1234)
            self._socket.sendto(header + bytes([mark]) * PAYLOAD_OCTETS, to)
            time.sleep(PACKET_S)

    def payloads(self, wanted: int, timeout_s: float = 3.0) -> list[bytes]:
        """Payloads received so far, waiting until there are `wanted`."""
        found: list[bytes] = []
        deadline = time.monotonic() + timeout_s
        self._socket.settimeout(0.05)
        while len(found) < wanted and time.monotonic() < deadline:
            try:
                found.append(self._socket.recv(2048)[HEADER.size :])
            except TimeoutError:
                continue
        return found

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "RtpPeer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
