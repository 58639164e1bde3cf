"""What crosses from leg to leg: leg B's INVITE byte for byte, and nothing else of leg A."""

import re
from pathlib import Path
from typing import Any

import pytest

from gateway.b2bua.crossing import (
    InvitePlan,
    claimed_caller,
    invite_for,
    next_max_forwards,
    reason_across,
    release_headers,
)
from gateway.location import Location
from gateway.model.call import CallerIdentity, Dialect, EndCause, SrtpPolicy, Target
from gateway.routing import inbound_targets
from rating.e164 import E164
from sip.errors import RemoteProtocolError
from sip.message import Request, response_to
from sip.parser import parse_message
from tests.support import factories as make

GOLDEN = Path(__file__).with_name("golden_invite.txt")
REALM = "sip.example.com"
CALLER = CallerIdentity(E164("447824501234"))
CALLED = E164("4415132412345")
PLAN = InvitePlan("sipgw-1.0", ("INVITE", "ACK", "BYE", "UPDATE"), ("timer",))
HERE = ("193.120.218.68", 5060)


class PrintedIds:
    """The tag and Call-ID of the printed example, as entropy."""

    def token(self, octets: int = 8) -> str:
        return {
            18: "44da78c113c44b7e98086490ae247460fde5",
            23: "6940e91044da78c113c44b7e98086490ae24ecb194f690",
        }[octets]

    def octets(self, count: int) -> bytes:
        raise AssertionError("headers are made of tokens")


def target(dialect: Dialect = Dialect.MODERN, *, trusted: bool = True, **fields: Any) -> Target:
    given: dict[str, Any] = {
        "label": "carrier:main",
        "uri": "sip:+4415132412345@192.0.2.50:5060",
        "to_user": "+4415132412345",
        "flow": make.flow(make.CARRIER),
        "realm": REALM,
        "srtp": SrtpPolicy.NONE,
    }
    return Target(dialect=dialect, trusted=trusted, **{**given, **fields})


def invite(to: Target, caller: CallerIdentity = CALLER, body: bytes = b"v=0\r\n") -> Request:
    return invite_for(to, caller, body, PLAN, HERE, 70, make.CountingIds())


def test_the_classic_invite_is_the_printed_one() -> None:
    """R109: the guide's example with its masked digits filled in, byte for byte."""
    golden = GOLDEN.read_text("ascii").replace("\r\n", "\n").replace("\n", "\r\n").encode()
    contact = "sip:trunk@86.145.201.17:5060;rinstance=459608bf8eeb29ef"
    (to,) = inbound_targets(
        make.profile(),
        CALLED,
        Location([make.binding(contact=contact)]),
        lambda transport, host: HERE,
        REALM,
        make.NOW,
    )
    body = golden.partition(b"\r\n\r\n")[2]
    request = invite_for(to, CALLER, body, PLAN, HERE, 70, PrintedIds())
    via = "SIP/2.0/UDP 193.120.218.68:5060;branch=z9hG4bK-f58d-4b7e9808-6490ae24-1ec610ba"
    filled = request.with_headers(request.headers.with_field("Via", via))
    assert filled.to_bytes() == golden


def test_a_made_call_id_and_tag_have_the_printed_shape() -> None:
    """R109: prefix, hyphenated hex, no host; never the same twice."""
    ids = make.CountingIds()
    first = invite_for(target(Dialect.CLASSIC), CALLER, b"", PLAN, HERE, None, ids)
    second = invite_for(target(Dialect.CLASSIC), CALLER, b"", PLAN, HERE, None, ids)
    hexa = r"[0-9a-f]"
    shape = (
        rf"CXC-{hexa}{{2}}-{hexa}{{8}}-{hexa}{{8}}-{hexa}{{4}}-{hexa}{{8}}-{hexa}{{8}}-{hexa}{{7}}"
    )
    tag = rf"{hexa}{{8}}-{hexa}{{4}}-{hexa}{{8}}-{hexa}{{8}}-{hexa}{{8}}"
    for request in (first, second):
        assert re.fullmatch(shape, request.call_id)
        assert re.fullmatch(tag, request.from_.tag)
        assert not request.to.tag
        assert str(request.cseq) == "1 INVITE"
    assert first.call_id != second.call_id
    assert first.from_.tag != second.from_.tag


