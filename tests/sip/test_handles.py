"""Handles of requests outside call control."""

from sip.handles import RequestHandle
from sip.timers import SipTimers
from sip.transaction.server_non_invite import ServerNonInvite
from tests.support.sip_text import UDP, request


def test_a_handle_starts_without_a_tag_and_remembers_where_the_request_came_from() -> None:
    options = request("OPTIONS")
    handle = RequestHandle(ServerNonInvite("key", UDP, SipTimers()), options, UDP, None)
    assert handle.to_tag == ""
    assert handle.flow == UDP
    assert handle.request is options
