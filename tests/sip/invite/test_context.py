"""What INVITE sessions share."""

from sip.effects import Send
from sip.invite.context import NOBODY, InviteContext
from sip.target import LocalNames
from sip.timers import SipTimers
from sip.transaction.key import server_key
from sip.transaction.layer import TransactionLayer
from tests.support.ids import SequenceIds
from tests.support.sip_text import UDP, parsed_response, request


def test_a_response_carries_server_tag_and_what_the_caller_adds() -> None:
    layer = TransactionLayer(SequenceIds(), SipTimers(), LocalNames())
    context = InviteContext(layer, "gw/1", ("INVITE", "BYE"))
    options = request("OPTIONS")
    transaction = layer.open_server(server_key(options), options, UDP, 0.0)
    response, effects = context.respond(
        transaction, options, 200, 0.0, headers=(context.allow,), body=b"x", to_tag="t"
    )
    (send,) = effects
    assert isinstance(send, Send)
    read = parsed_response(send.data)
    assert read.headers.get("Server") == "gw/1"
    assert read.headers.get("Allow") == "INVITE, BYE"
    assert (read.to.tag, read.body) == ("t", b"x")
    assert response.status == 200


def test_nobody_cares() -> None:
    layer = TransactionLayer(SequenceIds(), SipTimers(), LocalNames())
    transaction, _ = layer.send(request("OPTIONS"), UDP, 0.0, NOBODY)
    assert layer.flow_failed(UDP, 0.0) == []
    assert not transaction.pending