@pytest.mark.parametrize(
    ("received", "sent"), [(70, 30), (31, 30), (30, 29), (10, 9), (1, 0), (0, 0), (None, 30)]
)
def test_hops_are_counted_down_from_thirty(received: int | None, sent: int) -> None:
    """R109: min(30, received - 1)."""
    assert next_max_forwards(received) == sent
    request = invite_for(target(), CALLER, b"", PLAN, HERE, received, make.CountingIds())
    assert request.max_forwards == sent


def test_the_modern_dialect_asserts_the_caller_and_says_what_we_support() -> None:
    """R109"""
    request = invite(target())
    headers = request.headers
    assert request.uri == "sip:+4415132412345@192.0.2.50:5060"
    assert headers.get("To") == f"<sip:+4415132412345@{REALM}>"
    assert (headers.get("From") or "").startswith(f"<sip:+447824501234@{REALM}>;tag=")
    assert headers.all("P-Asserted-Identity") == [f"<sip:+447824501234@{REALM}>"]
    assert headers.get("Allow") == "INVITE,ACK,BYE,UPDATE"
    assert headers.get("Supported") == "timer"
    assert "Privacy" not in headers


def test_a_plan_that_supports_nothing_says_nothing() -> None:
    request = invite_for(target(), CALLER, b"", InvitePlan("x"), HERE, 70, make.CountingIds())
    assert "Supported" not in request.headers


def test_the_classic_dialect_adds_nothing_to_the_printed_fields() -> None:
    """R109"""
    printed = [line.partition(":")[0] for line in GOLDEN.read_text("ascii").split("\n")[1:12]]
    request = invite(target(Dialect.CLASSIC, trusted=False))
    assert [*(name for name, _ in request.headers.items()), "Content-Length"] == printed


def test_a_withheld_number_is_told_to_a_trusted_carrier_only() -> None:
    """R111c, RFC 3325"""
    hidden = CallerIdentity(None, network_number=E164("12026555376"))
    trusted = invite(target(), hidden)
    assert trusted.from_.uri.username == "anonymous"
    assert trusted.from_.display == "Anonymous"
    assert trusted.from_.uri.host == "anonymous.invalid"
    assert trusted.headers.get("Privacy") == "id"
    assert trusted.headers.get("P-Asserted-Identity") == f"<sip:+12026555376@{REALM}>"
    for dialect in Dialect:
        untrusted = invite(target(dialect, trusted=False), hidden)
        assert b"12026555376" not in untrusted.to_bytes()
        assert "P-Asserted-Identity" not in untrusted.headers
        assert "Privacy" not in untrusted.headers


def test_an_anonymous_caller_asks_for_privacy_without_an_identity() -> None:
    """R111c"""
    request = invite(target(), CallerIdentity(None))
    assert request.headers.get("Privacy") == "id"
    assert "P-Asserted-Identity" not in request.headers


def test_an_anonymous_caller_of_a_pbx_is_anonymous_everywhere() -> None:
    """R109"""
    request = invite(target(Dialect.CLASSIC, trusted=False), CallerIdentity(None))
    assert (request.headers.get("From") or "").startswith("<sip:anonymous@anonymous.invalid>;tag=")
    assert request.contacts[0].uri.username == "anonymous"


@pytest.mark.parametrize("dialect", Dialect)
def test_an_on_net_caller_is_shown_by_name(dialect: Dialect) -> None:
    """R109"""
    request = invite(target(dialect, trusted=False), CallerIdentity(None, onnet_name="o neill"))
    assert (request.headers.get("From") or "").startswith(f"<sip:o%20neill@{REALM}>;tag=")
    assert request.from_.uri.username == "o neill"
    assert request.contacts[0].uri.username == "o neill"
    assert "P-Asserted-Identity" not in request.headers


