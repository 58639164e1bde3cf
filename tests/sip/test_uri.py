"""URIs (RFC 3261 §19.1, RFC 3966, RFC 5118)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.errors import RemoteProtocolError
from sip.uri import Uri, escape_user, parse_hostport, unescape


@pytest.mark.parametrize(
    "text",
    [
        "sip:44151324@86.145.10.20:5060;rinstance=459608bf8eeb29ef",
        "sip:s@10.0.0.1:5060;line=vyfmvjr;x=%41b%2c;ob;;UPPER=Lower;e=",
        "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com",
        "sip:user;par=u%40example.net@example.com",
        "sip:[2001:db8::10]:5070;lr",
        "sip:[::ffff:192.0.2.1]",
        "sip:*21#@example.com",
        "sip:null-%00-null@example.com",
        "tel:+1-201-555-0123;phone-context=example.com",
        "urn:service:sos",
        "nobodyKnowsThisScheme:totallyopaquecontent".lower(),
    ],
)
def test_a_uri_prints_byte_for_byte_as_it_came(text: str) -> None:
    """R109: a registered Contact carries its parameters back unchanged."""
    assert str(Uri.parse(text)) == text


param_text = st.text(
    alphabet=st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_characters='<>"@?;\x7f'),
    max_size=12,
)


@given(st.lists(param_text, max_size=5))
def test_any_parameter_text_survives(parts: list[str]) -> None:
    """R109: raw parameter text survives parsing and printing."""
    text = "sip:441513@86.145.0.1:5060" + "".join(f";{part}" for part in parts)
    assert str(Uri.parse(text)) == text


@given(st.text(max_size=80))
def test_any_text_is_a_uri_or_a_protocol_error(text: str) -> None:
    for candidate in (text, "sip:" + text, "sip:a@" + text, "sip:[" + text):
        try:
            uri = Uri.parse(candidate)
        except RemoteProtocolError:
            continue
        assert Uri.parse(str(uri)) == uri
        uri.aor()
        assert uri.equivalent(uri)


def test_the_parts_of_a_uri() -> None:
    uri = Uri.parse("SIP:alice:pw@[2001:DB8::1]:5061;Transport=TLS;lr?a=b")
    assert (uri.scheme, uri.user, uri.password) == ("sip", "alice", "pw")
    assert (uri.host, uri.port, uri.headers) == ("2001:DB8::1", 5061, "a=b")
    assert uri.param("transport") == "TLS"
    assert uri.param("lr") == ""
    assert uri.has("lr")
    assert uri.param("maddr") is None
    assert not uri.has("maddr")


def test_the_username_is_unescaped_and_without_user_parameters() -> None:
    assert Uri.parse("sip:%61lice%20b;phone-context=x@h").username == "alice b"
    assert Uri.parse("sip:h").username == ""
    assert Uri.parse("tel:+123;ext=4").username == "+123"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "sip",
            "sip:",
            ":x",
            "sip:a@",
            "<sip:a@b>",
            "sip:a@b c",
            "sip:a@b\r\nX: y",
            "1sip:a@b",
        ),
        *("sip:a@b:", "sip:a@b:0", "sip:a@b:65536", "sip:a@b:5o60", "sip:a@b@c", "sip:a@-b"),
        *(
            "sip:a@2001:db8::1",
            "sip:a@[2001:db8::1",
            "sip:a@[::1]x",
            "sip:a@[1.2.3.4]",
            "sip:\x00@b",
        ),
    ],
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Uri.parse(text)


def test_a_long_uri_is_parsed_but_not_remembered() -> None:
    text = "sip:" + "a" * 1000 + "@example.com"
    assert Uri.parse(text) == Uri.parse(text)
    assert Uri.parse(text) is not Uri.parse(text)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+1-201-555-0123", "tel:+12015550123"),
        ("sip:a@b;lr", "sip:a@b;LR"),
    ],
)
def test_uris_the_rfc_calls_equivalent(one: str, two: str) -> None:
    """RFC 3261 §19.1.4, its own examples first."""
    assert Uri.parse(one).equivalent(Uri.parse(two))
    assert Uri.parse(two).equivalent(Uri.parse(one))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b", "tel:a"),
        ("sip:a:pw@b", "sip:a@b"),
        ("sip:a%40x@b", "sip:a%2540x@b"),
        ("sip:a@b;user=phone", "sip:a@b"),
        ("sip:a@b;maddr=1.2.3.4", "sip:a@b"),
    ],
)
def test_uris_the_rfc_calls_different(one: str, two: str) -> None:
    """RFC 3261 §19.1.4, its own examples first."""
    assert not Uri.parse(one).equivalent(Uri.parse(two))
    assert not Uri.parse(two).equivalent(Uri.parse(one))


@pytest.mark.parametrize(
    ("text", "aor"),
    [
        ("sip:%61lice@AtlanTa.CoM.:5060;transport=tcp?x=y", "sip:alice@atlanta.com"),
        ("sips:alice:pw@atlanta.com", "sip:alice@atlanta.com"),
        ("sip:Registrar.example", "sip:registrar.example"),
        ("sip:a@[2001:DB8::1]", "sip:a@[2001:db8::1]"),
        ("tel:+12015550123", "tel:+12015550123"),
    ],
)
def test_the_address_of_record_is_canonical(text: str, aor: str) -> None:
    """RFC 3261 §10.3 step 5."""
    assert Uri.parse(text).aor() == aor


def test_copies_change_only_what_they_name() -> None:
    uri = Uri.parse("sip:a:pw@b:5060;line=x")
    assert str(uri.replace(user="c")) == "sip:c:pw@b:5060;line=x"
    assert str(uri.replace(host="::1", port=5070)) == "sip:a:pw@[::1]:5070;line=x"
    assert str(uri.with_user("44151")) == "sip:44151@b:5060;line=x"
    assert str(uri.with_user("a@b c")) == "sip:a%40b%20c@b:5060;line=x"
    assert str(uri.with_param("line", "y")) == "sip:a:pw@b:5060;line=y"
    assert str(uri.with_param("lr")) == "sip:a:pw@b:5060;line=x;lr"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20))
def test_escaping_a_user_can_be_undone(text: str) -> None:
    escaped = escape_user(text)
    assert unescape(escaped) == text
    assert escaped.isascii()
    assert "@" not in escaped


def test_host_and_port_split() -> None:
    assert parse_hostport("example.com") == ("example.com", None)
    assert parse_hostport("[::1]:5061") == ("::1", 5061)
    with pytest.raises(RemoteProtocolError):
        parse_hostport("[::1]5061")
