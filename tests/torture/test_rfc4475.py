"""RFC 4475: each torture message comes out as the message it is, or is refused as it should be."""

from pathlib import Path

import pytest

from sip.errors import RemoteProtocolError
from sip.message import Request, Response, response_to
from sip.parser import parse_message

pytestmark = pytest.mark.torture

FOLDER = Path(__file__).parent / "rfc4475"

# Name: section. Legal, or illegal in a place that is not the parser's to judge (a Date, a branch).
READ = {
    "wsinv": "3.1.1.1",
    "esc01": "3.1.1.3",
    "escnull": "3.1.1.4",
    "esc02": "3.1.1.5",
    "lwsdisp": "3.1.1.6",
    "longreq": "3.1.1.7",
    "dblreq": "3.1.1.8",
    "semiuri": "3.1.1.9",
    "transports": "3.1.1.10",
    "mpart01": "3.1.1.11",
    "unreason": "3.1.1.12",
    "noreason": "3.1.1.13",
    "baddate": "3.1.2.12",
    "badbranch": "3.2.1",
    "unkscm": "3.3.2",
    "novelsc": "3.3.3",
    "unksm2": "3.3.4",
    "bext01": "3.3.5",
    "invut": "3.3.6",
    "regaut01": "3.3.7",
    "bcast": "3.3.10",
    "zeromf": "3.3.11",
    "cparam01": "3.3.12",
    "cparam02": "3.3.13",
    "regescrt": "3.3.14",
    "sdp01": "3.3.15",
    "inv2543": "3.4.1",
}

# Name: section, status hint, and whether the request can still be answered.
REFUSED = {
    "intmeth": ("3.1.1.2", 400, False),  # legal but for our rule on NUL, see README.md
    "badinv01": ("3.1.2.1", 400, False),
    "clerr": ("3.1.2.2", 400, True),
    "ncl": ("3.1.2.3", 400, True),
    "scalar02": ("3.1.2.4", 400, False),
    "scalarlg": ("3.1.2.5", 400, False),
    "quotbal": ("3.1.2.6", 400, False),
    "ltgtruri": ("3.1.2.7", 400, True),
    "lwsruri": ("3.1.2.8", 400, True),
    "lwsstart": ("3.1.2.9", 400, True),
    "trws": ("3.1.2.10", 400, True),
    "escruri": ("3.1.2.11", 400, True),
    "regbadct": ("3.1.2.13", 400, True),
    "badaspec": ("3.1.2.14", 400, False),
    "baddn": ("3.1.2.15", 400, False),
    "badvers": ("3.1.2.16", 505, True),
    "mismatch01": ("3.1.2.17", 400, True),
    "mismatch02": ("3.1.2.18", 400, True),
    "bigcode": ("3.1.2.19", 400, False),
    "insuf": ("3.3.1", 400, False),
    "multi01": ("3.3.8", 400, True),
    "mcl01": ("3.3.9", 400, True),
}


def load(name: str) -> bytes:
    return (FOLDER / f"{name}.dat").read_bytes()


def test_every_file_is_accounted_for() -> None:
    assert {path.stem for path in FOLDER.glob("*.dat")} == READ.keys() | REFUSED.keys()
    assert not READ.keys() & REFUSED.keys()


@pytest.mark.parametrize("name", READ)
def test_a_legal_message_is_read_and_survives_printing(name: str) -> None:
    message = parse_message(load(name))
    again = parse_message(message.to_bytes())
    assert again.headers.without("l") == message.headers.without("l")
    assert again.body == message.body
    if isinstance(message, Request):
        parse_message(response_to(message, 200, to_tag="x").to_bytes())


@pytest.mark.parametrize("name", REFUSED)
def test_an_illegal_message_is_refused_with_its_status(name: str) -> None:
    _, status, answerable = REFUSED[name]
    with pytest.raises(RemoteProtocolError) as caught:
        parse_message(load(name))
    assert (caught.value.status_hint, caught.value.request is not None) == (status, answerable)


def test_the_tortuous_invite_means_what_the_rfc_says() -> None:
    """RFC 4475 §3.1.1.1."""
    message = parse_message(load("wsinv"))
    assert isinstance(message, Request)
    assert message.request_uri.has("unknownparam")
    assert (message.from_.display, message.from_.tag) == ('J Rosenberg \\"', "98asjd8")
    assert (message.max_forwards, message.cseq) == (68, (9, "INVITE"))
    assert [via.host for via in message.vias] == [
        "192.0.2.2",
        "spindle.example.com",
        "192.168.255.111",
    ]
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.contacts[0].param("newparam") == "newvalue"


def test_the_message_with_unusual_characters_is_read_once_its_nul_is_gone() -> None:
    """RFC 4475 §3.1.1.2."""
    message = parse_message(load("intmeth").replace(b"\\\0", b""))
    assert isinstance(message, Request)
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert "\x7f" in message.to.display
    assert message.request_uri.user.startswith("1_unusual.URI~(to-be!sure)")


def test_escapes_are_undone_for_names_and_never_in_methods() -> None:
    """RFC 4475 §3.1.1.3, §3.1.1.5."""
    message = parse_message(load("esc01"))
    assert isinstance(message, Request)
    assert message.request_uri.username == "sips:user@example.com"
    escaped_method = parse_message(load("esc02"))
    assert isinstance(escaped_method, Request)
    assert escaped_method.method == "RE%47IST%45R"


def test_octets_after_the_body_are_no_second_request() -> None:
    """RFC 4475 §3.1.1.8."""
    message = parse_message(load("dblreq"))
    assert isinstance(message, Request)
    assert (message.method, message.body) == ("REGISTER", b"")


def test_the_semicolon_belongs_to_the_user() -> None:
    """RFC 4475 §3.1.1.9."""
    message = parse_message(load("semiuri"))
    assert isinstance(message, Request)
    uri = message.request_uri
    assert (uri.user, uri.params, uri.username) == ("user;par=u%40example.net", (), "user")


def test_a_reason_phrase_may_be_russian_or_missing() -> None:
    """RFC 4475 §3.1.1.12, §3.1.1.13."""
    message = parse_message(load("unreason"))
    assert isinstance(message, Response)
    assert message.reason.startswith("= 2**3 * 5**2")
    empty = parse_message(load("noreason"))
    assert isinstance(empty, Response)
    assert (empty.status, empty.reason) == (100, "")


def test_contact_parameters_go_to_the_uri_or_to_the_field() -> None:
    """RFC 4475 §3.3.12, §3.3.13."""
    assert parse_message(load("cparam01")).contacts[0].param("unknownparam") is not None
    assert parse_message(load("cparam02")).contacts[0].uri.has("unknownparam")
