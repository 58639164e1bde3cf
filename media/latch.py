"""Owns symmetric RTP (RFC 4961, pain 8): which source address is believed, and when it may change.

The rule. Until a source is locked, packets go to the address of the SDP. A source locks when it is
the SDP's own address, when it authenticated (SRTP), or after `needed` consistent packets. Once
locked, every other source is dropped, but for three cases: a new SDP opens the latch (and the
source locked before must wait `EMBARGO_S`, its last packets are still on the way); the locked
source was silent for `relatch_s`; or the lock was a guess and the address of the SDP itself speaks.
It reads no packets and keeps no counters.
"""

from media.plane import Address

NEEDED = 3
RELATCH_S = 5.0
EMBARGO_S = 1.0
MAX_CANDIDATES = 4
MAX_STEP = 64  # of the sequence number between two consistent packets


class Latch:
    """One component (RTP or RTCP) of one side. `destination` is where its packets go now.

    The owner sets `heard_at` for each accepted packet of the locked source.
    """

    __slots__ = (
        "_advertised",
        "_candidates",
        "_embargo",
        "_embargo_until",
        "_needed",
        "_relatch_s",
        "destination",
        "heard_at",
        "locked",
    )

    def __init__(self, *, needed: int = NEEDED, relatch_s: float = RELATCH_S) -> None:
        self._needed = needed
        self._relatch_s = relatch_s
        self._advertised: Address | None = None
        self._candidates: dict[Address, tuple[int, int, int]] = {}  # count, ssrc, sequence
        self._embargo: Address | None = None
        self._embargo_until = 0.0
        self.locked: Address | None = None
        self.destination: Address | None = None
        self.heard_at = float("-inf")

    def describe(self, advertised: Address | None, now: float, *, renewed: bool = False) -> None:
        """A description came. A new address, or `renewed` keys, open the latch."""
        moved = advertised is not None and advertised != self._advertised
        if moved:
            self._advertised = advertised
        if moved or renewed:
            self._embargo, self._embargo_until = self.locked, now + EMBARGO_S
            self.locked = None
            self._candidates.clear()
        self.destination = self.locked or self._advertised

    def admits(self, source: Address, now: float) -> bool:
        """May a packet of a source that is not the locked one be looked at?"""
        if source == self._advertised:
            return True
        if self.locked is None:
            return source != self._embargo or now >= self._embargo_until
        return now - self.heard_at >= self._relatch_s

    def believe(
        self,
        source: Address,
        now: float,
        *,
        trusted: bool = False,
        ssrc: int = 0,
        sequence: int | None = None,
    ) -> bool:
        """Count a valid packet of an admitted source; False when it is one candidate too many."""
        if trusted or source == self._advertised:
            self._lock(source, now)
            return True
        before = self._candidates.get(source)
        if before is None:
            if len(self._candidates) >= MAX_CANDIDATES:
                return False
            count = 1
        else:
            count = before[0] + 1 if _follows(before, ssrc, sequence) else 1
        if count >= self._needed:
            self._lock(source, now)
        else:
            self._candidates[source] = (count, ssrc, sequence or 0)
        return True

    def _lock(self, source: Address, now: float) -> None:
        self.locked = self.destination = source
        self.heard_at = now
        self._candidates.clear()
        self._embargo = None


def _follows(before: tuple[int, int, int], ssrc: int, sequence: int | None) -> bool:
    if sequence is None:
        return True
    return before[1] == ssrc and 0 < (sequence - before[2]) & 0xFFFF <= MAX_STEP
