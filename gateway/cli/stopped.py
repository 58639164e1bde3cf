"""Owns running commands on the store while no gateway serves from it: under the store's own lock,
with the functions a running gateway uses.

What calls of a killed gateway have reserved stays reserved: its next start bills them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from config.settings import Settings
from gateway.aio.clock import SystemClock, SystemIds
from gateway.commands import decks
from gateway.commands.base import Args, Change, Env, Json
from gateway.commands.table import VERBS
from gateway.hot_state import HotState
from gateway.model.profile import account_of
from store import ledger as ledger_rows
from store.archive import StoreArchive
from store.database import Database
from store.snapshot import load
from store.vault import Vault


class StoppedOffice:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._ids = SystemIds()
        self._vault = Vault.open(settings.secret_key_path)

    def ask(self, verb: str, args: Mapping[str, object]) -> Json:
        found = VERBS[verb]
        with self._opened(locked=found.changes) as (database, hot, env):
            outcome = found.run(hot, Args(args), env)
            if isinstance(outcome, Change):
                return self._make(database, hot, outcome)
            return outcome

    def load_deck(
        self, lines: str, args: Mapping[str, object], progress: Callable[[int], None]
    ) -> Json:
        with self._opened(locked=True) as (database, hot, env):
            name, version, currency = decks.heading(hot, Args(args), env)
            tariff = decks.parse(lines, name=name, version=version, currency=currency)
            answer = self._make(database, hot, decks.load(hot, tariff, env))
            progress(len(lines))
            return answer

    def _make(self, database: Database, hot: HotState, change: Change) -> Json:
        database.write((record for batch in change.batches for record in batch), self._vault)
        change.apply(hot)
        for owner, owner_id in change.drops:
            hot.location.drop_owner(owner, owner_id)
        return change.answer(hot)

    @contextmanager
    def _opened(self, *, locked: bool) -> Iterator[tuple[Database, HotState, Env]]:
        """The store and its hot state; a change takes the lock, looking does not."""
        path = self._settings.store_path
        database = Database.open(path) if locked else Database(path)
        try:
            yield database, self._hot_state(database), self._env(database)
        finally:
            database.close()

    def _hot_state(self, database: Database) -> HotState:
        now, at = self._clock.now(), self._clock.at()
        with database.reader() as connection:
            snapshot = load(connection, self._vault, now=now, at=at)
            recent = ledger_rows.recent(connection)
        hot = HotState(snapshot, self._settings.realms)
        for entry in recent:
            hot.ledger.remember(entry)
        for found in snapshot.open_calls:
            account = account_of(found.admitted.profile_id)
            call_id, micros = found.admitted.call_id, found.held_micros
            if micros:
                hot.ledger.hold(call_id, account, micros, found.admitted.currency)
        return hot

    def _env(self, database: Database) -> Env:
        return Env(
            self._clock.at(),
            self._ids,
            StoreArchive(database),
            self._settings.allow_private_peers,
        )
