"""Matching: RFC 3261 §17.1.3, §17.2.3, §9.2, §8.2.2.2."""

import pytest

from sip.message import Request
from sip.transaction.key import cancelled_key, client_key, merge_key, server_key
from tests.support.sip_text import answer, parsed_response, request


def test_a_response_matches_by_branch_and_cseq_method() -> None:
    sent = request("OPTIONS", branch="z9hG4bKours")
    assert client_key(parsed_response(answer(sent, 200))) == "z9hG4bKoursOPTIONS"


def test_the_ack_of_a_refusal_matches_its_invite() -> None:
    assert server_key(request("ACK")) == server_key(request("INVITE"))


def test_a_cancel_has_its_own_key_and_points_at_the_invite() -> None:
    cancel = request("CANCEL")
    assert server_key(cancel) != server_key(request("INVITE"))
    assert cancelled_key(cancel) == server_key(request("INVITE"))


@pytest.mark.parametrize(
    "other",
    [
        request(branch="z9hG4bKother"),
        request(via="SIP/2.0/UDP 192.0.2.11:5060;branch=z9hG4bKpbx1"),
        request(via="SIP/2.0/UDP 192.0.2.10:5062;branch=z9hG4bKpbx1"),
        request("BYE"),
    ],
)
def test_branch_sent_by_and_method_all_count(other: Request) -> None:
    assert server_key(other) != server_key(request())


def test_without_the_magic_cookie_the_old_rules_hold() -> None:
    """§17.2.3: Request-URI, From tag, Call-ID, CSeq number and top Via."""
    old = "SIP/2.0/UDP 192.0.2.10:5060;branch=1"
    invite = request(via=old)
    assert server_key(request(via=old, to_tag="us", method="ACK")) == server_key(invite)
    assert cancelled_key(request("CANCEL", via=old)) == server_key(invite)
    assert server_key(request(via=old, cseq=2)) != server_key(invite)
    assert server_key(request(via=old, call_id="other")) != server_key(invite)
    assert server_key(request(via=old, from_tag="other")) != server_key(invite)
    assert server_key(request(via="SIP/2.0/UDP 192.0.2.10:5060")) != server_key(invite)


def test_a_request_by_another_path_has_the_same_merge_key() -> None:
    assert merge_key(request(branch="z9hG4bKa")) == merge_key(request(branch="z9hG4bKb"))
    assert merge_key(request(cseq=2)) != merge_key(request(cseq=1))
