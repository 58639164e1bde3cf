"""What a running gateway answers and changes."""

import asyncio
from collections.abc import Sequence
from typing import Any

from gateway.commands.table import VERBS
from gateway.model.binding import Owner
from gateway.model.call import EndCause
from gateway.model.record import EntryPosted, Record, TariffInForce
from tests.gateway.aio.test_live_view import talking
from tests.support import factories as make
from tests.support.asking import call, yes
from tests.support.desk import KeptCalls, Stage, turns
from tests.support.shell import KeptJournal

DECK = "prefix,destination,per_minute\n1,United States,0.01\n"
MOVE = {"profile": "1", "amount": "5.00", "key": "key-00001"}


async def test_a_change_is_answered_when_it_is_durable_and_not_made_before() -> None:
    """R66."""
    stage = Stage(journal=KeptJournal(durable=None))
    asking = asyncio.create_task(stage.ask("profile.set", profile="1", name="New"))
    await turns()
    assert stage.hot.profile_by_id[1].name == "Profile.1"
    assert not asking.done()
    stage.journal.waiting.pop()(True)
    await asking
    assert stage.hot.profile_by_id[1].name == "New"
    assert stage.changes == 1
    assert ("changed by command", {"verb": "profile.set", "subject": "New"}) in stage.log.lines


async def test_what_the_store_cannot_write_is_not_changed() -> None:
    """R60, R66: money that was reserved for it is free again."""
    stage = Stage(
        hot=make.hot_state(balances={"manager:1": 9_000_000, "profile:1": 1_000_000}),
        journal=KeptJournal(durable=False),
    )
    assert await stage.code("profile.set", {"profile": "1", "name": "New"}) == "STORE_FAILED"
    assert await stage.code("credit.allocate", MOVE) == "STORE_FAILED"
    assert stage.hot.profile_by_id[1].name == "Profile.1"
    assert stage.hot.ledger.available("manager:1") == 9_000_000
    assert stage.changes == 0
    stage.journal.durable = True
    await stage.ask("credit.allocate", **MOVE)
    assert stage.hot.ledger.balance("profile:1") == 6_000_000


async def test_of_two_at_once_the_second_sees_what_the_first_has_done() -> None:
    """R96: a race of two adds, one wins."""
    stage = Stage(
        hot=make.hot_state(
            profiles=(make.profile(1), make.profile(2)), onnet_accounts=(make.onnet_account(),)
        ),
        journal=KeptJournal(durable=None),
    )
    first = asyncio.create_task(stage.ask("account.attach", account="alice", profile="1"))
    second = asyncio.create_task(stage.code("account.attach", {"account": "alice", "profile": "2"}))
    await turns()
    assert len(stage.journal.waiting) == 1
    stage.journal.waiting.pop()(True)
    await first
    assert await second == "ATTACHED_ELSEWHERE"
    assert stage.dropped == [(Owner.ONNET, 1)]


async def test_the_same_key_asked_twice_at_once_moves_money_once() -> None:
    """R66."""
    hot = make.hot_state(balances={"manager:1": 9_000_000})
    stage = Stage(hot=hot)
    answers: Sequence[Any] = await asyncio.gather(
        stage.ask("credit.allocate", **MOVE), stage.ask("credit.allocate", **MOVE)
    )
    assert [each["replayed"] for each in answers] == [False, True]
    assert [type(each) for each in stage.journal.records] == [EntryPosted]
    assert hot.ledger.balance("profile:1") == 5_000_000


async def test_a_change_is_finished_though_whoever_asked_is_gone() -> None:
    stage = Stage(journal=KeptJournal(durable=None))
    asking = asyncio.create_task(stage.ask("profile.set", profile="1", name="New"))
    await turns()
    asking.cancel()
    await turns()
    stage.journal.waiting.pop()(True)
    await turns()
    assert stage.hot.profile_by_id[1].name == "New"


async def test_closing_waits_for_the_running_change_and_takes_no_other() -> None:
    stage = Stage(journal=KeptJournal(durable=None))
    asking = asyncio.create_task(stage.ask("profile.set", profile="1", name="New"))
    await turns()
    closing = asyncio.create_task(stage.desk.aclose())
    await turns()
    assert not closing.done()
    stage.journal.waiting.pop()(True)
    await closing
    await asking
    assert await stage.code("profile.set", {"profile": "1", "name": "Newer"}) == "STOPPING"


