"""Owns a desk over kept shells, for tests of what a running gateway answers."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.aio.call_runner import LiveCall
from gateway.aio.desk import Desk, Live, Visit
from gateway.aio.doorman import Doorman
from gateway.aio.tasks import Tasks
from gateway.bans import BanLimits, Bans
from gateway.commands.base import CommandError, Json
from gateway.hot_state import HotState
from gateway.identify import Identifier
from gateway.model.binding import Owner
from gateway.model.call import CallId, EndCause
from media.plane import MediaReport, StreamCounters
from sip.digest import Nonces
from tests.support import factories as make
from tests.support.commands import KeptArchive
from tests.support.shell import KeptJournal, KeptLog, fresh_metrics


class KeptCalls:
    """Live calls, and which were hung up."""

    def __init__(self, calls: list[LiveCall]) -> None:
        self.calls = calls
        self.ended: list[tuple[CallId, EndCause]] = []

    def __iter__(self) -> Iterator[LiveCall]:
        return iter(self.calls)

    def hang_up(self, call_id: CallId, cause: EndCause) -> bool:
        self.ended.append((call_id, cause))
        return True


class CountingPlane:
    """Every call has received 500 packets from a and 498 from b."""

    def report(self, session_id: str) -> MediaReport:
        return MediaReport(
            (StreamCounters(received=500, sent=498),), (StreamCounters(received=498, sent=500),)
        )


class StillClock:
    """Both times, standing still."""

    def now(self) -> float:
        return make.NOW

    def at(self) -> datetime:
        return make.AT


@dataclass
class Stage:
    """A desk with all that it touches."""

    hot: HotState = field(default_factory=make.hot_state)
    journal: KeptJournal = field(default_factory=KeptJournal)
    archive: KeptArchive = field(default_factory=KeptArchive)
    log: KeptLog = field(default_factory=KeptLog)
    calls: KeptCalls = field(default_factory=lambda: KeptCalls([]))
    deck_octets: int = 1_000_000
    dropped: list[tuple[Owner, int]] = field(default_factory=list)
    changes: int = 0

    def __post_init__(self) -> None:
        self.tasks = Tasks(self.log)
        self.bans = Bans(BanLimits(1, 300.0, 900.0))
        self.doorman = Doorman(
            Identifier(self.hot, Nonces(b"k" * 32), (make.REALM,), make.CountingIds()),
            self.bans, self.hot, StillClock(), self.log, fresh_metrics(),
        )  # fmt: skip
        live = Live(
            self.calls,  # type: ignore[arg-type]
            CountingPlane(),  # type: ignore[arg-type]
            lambda: {"status": "ok"},
            lambda owner, owner_id: self.dropped.append((owner, owner_id)),
            self._changed,
            self.doorman,
        )
        self.desk = Desk(
            self.hot, self.journal, self.archive, live, StillClock(), make.CountingIds(), self.log,
            self.tasks, allow_private_peers=False, deck_octets=self.deck_octets,
        )  # fmt: skip
        self.visit = Visit()

    def _changed(self) -> None:
        self.changes += 1

    async def ask(self, verb: str, **args: object) -> Json:
        return await self.desk.ask(verb, args, self.visit)

    async def code(self, verb: str, args: Mapping[str, object] | None = None) -> str:
        try:
            answer = await self.desk.ask(verb, args or {}, self.visit)
        except CommandError as error:
            return error.code
        raise AssertionError(answer)


async def turns(count: int = 5) -> None:
    """Let everything that can run, run."""
    for _ in range(count):
        await asyncio.sleep(0)
