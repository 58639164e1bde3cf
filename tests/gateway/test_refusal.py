"""The refusal table and what a refusal looks like on the wire."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.refusal import MAX_DETAIL, REFUSALS, headers, refuse
from sip.fields.params import unquote
from sip.headers import Headers
from sip.message import Request, response_to
from sip.parser import parse_message
from tests.support import factories as make

PROMISED = {
    "ATTACHED_TO_PROFILE": 403,
    "BAD_CONTACT": 400,
    "CALLS_FULL": 503,
    "CHANNELS_FULL_CALLER": 486,
    "CHANNELS_FULL_PBX": 503,
    "CREDIT": 403,
    "CREDIT_MANAGER": 403,
    "DESTINATION_NOT_ALLOWED": 403,
    "EMERGENCY_NOT_OFFERED": 503,
    "ENDED_BY_OPERATOR": 480,
    "INTERNAL": 500,
    "INTERVAL_TOO_BRIEF": 423,
    "INVALID_NUMBER": 484,
    "MEDIA_EXHAUSTED": 503,
    "MEDIA_NOT_ACCEPTABLE": 488,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_INTERNATIONAL": 484,
    "NO_CARRIER": 503,
    "NO_RATE": 404,
    "NO_SUBSCRIPTION": 403,
    "NO_SUCH_NUMBER": 404,
    "NUMBER_SUSPENDED": 480,
    "ONNET_NAME_NOT_DIALABLE": 404,
    "PBX_NOT_REACHABLE": 480,
    "PROFILE_INACTIVE": 403,
    "REQUIRE_TLS": 403,
    "SHUTTING_DOWN": 503,
    "SRTP_REQUIRED": 488,
    "STORE_UNAVAILABLE": 503,
    "SUBSCRIPTION_LAPSED": 403,
    "TOO_MANY_BINDINGS": 403,
    "UNKNOWN_REALM": 404,
    "WRONG_SOURCE": 403,
}


@pytest.mark.parametrize(("code", "status"), PROMISED.items())
def test_a_code_keeps_its_status(code: str, status: int) -> None:
    """R37, R64, R77, R91, R97, R122: customers' scripts know these."""
    assert refuse(code).status == status


@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_says_what_to_do(code: str) -> None:
    refusal = refuse(code)
    assert 400 <= refusal.status < 600
    assert 0 < refusal.q850 < 128
    assert refusal.sentence.endswith(".") and len(refusal.sentence) > 30
    assert refusal.reason and refusal.reason.isascii()


def test_a_caller_from_outside_hears_that_the_called_is_unavailable_not_forbidden() -> None:
    """R18: the code stays, the status fits who hears it."""
    assert refuse("NO_SUBSCRIPTION", outside=True).status == 480
    assert refuse("NO_SUBSCRIPTION", outside=True).code == "NO_SUBSCRIPTION"
    assert refuse("CHANNELS_FULL_CALLER", outside=True).status == 486


def test_a_full_trunk_is_answered_without_retry_after() -> None:
    """R37: the PBX shall try its next trunk at once."""
    assert [name for name, _ in headers(refuse("CHANNELS_FULL_PBX"))] == ["Reason", "Warning"]


def test_the_wire_form_carries_cause_code_and_sentence() -> None:
    reason, warning = headers(refuse("NO_RATE", "+88213"))
    assert reason == ("Reason", 'Q.850;cause=3;text="NO_RATE"')
    assert warning[0] == "Warning"
    assert warning[1].startswith('399 sipgw "NO_RATE No rate is known')
    assert warning[1].endswith('(+88213)"')


def test_a_refusal_reads_well_in_a_log() -> None:
    assert str(refuse("NO_RATE", "+88213")).startswith("NO_RATE 404 No rate")
    assert str(refuse("NO_RATE", "+88213")).endswith("(+88213)")
    assert str(refuse("NO_RATE")).endswith(".")


@given(st.text(max_size=200))
@example('quo"te')
@example("back\\slash\\")
@example("line\r\nInjected: yes")
def test_no_detail_breaks_out_of_its_header(detail: str) -> None:
    """A detail may come from the peer: line breaks, quotes, anything."""
    response = response_to(
        make.request(), 404, "No Such Number", headers(refuse("NO_SUCH_NUMBER", detail))
    )
    parsed = parse_message(response.to_bytes())
    assert not isinstance(parsed, Request)
    assert len(parsed.headers) == len(response.headers) + 1  # Content-Length
    text = Headers(parsed.headers.items()).get("Warning") or ""
    quoted = text.removeprefix("399 sipgw ")
    assert unquote(quoted).startswith("NO_SUCH_NUMBER ")
    assert len(unquote(quoted)) < 200 + MAX_DETAIL


@pytest.mark.parametrize("detail", ['a "quoted" name', "back\\slash\\", "plain"])
def test_a_detail_arrives_as_it_was(detail: str) -> None:
    _, (_, value) = headers(refuse("NO_SUCH_NUMBER", detail))
    assert f"({detail})" in unquote(value.removeprefix("399 sipgw "))


def test_an_unknown_code_is_our_own_mistake() -> None:
    with pytest.raises(KeyError):
        refuse("NO_SUCH_CODE")
