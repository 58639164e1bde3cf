"""Owns `MediaPlane`, the one media name the gateway knows, and the values that cross it (R93).

A media session has one or two sides and one or more streams (the m-lines of the SDP). An engine
owns ports and packets; what a stream should do is told to it as `StreamEnd`s, never as SDP.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

Address = tuple[str, int]


class Side(Enum):
    A = "a"
    B = "b"

    # Members are single: their identity is their hash, and costs no call of Python's.
    __hash__ = object.__hash__

    @property
    def other(self) -> "Side":
        return Side.B if self is Side.A else Side.A


@dataclass(frozen=True, slots=True)
class SrtpKey:
    """Key material of one direction (RFC 4568). Never printed."""

    suite: str  # "AES_CM_128_HMAC_SHA1_80" | "AES_CM_128_HMAC_SHA1_32" | ...
    key_salt: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """What one side of one stream looks like: where it wants packets, how they are protected.

    `remote` None: not known yet (early), the engine only latches. `receive_key` unprotects what
    arrives from this side, `send_key` protects what goes to it; None means plain RTP.
    """

    remote: Address | None
    remote_rtcp: Address | None = None  # None: remote's port + 1, or the same port with rtcp_mux
    rtcp_mux: bool = False
    receive_key: SrtpKey | None = None
    send_key: SrtpKey | None = None
    opaque: bool = False  # not RTP (UDPTL and unknown m-lines): bytes pass untouched
    active: bool = True  # False: port 0 in the SDP, the stream is refused
    expect_media: bool = True  # False: on hold or not answered yet, silence means nothing


@dataclass(frozen=True, slots=True)
class StreamCounters:
    """What arrived from one side of one stream and what went to it."""

    received: int = 0
    sent: int = 0
    octets_received: int = 0
    dropped_auth: int = 0  # SRTP authentication or replay failures
    dropped_source: int = 0  # packets from another address than the latched one
    dropped_malformed: int = 0
    latched: Address | None = None


@dataclass(frozen=True, slots=True)
class MediaReport:
    """Counters by side, one entry per stream; empty side B for echo sessions."""

    a: tuple[StreamCounters, ...]
    b: tuple[StreamCounters, ...]


@dataclass(frozen=True, slots=True)
class MediaOpened:
    """Our own addresses, as advertised in SDP, by side and stream (RTP; RTCP is port + 1)."""

    a: tuple[Address, ...]
    b: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class MediaFailed:
    """No session could be opened: ports are used up, or the engine is gone."""

    reason: str


class MediaEvents(Protocol):
    """What an engine reports by itself."""

    def silent(self, session_id: str, side: Side, silent_s: float) -> None:
        """No packet came from `side` for the silence timeout although one was due."""
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    srtp_suites: frozenset[str]
    echo: bool
    opaque: bool


class MediaPlane(Protocol):
    """An engine. Answers may come at once or later, always through `done`, on the event loop."""

    capabilities: Capabilities

    def open(
        self,
        session_id: str,
        streams: int,
        done: Callable[[MediaOpened | MediaFailed], None],
        *,
        echo: bool = False,
        families: tuple[int, int] = (4, 4),
    ) -> None:
        """Take ports for `streams` streams on both sides (side A only for `echo`).

        `families` is the IP version towards sides A and B.
        """
        ...

    def update(self, session_id: str, side: Side, ends: tuple[StreamEnd, ...]) -> None:
        """Tell or change what `side` looks like. Unchanged keys keep their SRTP state."""
        ...

    def report(self, session_id: str) -> MediaReport: ...

    def close(self, session_id: str, done: Callable[[MediaReport], None]) -> None:
        """Release the ports (after a cool-down) and give the last counters."""
        ...
