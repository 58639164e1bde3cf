"""The hub: every message finds its machine; what is wrong is answered (RFC 3261 §8, §12.2.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.endpoint import RequestFailed, RequestReceived, ResponseReceived
from sip.headers import Headers
from sip.message import Request
from tests.support.sip_stage import Stage
from tests.support.sip_text import SDP, UDP, answer, request, request_bytes

OPTIONS = Request(
    "OPTIONS",
    "sip:192.0.2.10",
    Headers([
        ("Via", ""),
        ("From", "<sip:us@192.0.2.1>;tag=us"),
        ("To", "<sip:192.0.2.10>"),
        ("Call-ID", "ours-2"),
        ("CSeq", "1 OPTIONS"),
        ("Max-Forwards", "70"),
    ]),
)  # fmt: skip
CHALLENGE = ('WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"',)


def received(stage: Stage) -> RequestReceived:
    (event,) = stage.events
    assert isinstance(event, RequestReceived)
    return event


# -- requests of the peer


def test_a_request_outside_any_dialog_is_the_tus() -> None:
    stage = Stage()
    stage.hear(request_bytes("REGISTER"))
    event = received(stage)
    assert event.request.method == "REGISTER"
    assert event.flow == UDP
    assert event.handle.session is None
    stage.run(
        stage.endpoint.respond(event.handle, 200, headers=(("Expires", "60"),), now=stage.now)
    )
    response = stage.response()
    assert (response.status, response.headers.get("Expires")) == (200, "60")
    assert response.to.tag != ""
    assert response.headers.get("Server") == "test"
    assert stage.hear(request_bytes("REGISTER")).names == ["200"]


def test_every_response_to_one_request_has_the_same_tag() -> None:
    stage = Stage()
    handle = received(stage.hear(request_bytes("MESSAGE"))).handle
    stage.run(stage.endpoint.respond(handle, 182, now=0.0))
    first = stage.response().to.tag
    stage.run(stage.endpoint.respond(handle, 200, now=0.0))
    assert stage.response().to.tag == first != ""


def test_the_via_of_a_reply_shows_where_the_request_came_from() -> None:
    """RFC 3581 §4."""
    stage = Stage()
    natted = UDP._replace(remote=("198.51.100.99", 40123))
    stage.hear(request_bytes("OPTIONS", via="SIP/2.0/UDP 10.0.0.9;rport;branch=z9hG4bKn"), natted)
    stage.run(stage.endpoint.respond(received(stage).handle, 200, now=0.0))
    via = stage.response().via
    assert (via.received, via.rport) == ("198.51.100.99", 40123)
    assert stage.flows == [natted]


@pytest.mark.parametrize("method", ["BYE", "UPDATE", "INFO", "INVITE", "REFER"])
def test_a_request_of_an_unknown_dialog_is_481(method: str) -> None:
    """§12.2.2."""
    assert Stage().hear(request_bytes(method, to_tag="gone")).names == ["481"]


@pytest.mark.parametrize("method", ["BYE", "UPDATE", "PRACK"])
def test_a_dialog_request_without_a_to_tag_is_481(method: str) -> None:
    assert Stage().hear(request_bytes(method)).names == ["481"]


def test_max_forwards_zero_is_483() -> None:
    assert Stage().hear(request_bytes(extra=("Max-Forwards: 0",))).names == ["483"]
    probe = Stage().hear(request_bytes("OPTIONS", extra=("Max-Forwards: 0",)))
    assert probe.names == ["RequestReceived"]


def test_the_same_invite_by_another_path_is_482() -> None:
    """§8.2.2.2: merged request."""
    stage = Stage()
    stage.offered()
    assert stage.hear(request_bytes(branch="z9hG4bKother", body=SDP)).names == ["482"]


def test_an_invite_again_with_credentials_is_no_merged_request() -> None:
    stage = Stage()
    session = stage.offered()
    stage.run(session.refuse(407, 0.0))
    again = request_bytes(branch="z9hG4bKother", cseq=2, body=SDP)
    assert stage.hear(again).names == ["Offered"]


def test_a_required_extension_we_do_not_know_is_420() -> None:
    """§8.2.2.3."""
    stage = Stage(supported=("timer",))
    stage.hear(request_bytes(extra=("Require: timer, 100rel",)))
    assert stage.names == ["420"]
    assert stage.response().headers.get("Unsupported") == "100rel"
    assert Stage(supported=("timer",)).hear(request_bytes(extra=("Require: Timer",))).names == [
        "Offered"
    ]


def test_an_invite_without_contact_is_400() -> None:
    """§8.1.1.8."""
    data = request_bytes().replace(b"Contact: <sip:pbx@192.0.2.10:5060>\r\n", b"")
    assert Stage().hear(data).names == ["400"]


def test_a_malformed_request_that_can_be_answered_is_400() -> None:
    stage = Stage()
    stage.hear(request_bytes("OPTIONS").replace(b"CSeq: 1 OPTIONS", b"CSeq: 1 INVITE"))
    assert stage.names == ["400"]
    assert stage.reports[0].kind == "malformed"


@pytest.mark.parametrize(
    "data", [b"\x80\x81 what", b"OPTIONS sip:x SIP/2.0\r\n\r\n", b"ACK x\r\n\r\n"]
)
def test_what_cannot_be_answered_is_only_reported(data: bytes) -> None:
    stage = Stage().hear(data)
    assert stage.names == []
    assert stage.reports[0].kind == "malformed"


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\r\n", b"\0", b"\0\0\0\0"])
def test_keep_alives_are_no_messages(data: bytes) -> None:
    stage = Stage().hear(data)
    assert (stage.names, stage.reports) == ([], [])


def test_a_malformed_ack_is_never_answered() -> None:
    stage = Stage().hear(request_bytes("ACK").replace(b"CSeq: 1 ACK", b"CSeq: 1 BYE"))
    assert stage.names == []


def test_a_stray_ack_is_ignored() -> None:
    assert Stage().hear(request_bytes("ACK", to_tag="gone")).names == []


@given(st.binary(max_size=200))
def test_no_datagram_breaks_the_endpoint(data: bytes) -> None:
    Stage().hear(data)


@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_no_damaged_request_breaks_the_endpoint(at: int, noise: bytes) -> None:
    whole = request_bytes(body=SDP, extra=("Record-Route: <sip:a;lr>",))
    Stage().hear(whole[:at] + noise + whole[at + len(noise) :])


# -- our own requests


def test_the_final_response_to_our_request_is_told() -> None:
    stage = Stage()
    handle, effects = stage.endpoint.request(OPTIONS, UDP, 0.0)
    sent = stage.run(effects).request()
    assert sent.via.branch.startswith("z9hG4bK")
    assert stage.respond(sent, 100, tag="").names == []
    stage.respond(sent, 200)
    (event,) = stage.events
    assert isinstance(event, ResponseReceived)
    assert (event.handle, event.response.status) == (handle, 200)
    assert stage.respond(sent, 200).names == []


def test_a_challenge_to_our_request_is_answered_once() -> None:
    stage = Stage()
    _, effects = stage.endpoint.request(OPTIONS, UDP, 0.0, ("us", "secret"))
    sent = stage.run(effects).request()
    assert stage.respond(sent, 401, extra=CHALLENGE).names == ["OPTIONS"]
    again = stage.request()
    assert again.cseq.number == 2
    assert stage.respond(again, 401, extra=CHALLENGE).names == ["ResponseReceived"]


@pytest.mark.parametrize(("cause", "status"), [("timeout", 408), ("flow", 503)])
def test_a_request_without_response_fails(cause: str, status: int) -> None:
    stage = Stage()
    handle, effects = stage.endpoint.request(OPTIONS, UDP, 0.0)
    stage.run(effects)
    if cause == "timeout":
        stage.advance(33)
    else:
        stage.run(stage.endpoint.flow_failed(UDP, 0.0))
    (event,) = stage.events
    assert isinstance(event, RequestFailed)
    assert (event.handle, event.status) == (handle, status)


def test_a_stray_response_is_reported_and_dropped() -> None:
    stage = Stage().hear(answer(request("OPTIONS"), 200))
    assert stage.names == []
    assert stage.reports[0].kind == "stray-response"


def test_a_response_with_a_second_via_was_not_meant_for_us() -> None:
    """§8.1.3.3."""
    stage = Stage()
    _, effects = stage.endpoint.request(OPTIONS, UDP, 0.0)
    sent = stage.run(effects).request()
    assert stage.respond(sent, 200, extra=("Via: SIP/2.0/UDP other",)).names == []
    assert stage.reports[0].kind == "stray-response"


def test_nothing_is_left_when_all_is_over() -> None:
    stage = Stage()
    session = stage.talking()
    stage.in_dialog("BYE", session)
    stage.advance(65)
    assert set(stage.endpoint.counts.values()) == {0}
    assert stage.endpoint.deadline is None
