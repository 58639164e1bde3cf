"""The second try of a challenged request: RFC 3261 §22.2, §22.3."""

from sip.digest import verify_credentials
from sip.fields.auth import Credentials
from sip.invite.credentials import authorised
from sip.message import Request
from tests.support.ids import SequenceIds
from tests.support.sip_text import answer, parsed_response, request

PROXY = 'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth"'
SERVER = 'WWW-Authenticate: Digest realm="r", nonce="n"'
LOGIN = ("us", "secret")


def again(
    sent: Request, status: int, *challenges: str, login: tuple[str, str] | None = LOGIN
) -> Request | None:
    response = parsed_response(answer(sent, status, extra=challenges))
    return authorised(sent, response, login, 2, SequenceIds())


def test_the_request_comes_back_with_credentials_a_new_cseq_and_an_empty_via() -> None:
    sent = request()
    retry = again(sent, 407, PROXY)
    assert retry is not None
    assert retry.headers.get("Via") == ""
    assert retry.cseq.number == 2
    assert retry.headers.get("From") == sent.headers.get("From")
    credentials = Credentials.parse(retry.headers.get("Proxy-Authorization") or "")
    assert (credentials.uri, credentials.nc) == (sent.uri, 1)
    assert verify_credentials(credentials, "INVITE", "secret")


def test_a_server_challenge_without_qop_is_answered_in_its_own_header() -> None:
    retry = again(request(), 401, SERVER)
    assert retry is not None
    credentials = Credentials.parse(retry.headers.get("Authorization") or "")
    assert verify_credentials(credentials, "INVITE", "secret")


def test_both_kinds_may_be_asked_for_one_after_the_other() -> None:
    first = again(request(), 407, PROXY)
    assert first is not None
    readable = first.with_headers(first.headers.with_field("Via", "SIP/2.0/UDP us;branch=b"))
    second = again(readable, 401, SERVER)
    assert second is not None
    assert "Authorization" in second.headers
    assert "Proxy-Authorization" in second.headers


def test_there_is_nothing_to_answer_with() -> None:
    assert again(request(), 407, PROXY, login=None) is None
    assert again(request(), 407) is None
    assert again(request(), 403, PROXY) is None
    tried = request(extra=('Proxy-Authorization: Digest username="us"',))
    assert again(tried, 407, PROXY) is None
