"""Owns the state of one relayed call: its legs with latches and counters, and when one is silent.

A `Leg` is one side of one stream. It decides, an engine sends; nothing here touches a packet.
"""

from media.latch import Latch
from media.plane import MediaReport, Side, StreamCounters, StreamEnd

_NOT_DESCRIBED = StreamEnd(None, active=False, expect_media=False)


class Leg:
    """One side of one stream. The engine raises the counters while packets pass."""

    __slots__ = (
        "active",
        "dropped_auth",
        "dropped_malformed",
        "dropped_source",
        "end",
        "latch",
        "octets_received",
        "quiet_since",
        "received",
        "rtcp_latch",
        "sent",
    )

    def __init__(self) -> None:
        self.end = _NOT_DESCRIBED
        self.active = False
        self.latch = Latch()
        self.rtcp_latch = Latch()
        self.quiet_since = float("-inf")
        self.received = self.sent = self.octets_received = 0
        self.dropped_auth = self.dropped_source = self.dropped_malformed = 0

    def describe(self, end: StreamEnd, now: float) -> None:
        """Take over a new description; the same one again changes nothing."""
        before = self.end
        if end == before:
            return
        self.end, self.active = end, end.active
        renewed = before.active and end.receive_key != before.receive_key
        self.latch.describe(end.remote, now, renewed=renewed)
        self.rtcp_latch.describe(_rtcp_of(end), now, renewed=renewed)
        self.quiet_since = now

    def counters(self) -> StreamCounters:
        return StreamCounters(
            self.received,
            self.sent,
            self.octets_received,
            self.dropped_auth,
            self.dropped_source,
            self.dropped_malformed,
            self.latch.locked,
        )


class MediaSession:
    """The legs of one call, by side and stream. Side B is empty for an echo."""

    __slots__ = ("_silent", "a", "b", "session_id")

    def __init__(self, session_id: str, streams: int, *, echo: bool = False) -> None:
        self.session_id = session_id
        self.a = tuple(Leg() for _ in range(streams))
        self.b = () if echo else tuple(Leg() for _ in range(streams))
        self._silent: set[Side] = set()

    def legs(self, side: Side) -> tuple[Leg, ...]:
        return self.a if side is Side.A else self.b

    def report(self) -> MediaReport:
        return MediaReport(
            tuple(leg.counters() for leg in self.a), tuple(leg.counters() for leg in self.b)
        )

    def fallen_silent(self, now: float, silence_s: float) -> list[tuple[Side, float]]:
        """The sides that became silent since the last look, and for how long they are.

        A side is silent when none of its streams that should send does. It is named once, and
        again only after it was heard or described anew.
        """
        found = []
        for side in (Side.A, Side.B):
            expected = [leg for leg in self.legs(side) if leg.active and leg.end.expect_media]
            if not expected:
                self._silent.discard(side)
                continue
            silent_s = now - max(max(leg.latch.heard_at, leg.quiet_since) for leg in expected)
            if silent_s < silence_s:
                self._silent.discard(side)
            elif side not in self._silent:
                self._silent.add(side)
                found.append((side, silent_s))
        return found


def _rtcp_of(end: StreamEnd) -> tuple[str, int] | None:
    if end.remote_rtcp is not None or end.remote is None:
        return end.remote_rtcp
    # RFC 3550 §11: RTCP is on the next higher port.
    return (end.remote[0], end.remote[1] + 1)