async def test_a_deck_comes_in_pieces_and_is_loaded_whole() -> None:
    """R67."""
    stage = Stage()
    await stage.ask("deck.lines", text="from before\n", first=True)
    await stage.ask("deck.lines", text=DECK[:40], first=True)
    await stage.ask("deck.lines", text=DECK[40:])
    told: Any = await stage.ask("deck.load", name="new", version="2")
    assert told["deck"] == {"name": "new", "version": "2", "currency": "USD", "rates": 1}
    assert len(stage.journal.batches) == 3
    assert isinstance(stage.journal.records[-1], TariffInForce)
    assert yes(call(stage.hot)).rate == next(stage.hot.tariff.rates())  # type: ignore[union-attr]
    assert await stage.code("deck.load", {"name": "again"}) == "NO_UPLOAD"


async def test_a_deck_that_could_be_written_in_part_only_prices_nothing() -> None:
    """R67: all or nothing."""

    class FullDisk(KeptJournal):
        def write(self, records: Sequence[Record], done: Any = None) -> None:
            self.durable = len(self.batches) == 0
            super().write(records, done)

    stage = Stage(journal=FullDisk())
    before = stage.hot.tariff
    await stage.ask("deck.lines", text=DECK)
    assert await stage.code("deck.load", {"name": "new"}) == "STORE_FAILED"
    assert stage.hot.tariff is before
    assert len(stage.journal.batches) == 2


async def test_a_bad_deck_is_told_by_line_and_forgotten() -> None:
    stage = Stage()
    await stage.ask("deck.lines", text="1,US,0.01\nx,y\n")
    assert await stage.code("deck.load", {"name": "new"}) == "BAD_DECK"
    assert await stage.code("deck.load", {"name": "new"}) == "NO_UPLOAD"
    assert stage.journal.batches == []


async def test_an_upload_has_an_end() -> None:
    stage = Stage(deck_octets=10)
    await stage.ask("deck.lines", text="x" * 8)
    assert await stage.code("deck.lines", {"text": "xxx"}) == "TOO_LONG"
    assert stage.visit.pieces == []


async def test_live_calls_are_listed_and_one_is_ended() -> None:
    stage = Stage(calls=KeptCalls([talking("c-11112222"), talking("c-11113333")]))
    told: Any = await stage.ask("calls")
    assert [each["call"] for each in told["calls"]] == ["c-11112222", "c-11113333"]
    few: Any = await stage.ask("calls", limit=1, profile="1")
    assert (len(few["calls"]), few["total"]) == (1, 2)
    assert await stage.code("calls.hangup", {"call": "c-1111"}) == "UNCLEAR"
    assert await stage.code("calls.hangup", {"call": "c-9"}) == "NOT_FOUND"
    assert await stage.code("calls.hangup", {"call": "c-1"}) == "NOT_FOUND"
    await stage.ask("calls.hangup", call="c-11113")
    assert stage.calls.ended == [("c-11113333", EndCause.OPERATOR)]


async def test_registrations_that_lapsed_are_not_shown() -> None:
    hot = make.hot_state(
        bindings=(
            make.binding(1),
            make.binding(1, contact="sip:old@203.0.113.7", deadline=make.NOW - 1),
        )
    )
    told: Any = await Stage(hot=hot).ask("registrations")
    assert told["total"] == 1
    assert told["registrations"][0]["expires_in_s"] == 3600


async def test_shown_passwords_are_noted_but_not_logged() -> None:
    """R17."""
    stage = Stage()
    told: Any = await stage.ask("password.show", profile="1")
    assert told["sign_in"]["password"] == "secret-1"
    await stage.ask("profile.new", name="New")
    assert "sign-in details shown by command" in stage.log.events
    secrets = [p.password for p in stage.hot.profile_by_id.values()]
    assert not [secret for secret in secrets if secret in str(stage.log.lines)]


async def test_an_unknown_verb_is_told_with_those_there_are() -> None:
    stage = Stage()
    assert await stage.code("sing") == "UNKNOWN_VERB"
    assert set(VERBS) < set(stage.desk.verbs)
    assert {"status", "calls", "calls.hangup", "registrations"} < set(stage.desk.verbs)
    assert await stage.ask("status") == {"status": "ok"}
    assert await stage.code("status", {"x": 1}) == "BAD_ARGUMENT"


async def test_banned_sources_are_listed_and_let_in_again() -> None:
    """R86: the unban command."""
    stage = Stage()
    assert await stage.ask("bans") == {"bans": [], "total": 0}
    stage.bans.failed("192.0.2.66", make.NOW)
    told = await stage.ask("bans")
    (ban,) = told["bans"]  # type: ignore[misc]
    assert (ban["source"], ban["ends_in_s"]) == ("192.0.2.66", 900)
    assert (await stage.ask("bans.lift", source="192.0.2.66"))["source"] == "192.0.2.66"
    assert await stage.code("bans.lift", {"source": "192.0.2.66"}) == "NOT_FOUND"
    assert await stage.ask("bans") == {"bans": [], "total": 0}
