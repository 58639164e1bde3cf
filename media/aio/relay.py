"""Owns `PythonRelay`, the reference `MediaPlane`."""

from collections.abc import Callable
from dataclasses import dataclass

from media.plane import (
    Capabilities,
    MediaEvents,
    MediaFailed,
    MediaOpened,
    MediaReport,
    Side,
    StreamEnd,
)


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Where the relay listens. `bind` and `advertise` are address literals by IP version."""

    bind: dict[int, str]
    advertise: dict[int, str]
    port_low: int = 20000
    port_high: int = 29999
    cool_down_s: float = 4.0
    silence_s: float = 30.0
    dscp: int = 46  # RFC 4594: expedited forwarding


class PythonRelay:
    """The Python engine: drained sockets on the running event loop, SRTP by libsrtp.

    `clock` gives monotonic seconds, `octets(n)` random octets; `events` may be set later. Needs the
    running loop when `open` is called; `aclose` at the end of the process.
    """

    capabilities = Capabilities(frozenset(), echo=True, opaque=True)

    def __init__(
        self,
        settings: RelaySettings,
        *,
        clock: Callable[[], float],
        octets: Callable[[int], bytes],
        events: MediaEvents | None = None,
    ) -> None:
        self.events = events
        raise NotImplementedError

    def open(
        self,
        session_id: str,
        streams: int,
        done: Callable[[MediaOpened | MediaFailed], None],
        *,
        echo: bool = False,
        families: tuple[int, int] = (4, 4),
    ) -> None: ...

    def update(self, session_id: str, side: Side, ends: tuple[StreamEnd, ...]) -> None: ...

    def report(self, session_id: str) -> MediaReport: ...

    def close(self, session_id: str, done: Callable[[MediaReport], None]) -> None: ...

    async def aclose(self) -> None: ...
