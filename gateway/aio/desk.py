"""Answers the verbs of a running gateway: those of `gateway/commands` on the hot state, and those
about live calls and registrations.

Changes are made one after the other: decided, written, and applied when durable. Whoever asked may
go away meanwhile; the change is finished all the same.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateway.aio.call_runner import CallRunner, LiveCall
from gateway.aio.doorman import Doorman
from gateway.aio.live_view import binding_view, call_view
from gateway.aio.log import Log
from gateway.aio.tasks import Tasks
from gateway.commands import decks, find
from gateway.commands.base import Args, Change, CommandError, Env, Json, Outcome
from gateway.commands.table import VERBS, Verb
from gateway.hot_state import HotState
from gateway.model.binding import Owner
from gateway.model.call import EndCause
from gateway.model.record import Record
from gateway.ports import Archive, Clock, Ids, Journal
from media.plane import MediaPlane

MOST_SHOWN = 1_000
DECK_OCTETS = 33_554_432  # some 800,000 rates
_SHORTEST_PREFIX = 4


@dataclass(slots=True)
class Visit:
    """What one connection has brought so far: the lines of a deck, piece by piece."""

    pieces: list[str] = field(default_factory=list)
    octets: int = 0

    def clear(self) -> None:
        self.pieces.clear()
        self.octets = 0


@dataclass(frozen=True, slots=True)
class Live:
    """The running parts the desk may look at."""

    runner: CallRunner
    plane: MediaPlane
    status: Callable[[], Json]
    drop: Callable[[Owner, int], None]  # ends the registrations of an AOR
    changed: Callable[[], None]  # told after each change
    doorman: Doorman


Handler = Callable[[Args, Visit], Json]


class Desk:
    def __init__(
        self,
        hot: HotState,
        journal: Journal,
        archive: Archive,
        live: Live,
        clock: Clock,
        ids: Ids,
        log: Log,
        tasks: Tasks,
        *,
        allow_private_peers: bool,
        deck_octets: int = DECK_OCTETS,
    ) -> None:
        self._hot = hot
        self._journal = journal
        self._archive = archive
        self._live = live
        self._clock = clock
        self._ids = ids
        self._log = log
        self._tasks = tasks
        self._allow_private_peers = allow_private_peers
        self._deck_octets = deck_octets
        self._turn = asyncio.Lock()
        self._closing = False
        self._handlers: dict[str, Handler] = {
            "status": self._status,
            "calls": self._calls,
            "calls.hangup": self._hang_up,
            "registrations": self._registrations,
            "bans": self._bans,
            "bans.lift": self._lift_ban,
            "deck.lines": self._deck_lines,
        }

    @property
    def verbs(self) -> list[str]:
        return sorted([*self._handlers, *VERBS, "deck.load"])

    async def ask(self, verb: str, args: Mapping[str, object], visit: Visit) -> Json:
        """The answer; raises CommandError."""
        given = Args(args)
        handler = self._handlers.get(verb)
        if handler is not None:
            return handler(given, visit)
        if verb == "deck.load":
            return await self._load_deck(given, visit)
        found = VERBS.get(verb)
        if found is None:
            known = ", ".join(self.verbs)
            raise CommandError("UNKNOWN_VERB", f"there is no verb {verb!r}; there are: {known}")
        if found.changes:
            return await self._in_turn(verb, lambda: found.run(self._hot, given, self._env()))
        return self._told(verb, found, given)

    async def aclose(self) -> None:
        """Take no more changes; come back when the running one is finished."""
        self._closing = True
        async with self._turn:
            pass

    # Changes.

    def _env(self) -> Env:
        return Env(self._clock.at(), self._ids, self._archive, self._allow_private_peers)

    async def _in_turn(self, verb: str, decide: Callable[[], Outcome]) -> Json:
        # A task of its own: whoever asked may go, but nothing comes between commit and memory.
        work = self._tasks.spawn(self._change(verb, decide), f"command {verb}")
        await asyncio.wait([work])
        result: Json | CommandError = work.result()
        if isinstance(result, CommandError):
            raise result
        return result

    async def _change(self, verb: str, decide: Callable[[], Outcome]) -> Json | CommandError:
        async with self._turn:
            if self._closing:
                return CommandError("STOPPING", "the gateway is being stopped")
            try:
                outcome = decide()
                return await self._make(verb, outcome) if isinstance(outcome, Change) else outcome
            except CommandError as refusal:
                return refusal

    async def _make(self, verb: str, change: Change) -> Json:
        for batch in change.batches:
            if not await self._durable(batch):
                change.undo(self._hot)
                raise CommandError(
                    "STORE_FAILED",
                    "the store could not write this, nothing was changed: see the gateway's log",
                )
        change.apply(self._hot)
        for owner, owner_id in change.drops:
            self._live.drop(owner, owner_id)
        self._live.changed()
        self._log.info("changed by command", verb=verb, subject=change.subject)
        return change.answer(self._hot)

    async def _durable(self, batch: tuple[Record, ...]) -> bool:
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._journal.write(batch, written.set_result)
        return await written

    # The state.

    def _told(self, verb: str, found: Verb, args: Args) -> Json:
        outcome = found.run(self._hot, args, self._env())
        assert not isinstance(outcome, Change), f"{verb} changes something"
        if verb == "password.show":
            self._log.info("sign-in details shown by command")
        return outcome

    # Decks come in pieces and are read in a thread: calls go on meanwhile.

    def _deck_lines(self, args: Args, visit: Visit) -> Json:
        """Some more lines of a deck; `first` begins anew."""
        first = args.optional_flag("first")
        text = args.lines("text")
        args.end()
        if first:
            visit.clear()
        visit.octets += len(text)
        if visit.octets > self._deck_octets:
            visit.clear()
            raise CommandError("TOO_LONG", f"a deck has at most {self._deck_octets} octets")
        visit.pieces.append(text)
        return {"octets": visit.octets}

    async def _load_deck(self, args: Args, visit: Visit) -> Json:
        if not visit.pieces:
            raise CommandError("NO_UPLOAD", "send the deck's lines with deck.lines first")
        env = self._env()
        name, version, currency = decks.heading(self._hot, args, env)
        text = "".join(visit.pieces)
        visit.clear()
        tariff = await asyncio.to_thread(
            decks.parse, text, name=name, version=version, currency=currency
        )
        return await self._in_turn("deck.load", lambda: decks.load(self._hot, tariff, self._env()))

    # Live.

    def _status(self, args: Args, visit: Visit) -> Json:
        args.end()
        return self._live.status()

    def _calls(self, args: Args, visit: Visit) -> Json:
        """Live calls, the oldest first."""
        limit = args.optional_int("limit", 1, MOST_SHOWN) or MOST_SHOWN
        wanted = args.optional_text("profile")
        args.end()
        profile = find.profile(self._hot, wanted) if wanted else None
        found = [live for live in self._live.runner if profile is None or _is_of(live, profile.id)]
        now = self._clock.now()
        shown = [call_view(each, self._hot, self._live.plane, now) for each in found[:limit]]
        return {"calls": shown, "total": len(found)}

    def _hang_up(self, args: Args, visit: Visit) -> Json:
        """End one call, named by its id or enough of its beginning to be the only one."""
        called = args.text("call")
        args.end()
        runner = self._live.runner
        ids = [live.call_id for live in runner]
        found = [each for each in ids if each == called]
        if not found and len(called) >= _SHORTEST_PREFIX:
            found = [each for each in ids if each.startswith(called)]
        if len(found) > 1:
            raise CommandError(
                "UNCLEAR", f"{len(found)} calls begin with {called}: give more of it"
            )
        if not found or not runner.hang_up(found[0], EndCause.OPERATOR):
            raise CommandError("NOT_FOUND", f"there is no call {called} now")
        self._log.info("call ended by command", call=found[0])
        return {"call": found[0], "sentence": f"Call {found[0]} was ended."}

    def _registrations(self, args: Args, visit: Visit) -> Json:
        limit = args.optional_int("limit", 1, MOST_SHOWN) or MOST_SHOWN
        args.end()
        now = self._clock.now()
        found = [each for each in self._hot.location if each.deadline > now]
        shown = [binding_view(each, self._hot, now) for each in found[:limit]]
        return {"registrations": shown, "total": len(found)}

    def _bans(self, args: Args, visit: Visit) -> Json:
        """Banned sources, the one that ends first before the others (R86)."""
        args.end()
        now = self._clock.now()
        found = sorted(self._live.doorman.listed(), key=lambda ban: ban.until)
        shown = [
            {
                "source": ban.source,
                "failures": ban.failures,
                "ends_in_s": max(0, round(ban.until - now)),
            }
            for ban in found[:MOST_SHOWN]
        ]
        return {"bans": shown, "total": len(found)}

    def _lift_ban(self, args: Args, visit: Visit) -> Json:
        source = args.text("source")
        args.end()
        if not self._live.doorman.lift(source):
            raise CommandError("NOT_FOUND", f"{source} is not banned")
        return {"source": source, "sentence": f"{source} is let in again."}


def _is_of(live: LiveCall, profile_id: int) -> bool:
    admission = live.call.admission
    return admission is not None and admission.profile_id == profile_id
