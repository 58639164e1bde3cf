"""Called numbers to targets: request lines byte for byte."""

import pytest

from gateway.location import Location
from gateway.model.call import Dialect, SrtpPolicy, Target
from gateway.model.profile import AuthMode, SipProfile
from gateway.routing import inbound_targets, outbound_targets, readdress
from rating.e164 import E164
from sip.uri import Uri
from tests.support import factories as make

NUMBER = E164("4415132412345")


def local(transport: str, host: str) -> tuple[str, int]:
    return {"udp": ("198.51.100.1", 5060), "tcp": ("198.51.100.1", 5060)}.get(
        transport, ("198.51.100.1", 5061)
    )


def inward(
    profile: SipProfile, called: E164 | str, *bindings: object, now: float = make.NOW
) -> tuple[Target, ...]:
    location = Location(bindings)  # type: ignore[arg-type]
    return inbound_targets(profile, called, location, local, make.REALM, now)


def test_a_carrier_is_called_at_its_address_with_plus() -> None:
    (target,) = outbound_targets(NUMBER, [make.carrier(name="main")], local, make.REALM)
    assert target == Target(
        label="carrier:main",
        uri="sip:+4415132412345@192.0.2.50:5060",
        to_user="+4415132412345",
        flow=make.flow(make.CARRIER),
        realm=make.REALM,
        dialect=Dialect.MODERN,
        srtp=SrtpPolicy.NONE,
        trusted=True,
        carrier_id=1,
        response_s=6.0,
    )


def test_a_carrier_without_plus_over_tls_with_a_password() -> None:
    carrier = make.carrier(
        host="2001:db8::5", port=5061, transport="tls", plus=False, username="u", password="p"
    )
    (target,) = outbound_targets(NUMBER, [carrier], local, make.REALM)
    assert target.uri == "sip:4415132412345@[2001:db8::5]:5061;transport=tls"
    assert target.to_user == "4415132412345"
    assert target.flow == make.flow(("2001:db8::5", 5061), "tls", ("198.51.100.1", 5061))
    assert (target.username, target.password) == ("u", "p")
    assert "'p'" not in repr(target)


def test_carriers_are_hunted_in_the_order_given() -> None:
    carriers = [make.carrier(2), make.carrier(1)]
    targets = outbound_targets(NUMBER, carriers, local, make.REALM)
    assert [t.carrier_id for t in targets] == [2, 1]


def test_the_registered_contact_comes_back_with_all_its_parameters() -> None:
    """R109: Asterisk knows its trunk by `line=`, others by `rinstance=`."""
    contact = "sip:gateway@86.145.1.2:5060;rinstance=459608bf8eeb29ef;line=abc;ob"
    (target,) = inward(make.profile(), NUMBER, make.binding(contact=contact))
    assert target.uri == (
        "sip:4415132412345@86.145.1.2:5060;rinstance=459608bf8eeb29ef;line=abc;ob"
    )
    assert target.to_user == "4415132412345"
    assert target.label == f"binding:{contact}"
    assert not target.trusted


def test_the_modern_dialect_has_the_plus() -> None:
    """R109"""
    (target,) = inward(make.profile(dialect=Dialect.MODERN), NUMBER, make.binding())
    assert target.uri == "sip:+4415132412345@203.0.113.7:5060"
    assert target.to_user == "+4415132412345"
    assert target.dialect is Dialect.MODERN


def test_the_call_goes_over_the_flow_of_the_binding() -> None:
    """R81: through the NAT's mapping, whatever the Contact says."""
    mapped = make.flow(("198.51.100.200", 41234))
    bound = make.binding(contact="sip:pbx@10.0.0.5:5060", flow=mapped, nat=True)
    (target,) = inward(make.profile(), NUMBER, bound)
    assert target.flow == mapped
    assert target.uri == "sip:4415132412345@10.0.0.5:5060"


def test_bindings_are_hunted_best_first_and_lapsed_ones_left_out() -> None:
    """R13"""
    found = inward(
        make.profile(),
        NUMBER,
        make.binding(contact="sip:a@h", q=100),
        make.binding(contact="sip:b@h", q=900),
        make.binding(contact="sip:c@h", deadline=make.NOW),
    )
    assert [t.uri for t in found] == ["sip:4415132412345@b".replace("b", "h")] * 2
    assert [t.label for t in found] == ["binding:sip:b@h", "binding:sip:a@h"]


def test_a_profile_in_ip_mode_is_called_where_it_is_configured() -> None:
    """R80, R109: host and port as configured; bindings do not matter."""
    profile = make.profile(mode=AuthMode.IP, address=("203.0.113.20", 5062))
    (target,) = inward(profile, NUMBER, make.binding())
    assert target.uri == "sip:4415132412345@203.0.113.20:5062"
    assert target.flow == make.flow(("203.0.113.20", 5062))
    assert target.label == "address:203.0.113.20:5062"


def test_a_profile_in_ip_mode_over_a_stream_says_so() -> None:
    profile = make.profile(mode=AuthMode.IP, address=("203.0.113.20", 5061), transport="tls")
    (target,) = inward(profile, NUMBER)
    assert target.uri == "sip:4415132412345@203.0.113.20:5061;transport=tls"
    assert target.flow.local == ("198.51.100.1", 5061)


def test_nowhere_to_go_is_no_target() -> None:
    assert inward(make.profile(), NUMBER) == ()
    assert inward(make.profile(mode=AuthMode.IP), NUMBER) == ()


@pytest.mark.parametrize(
    ("called", "user"),
    [("203", "203"), ("Architects.Sales", "Architects.Sales"), ("a b@c", "a%20b%40c")],
)
def test_an_extension_or_name_stands_in_the_request_line(called: str, user: str) -> None:
    """R101"""
    (target,) = inward(make.profile(), called, make.binding())
    assert target.uri == f"sip:{user}@203.0.113.7:5060"
    assert target.to_user == user


@pytest.mark.parametrize(
    ("contact", "uri"),
    [
        ("sip:10.0.0.5", "sip:1@10.0.0.5"),
        ("sip:10.0.0.5:5070;lr", "sip:1@10.0.0.5:5070;lr"),
        ("sips:a@h:5061;x=%40", "sips:1@h:5061;x=%40"),
        ("sip:a:secret@h", "sip:1@h"),
        ("sip:a;b=c@h;d=e", "sip:1@h;d=e"),
        ("sip:a?b@h;d=e?Subject=x", "sip:1@h;d=e"),
        ("sip:a@[2001:db8::7]:5060;transport=TCP", "sip:1@[2001:db8::7]:5060;transport=TCP"),
        ("sip:[2001:db8::7]", "sip:1@[2001:db8::7]"),
    ],
)
def test_only_the_user_of_a_contact_changes(contact: str, uri: str) -> None:
    """R109"""
    assert readdress(contact, "1") == uri
    before, after = Uri.parse(contact), Uri.parse(uri)
    assert (after.host, after.port, after.params) == (before.host, before.port, before.params)
