"""Owns who is let in: identifies requests, counts wrong passwords, turns banned sources away (R86).

The wrong password that begins a ban is answered with a refusal that says so. After that, whatever
would begin something from there (REGISTER, INVITE, OPTIONS ...) is dropped unread: no reply, no
transaction, no digest. What belongs to running calls goes on: responses, ACK, BYE, CANCEL, and
requests within a dialog. Carriers, PBXs known by address and sources with a living binding are
never banned: behind one NAT, a stranger must not cut a customer off.
"""

import re
from math import inf

from gateway.aio.log import Log
from gateway.aio.metrics import Metrics
from gateway.bans import Ban, Bans, source_of
from gateway.hot_state import HotState
from gateway.identify import Challenged, Identifier, Verdict
from gateway.ports import Clock
from gateway.refusal import refuse
from sip.flow import Flow
from sip.message import Request

OURS_FOR_S = 1.0  # how long the set of exempt sources is believed
HEAD = 4096  # octets in which a To header is looked for

GOES_ON = (b"SIP/2.0 ", b"ACK ", b"BYE ", b"CANCEL ", b"UPDATE ", b"PRACK ", b"INFO ")
_TO_TAG = re.compile(rb"^(?:to|t)[ \t]*:[^\r\n]*;[ \t]*tag[ \t]*=", re.IGNORECASE | re.MULTILINE)


class Doorman:
    """Stands in for the identifier, and before the parser."""

    def __init__(
        self,
        identifier: Identifier,
        bans: Bans,
        hot: HotState,
        clock: Clock,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._identifier = identifier
        self._bans = bans
        self._hot = hot
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._ours: frozenset[str] = frozenset()
        self._ours_until = -inf

    def identify(self, request: Request, flow: Flow, now: float) -> Verdict:
        """As `Identifier.identify`; a wrong password may be one too many."""
        who = self._identifier.identify(request, flow, now)
        if not isinstance(who, Challenged) or not who.failed:
            return who
        self._metrics.failed_credentials.inc()
        host = flow.remote[0]
        ban = self._bans.failed(host, now)
        if ban is None:
            return who
        if self._is_ours(host, now):
            self._bans.forgive(host)
            return who
        self._begun(ban)
        return refuse("BANNED", f"{ban.failures} failures")

    def turns_away(self, data: bytes, flow: Flow) -> bool:
        """True when a message is to be dropped unread; asked for every message."""
        if not self._bans:
            return False
        now = self._clock.now()
        host = flow.remote[0]
        if not self._bans.banned(host, now) or data.startswith(GOES_ON):
            return False
        if _TO_TAG.search(data, 0, HEAD):
            return False
        if self._is_ours(host, now):
            self._bans.forgive(host)
            return False
        self._metrics.turned_away.inc()
        return True

    def listed(self) -> list[Ban]:
        return self._bans.listed(self._clock.now())

    def lift(self, source: str) -> bool:
        """The operator's word; False when the source was not banned."""
        lifted = self._bans.lift(source)
        if lifted:
            self._log.info("ban lifted", source=source)
            self._count()
        return lifted

    def sweep(self, now: float) -> None:
        """Once a second: let those in whose time is over."""
        for ban in self._bans.tick(now):
            self._log.info("ban ended", source=ban.source)
        self._count()

    def _begun(self, ban: Ban) -> None:
        self._metrics.bans.inc()
        self._count()
        self._log.warning(
            "source banned",
            source=ban.source,
            reason=f"{ban.failures} wrong passwords",
            seconds=round(ban.until - ban.since),
            hint="it ends by itself; to end it now, correct the PBX's password and type: "
            f"sipgw ban lift {ban.source}",
        )

    def _count(self) -> None:
        self._metrics.banned_sources.set(len(self._bans))

    def _is_ours(self, host: str, now: float) -> bool:
        """Asked only of sources that failed too often, so the set is made when it is needed."""
        if now >= self._ours_until:
            self._ours = frozenset(source_of(known) for known in self._hot.known_hosts())
            self._ours_until = now + OURS_FOR_S
        return source_of(host) in self._ours