def test_the_contact_is_ours_on_the_transport_of_the_leg() -> None:
    """R109"""
    to = target(flow=make.flow(make.CARRIER, "tls"))
    request = invite_for(to, CALLER, b"", PLAN, ("2001:db8::1", 5061), 70, make.CountingIds())
    contact = request.headers.get("Contact")
    assert contact == "<sip:+447824501234@[2001:db8::1]:5061;transport=tls>"


def test_an_invite_without_an_offer_names_no_content_type() -> None:
    assert "Content-Type" not in invite(target(), body=b"").headers


@pytest.mark.parametrize("dialect", Dialect)
def test_every_invite_is_one_our_own_parser_takes(dialect: Dialect) -> None:
    request = invite(target(dialect))
    via = "SIP/2.0/UDP 193.120.218.68:5060;branch=z9hG4bK1"
    parsed = parse_message(request.with_headers(request.headers.with_field("Via", via)).to_bytes())
    assert isinstance(parsed, Request)
    assert parsed.body == b"v=0\r\n"


@pytest.mark.parametrize(
    ("extra", "claimed"),
    [
        ([], "99051000000001"),
        ([("P-Asserted-Identity", "<sip:+447824501234@c.example>")], "+447824501234"),
        ([("P-Asserted-Identity", '"A" <sip:+1@c>, <tel:+447824501234>')], "+1"),
        ([("P-Asserted-Identity", "<tel:+447824501234>")], "+447824501234"),
        ([("P-Asserted-Identity", "<broken, <sip:+2@c>")], "99051000000001"),
        ([("P-Asserted-Identity", "<sip:c.example>")], "99051000000001"),
        ([("P-Asserted-Identity", "<sip:+1@c>"), ("Privacy", "id")], ""),
        ([("Privacy", "header; User")], ""),
        ([("Privacy", "none")], "99051000000001"),
        ([("Privacy", "critical")], "99051000000001"),
    ],
)
def test_the_claimed_caller_is_the_asserted_one_unless_withheld(
    extra: list[tuple[str, str]], claimed: str
) -> None:
    """R111, RFC 3323, RFC 3325"""
    assert claimed_caller(make.request(extra=extra)) == claimed


def test_a_caller_nobody_can_read_is_the_peers_error() -> None:
    request = make.request()
    broken = request.with_headers(request.headers.with_field("From", "<<"))
    with pytest.raises(RemoteProtocolError):
        claimed_caller(broken)


@pytest.mark.parametrize(
    ("values", "crossed"),
    [
        (['Q.850;cause=17;text="busy at pbx7.internal"'], "Q.850;cause=17"),
        (['SIP;cause=486;text="x", q.850 ; cause = 21'], "Q.850;cause=21"),
        (["SIP;cause=200"], None),
        (["Q.850;cause=abc"], None),
        (["Q.850;text=x"], None),
        (['Q.850;text="x'], None),
        (["Q.850;cause=123456"], "Q.850;cause=123"),
        ([], None),
    ],
)
def test_only_the_cause_of_a_reason_crosses(values: list[str], crossed: str | None) -> None:
    """Topology hiding: the text may name machines."""
    response = response_to(make.request(), 486, None, [("Reason", v) for v in values])
    assert reason_across(response) == ([("Reason", crossed)] if crossed else [])


@pytest.mark.parametrize("cause", EndCause)
def test_every_end_has_a_reason(cause: EndCause) -> None:
    """RFC 3326"""
    ((name, value),) = release_headers(cause)
    assert name == "Reason"
    match = re.fullmatch(r'Q\.850;cause=(\d+);text="([a-z-]+)"', value)
    assert match is not None and match[2] == cause.value


def test_a_hang_up_is_normal_clearing() -> None:
    assert release_headers(EndCause.CALLER_HUNG_UP)[0][1].startswith("Q.850;cause=16;")
    assert release_headers(EndCause.CREDIT_EXHAUSTED)[0][1].startswith("Q.850;cause=31;")
