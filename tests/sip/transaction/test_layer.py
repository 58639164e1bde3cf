"""The table of transactions: create, match, tell the owner, forget."""

import pytest

from sip.effects import Deliver, Effect, Send
from sip.flow import Flow
from sip.message import Request, Response
from sip.target import LocalNames
from sip.timers import SipTimers
from sip.transaction.key import client_key, server_key
from sip.transaction.layer import TransactionLayer, stamp_via
from sip.transaction.machine import ClientTransaction
from sip.transaction.server_invite import ServerInvite
from tests.support.ids import SequenceIds
from tests.support.sip_text import TCP, UDP, answer, parsed_request, parsed_response, request


class Owner:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.failures: list[int] = []

    def on_response(
        self, transaction: ClientTransaction, response: Response, now: float
    ) -> list[Effect]:
        assert transaction.request is not None  # still there while the owner decides
        self.heard.append(response.status)
        return [Deliver(response.status)]

    def on_failure(self, transaction: ClientTransaction, status: int, now: float) -> list[Effect]:
        self.failures.append(status)
        return []


def layer() -> TransactionLayer:
    return TransactionLayer(SequenceIds(), SipTimers(), LocalNames())


def sent_by(effects: list[Effect]) -> Request:
    (send,) = effects
    assert isinstance(send, Send)
    return parsed_request(send.data)


def test_a_request_gets_our_via_in_its_placeholder() -> None:
    options = request("OPTIONS")
    placeholder = options.with_headers(options.headers.with_field("Via", ""))
    sent = sent_by(layer().send(placeholder, UDP, 0.0, Owner())[1])
    assert next(iter(sent.headers.items()))[0] == "Via"
    assert sent.via.host == "192.0.2.1"
    assert sent.via.branch.startswith("z9hG4bK")
    assert sent.via.asks_rport


def test_without_a_placeholder_the_via_goes_first() -> None:
    bare = request("OPTIONS")
    stamped = stamp_via(bare.with_headers(bare.headers.without("Via")), "SIP/2.0/UDP us;branch=b")
    assert next(iter(stamped.headers.items())) == ("Via", "SIP/2.0/UDP us;branch=b")


def test_the_owner_hears_responses_and_the_request_is_forgotten_after_the_final_one() -> None:
    table, owner = layer(), Owner()
    transaction, effects = table.send(request("OPTIONS"), UDP, 0.0, owner)
    response = parsed_response(answer(sent_by(effects), 200))
    assert table.clients[client_key(response)] is transaction
    assert table.receive_response(transaction, response, 0.1) == [Deliver(200)]
    assert owner.heard == [200]
    assert transaction.request is None


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_timeout_is_408_for_the_owner_and_leaves_the_table(method: str) -> None:
    """RFC 3261 §8.1.3.1."""
    table, owner = layer(), Owner()
    table.send(request(method), UDP, 0.0, owner)
    machine = table.agenda.pop_due(40.0)
    assert machine is not None
    table.settle(machine, machine.tick(40.0), 40.0)
    assert owner.failures == [408]
    assert not table.clients


@pytest.mark.parametrize("flow", [UDP, TCP])
def test_a_failed_flow_is_503_for_all_that_wait_on_it(flow: Flow) -> None:
    table, waiting, other = layer(), Owner(), Owner()
    table.send(request("OPTIONS"), flow, 0.0, waiting)
    table.send(request("INVITE"), flow, 0.0, waiting)
    elsewhere = flow._replace(remote=("192.0.2.99", 5060))
    table.send(request("OPTIONS"), elsewhere, 0.0, other)
    table.flow_failed(flow, 0.1)
    assert waiting.failures == [503, 503]
    assert other.failures == []
    assert len(table.clients) == 1
    assert table.flow_failed(flow, 0.2) == []


def test_an_answered_request_hears_nothing_of_its_failed_flow() -> None:
    table, owner = layer(), Owner()
    transaction, effects = table.send(request("INVITE"), TCP, 0.0, owner)
    table.receive_response(transaction, parsed_response(answer(sent_by(effects), 200)), 0.1)
    table.flow_failed(TCP, 0.2)
    assert owner.failures == []


def test_a_cancel_runs_under_the_branch_of_its_invite() -> None:
    table, owner = layer(), Owner()
    invite, _ = table.send(request("INVITE"), UDP, 0.0, owner)
    assert invite.request is not None
    cancel = request("CANCEL", via=str(invite.request.via))
    sent = sent_by(table.send_cancel(invite, cancel, 0.1, owner))
    assert sent.via.branch == invite.request.via.branch
    assert len(table.clients) == 2


def test_an_abandoned_invite_is_forgotten_without_a_word() -> None:
    table, owner = layer(), Owner()
    invite, _ = table.send(request("INVITE"), UDP, 0.0, owner)
    table.abandon(invite, 1.0)
    assert not table.clients
    assert owner.failures == []


def test_an_invite_merges_only_while_the_first_is_unanswered() -> None:
    """§8.2.2.2."""
    table = layer()
    first = request(branch="z9hG4bK1")
    transaction = table.open_server(server_key(first), first, UDP, 0.0)
    assert isinstance(transaction, ServerInvite)
    assert not table.merges(first, transaction)
    second = request(branch="z9hG4bK2")
    other = table.open_server(server_key(second), second, UDP, 0.0)
    assert isinstance(other, ServerInvite)
    assert table.merges(second, other)
    table.respond(other, 482, b"482", 0.0)
    table.respond(transaction, 180, b"180", 0.1)
    assert table.merges(second, other)
    table.respond(transaction, 407, b"407", 0.1)
    assert not table.merges(second, other)


def test_server_transactions_leave_the_table_when_they_end() -> None:
    table = layer()
    bye = request("BYE")
    key = server_key(bye)
    transaction = table.open_server(key, bye, UDP, 0.0)
    assert table.respond(transaction, 200, b"200", 0.0) == [Send(b"200", UDP)]
    assert table.receive_request(transaction, bye, 0.5) == [Send(b"200", UDP)]
    machine = table.agenda.pop_due(33.0)
    assert machine is transaction
    table.settle(machine, machine.tick(33.0), 33.0)
    assert not table.servers
