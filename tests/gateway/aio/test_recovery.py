"""What a dead process left open: right in memory first, then on disk and on the wire (R73)."""

from dataclasses import replace
from datetime import timedelta

from gateway.aio.recovery import end_left_over, settle_left_over
from gateway.model.record import CallAdmitted, CallSettled, OpenCall
from rating.tariff import Rate
from sip.effects import Send
from sip.message import Request
from sip.parser import parse_message
from tests.support.factories import AT, hot_state
from tests.support.shell import KeptJournal, KeptLog, KeptSip
from tests.support.sip_stage import Stage
from tests.support.sip_text import SDP


class Clock:
    def now(self) -> float:
        return 5.0

    def at(self):  # type: ignore[no-untyped-def]
        return AT + timedelta(hours=1)


def dialog(transport: str = "udp") -> str:
    stage = Stage()
    session = stage.offered()
    stage.run(session.answer(SDP, 0.0))
    return session.dialog_state().replace('["udp"', f'["{transport}"')


def left_open(call_id: str, a_dialog: str = "", b_dialog: str = "") -> OpenCall:
    rate = Rate("1", "United States", 6_000)
    admitted = CallAdmitted(
        call_id, 1, "pstn", "outgoing", "+12026555300", "+17035550100", AT, "a@pbx", 3_000, "USD",
        rate,
    )  # fmt: skip
    answered_at = AT if a_dialog else None
    return OpenCall(admitted, 3_000, answered_at, answered_at, "c", a_dialog, b_dialog)


def recover(*left: OpenCall) -> tuple[KeptJournal, KeptSip, KeptLog]:
    journal, sip, log, clock = KeptJournal(), KeptSip(), KeptLog(), Clock()
    settled = settle_left_over(left, hot_state(), clock, log)
    assert journal.records == []
    end_left_over(left, settled, journal, sip, clock, log)
    return journal, sip, log


def byes(sip: KeptSip) -> list[Request]:
    found = [parse_message(each.data) for each in sip.effects if isinstance(each, Send)]
    return [each for each in found if isinstance(each, Request) and each.method == "BYE"]


def test_each_call_gets_one_cdr_and_each_confirmed_dialog_a_bye_with_the_reason() -> None:
    """R73"""
    journal, sip, _ = recover(left_open("c-1", dialog(), dialog()), left_open("c-2"))
    settled = [record.cdr for record in journal.records if isinstance(record, CallSettled)]
    assert [(cdr.call_id, cdr.cause) for cdr in settled] == [
        ("c-1", "gateway-restart"),
        ("c-2", "gateway-restart"),
    ]
    assert len(byes(sip)) == 2
    for bye in byes(sip):
        assert 'text="gateway-restart"' in (bye.headers.get("Reason") or "")
        assert bye.cseq.number > 100


def test_a_row_that_cannot_be_settled_is_kept_and_the_others_are() -> None:
    broken = left_open("c-1", dialog())
    broken = replace(broken, admitted=replace(broken.admitted, currency="XXX"))
    hot = hot_state()
    hot.ledger.hold("other", "profile:1", 1, "USD")  # the account's currency is known now
    log = KeptLog()
    settled = settle_left_over([broken, left_open("c-2")], hot, Clock(), log)
    assert [each.cdr.call_id for each in settled] == ["c-2"]
    assert "open call cannot be settled, kept" in log.events


def test_a_dialog_that_cannot_be_read_keeps_nobody_else_from_being_hung_up_on() -> None:
    _, sip, log = recover(left_open("c-1", "{}", dialog()))
    assert len(byes(sip)) == 1
    assert "dialog cannot be hung up on" in log.events


def test_over_a_connection_the_bye_goes_to_the_address_the_peer_gave() -> None:
    """The connection died with the process; its source port cannot be dialled."""
    _, sip, _ = recover(left_open("c-1", dialog("tcp")))
    (send,) = (each for each in sip.effects if isinstance(each, Send))
    (bye,) = byes(sip)
    assert send.flow.transport == "tcp"
    assert bye.uri == f"sip:pbx@{send.flow.remote[0]}:{send.flow.remote[1]}"
