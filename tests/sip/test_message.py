"""Messages: typed views, printing, and responses (RFC 3261 §7, §8.2.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.fields.cseq import CSeq
from sip.headers import Headers
from sip.message import Request, Response, response_to

FIELDS = [
    ("Via", "SIP/2.0/UDP a:5070;branch=z9hG4bK1, SIP/2.0/TCP b"),
    ("v", "SIP/2.0/TLS c"),
    ("f", '"Bob" <sip:bob@biloxi.com>;tag=1'),
    ("To", "<sip:alice@atlanta.com>"),
    ("Call-ID", "abc@def"),
    ("CSeq", "7 INVITE"),
    ("Max-Forwards", "70"),
    ("Contact", "<sip:bob@10.0.0.1>;expires=5, <sip:b@c>"),
    ("Record-Route", "<sip:p1;lr>, <sip:p2;lr>"),
    ("Route", "<sip:p3;lr>"),
    ("Timestamp", "54"),
    ("Content-Type", "Application/SDP; charset=utf-8"),
]


def invite(*more: tuple[str, str]) -> Request:
    return Request("INVITE", "sip:alice@atlanta.com", Headers([*FIELDS, *more]), b"v=0\r\n")


def test_typed_views_read_the_fields() -> None:
    request = invite()
    assert request.request_uri.host == "atlanta.com"
    assert [via.host for via in request.vias] == ["a", "b", "c"]
    assert (request.via.host, request.via.port) == ("a", 5070)
    assert (request.from_.display, request.from_.tag, request.to.tag) == ("Bob", "1", "")
    assert (request.cseq, request.call_id) == (CSeq(7, "INVITE"), "abc@def")
    assert [str(c.uri) for c in request.contacts] == ["sip:bob@10.0.0.1", "sip:b@c"]
    assert [str(r.uri) for r in request.record_routes] == ["sip:p1;lr", "sip:p2;lr"]
    assert [str(r.uri) for r in request.routes] == ["sip:p3;lr"]
    assert (request.max_forwards, request.expires) == (70, None)
    assert request.content_type == "application/sdp"
    assert repr(request) == "<Request INVITE sip:alice@atlanta.com>"


def test_a_typed_value_is_made_once() -> None:
    request = invite()
    assert request.from_ is request.from_
    assert request.vias is request.vias
    assert request.request_uri is request.request_uri


def test_a_missing_mandatory_field_is_the_peers_error() -> None:
    empty = Request("INVITE", "sip:a", Headers())
    for name in ("via", "vias", "from_", "to", "cseq", "call_id"):
        with pytest.raises(RemoteProtocolError):
            getattr(empty, name)
    assert (empty.contacts, empty.max_forwards, empty.content_type) == ([], None, "")


def test_a_star_contact_is_told_apart_from_none() -> None:
    """RFC 3261 §10.2.2."""
    star = Request("REGISTER", "sip:a", Headers([("m", " * ")]))
    assert (star.contacts, star.contact_is_star) == ([], True)
    assert not invite().contact_is_star


def test_malformed_expires_counts_as_absent() -> None:
    """RFC 3261 §10.2.1.1."""
    assert invite(("Expires", "soon")).expires is None
    assert invite(("Expires", "300")).expires == 300


def test_a_request_prints_its_fields_in_order_with_the_right_length() -> None:
    request = Request(
        "BYE", "sip:a@b", Headers([("v", "SIP/2.0/UDP a"), ("l", "99"), ("X", "é")]), b"12345"
    )
    assert request.to_bytes() == (
        b"BYE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP a\r\nContent-Length: 5\r\nX: \xc3\xa9\r\n\r\n12345"
    )


def test_octets_that_are_no_utf8_survive() -> None:
    value = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert b"Subject: caf\xe9\r\n" in invite(("Subject", value)).to_bytes()


@pytest.mark.parametrize("bad", ["x\r\nEvil: 1", "x\ny", "x\ry", "x\0y", "x\r\n", "\r\n\r\nbody"])
def test_no_value_can_inject_a_header(bad: str) -> None:
    request = invite(("Subject", bad))
    with pytest.raises(LocalProtocolError):
        request.to_bytes()
    with pytest.raises(LocalProtocolError):
        Response(200, bad, Headers()).to_bytes()
    with pytest.raises(LocalProtocolError):
        Request("INVITE", "sip:a" + bad, Headers()).to_bytes()


def test_a_request_uri_with_a_space_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        Request("INVITE", "sip:a SIP/2.0", Headers()).to_bytes()


@given(
    st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20), max_size=4)
)
def test_whatever_the_values_the_head_has_the_lines_we_put_there(values: list[str]) -> None:
    request = Request("OPTIONS", "sip:a", Headers([("X", value) for value in values]))
    try:
        head = request.to_bytes().partition(b"\r\n\r\n")[0]
    except LocalProtocolError:
        assert any(set(value) & set("\r\n\0") for value in values)
    else:
        assert head.count(b"\r\n") == len(values) + 1


def test_a_response_copies_what_it_must_in_order() -> None:
    """RFC 3261 §8.2.6.2."""
    response = response_to(invite(), 180, to_tag="t1", headers=[("Contact", "<sip:gw>")])
    assert list(response.headers.items()) == [
        ("Via", FIELDS[0][1]),
        ("Via", "SIP/2.0/TLS c"),
        ("From", '"Bob" <sip:bob@biloxi.com>;tag=1'),
        ("To", "<sip:alice@atlanta.com>;tag=t1"),
        ("Call-ID", "abc@def"),
        ("CSeq", "7 INVITE"),
        ("Contact", "<sip:gw>"),
    ]
    assert (response.status, response.reason) == (180, "Ringing")
    assert response.to_bytes().startswith(b"SIP/2.0 180 Ringing\r\nVia: ")


def test_a_to_tag_already_there_stays() -> None:
    request = Request("BYE", "sip:a", invite().headers.with_field("To", "<sip:a@b>;tag=old"))
    assert response_to(request, 200, to_tag="new").headers.get("To") == "<sip:a@b>;tag=old"


def test_a_to_without_brackets_gets_its_tag_too() -> None:
    request = Request("BYE", "sip:a", invite().headers.with_field("To", "sip:a@b"))
    response = response_to(request, 200, to_tag="new")
    assert (response.to.tag, response.to.uri.params) == ("new", ())


def test_only_100_copies_the_timestamp() -> None:
    """RFC 3261 §8.2.6.1."""
    assert response_to(invite(), 100).headers.get("Timestamp") == "54"
    assert response_to(invite(), 100).to.tag == ""
    assert "Timestamp" not in response_to(invite(), 180).headers


def test_a_response_may_carry_its_own_words_and_body() -> None:
    response = response_to(invite(), 488, "No Codec", body=b"xyz")
    assert response.to_bytes().endswith(b"Content-Length: 3\r\n\r\nxyz")
    assert response.reason == "No Codec"
    assert repr(response) == "<Response 488 No Codec>"


def test_challenges_know_where_they_stood_and_unreadable_ones_are_left_out() -> None:
    response = Response(
        407,
        "x",
        Headers(
            [
                ("Proxy-Authenticate", 'Digest realm="p", nonce="1"'),
                ("WWW-Authenticate", 'Digest realm="w", nonce="2"'),
                ("WWW-Authenticate", "Digest realm"),
            ]
        ),
    )
    assert [(c.realm, c.proxy) for c in response.challenges] == [("w", False), ("p", True)]


def test_other_headers_make_another_message() -> None:
    request = invite()
    changed = request.with_headers(request.headers.with_field("To", "<sip:x@y>;tag=2"))
    assert (changed.to.tag, request.to.tag) == ("2", "")
    assert (changed.method, changed.uri, changed.body) == ("INVITE", request.uri, request.body)
    assert Response(200, "OK", Headers()).with_headers(request.headers).from_.tag == "1"
