"""What a REGISTER does to the bindings of its AOR."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.binding import Binding, Flow, Owner
from gateway.refusal import Refusal
from gateway.registrar import RegistrarLimits, Registration, process, refusal_headers
from sip.message import Request
from tests.support import factories as make

LIMITS = RegistrarLimits()
USER = "99051000000001"
PBX_URI = f"sip:pbx@{make.PBX[0]}:{make.PBX[1]}"


def run(
    request: Request,
    bindings: list[Binding] | None = None,
    flow: Flow | None = None,
    limits: RegistrarLimits = LIMITS,
    **how: Any,
) -> Registration | Refusal:
    return process(
        request,
        how.get("owner", Owner.PROFILE),
        1,
        how.get("username", USER),
        bindings or [],
        flow or make.flow(),
        how.get("now", make.NOW),
        make.AT,
        limits,
        how.get("signed_with", ""),
    )


def done(*args: Any, **how: Any) -> Registration:
    answer = run(*args, **how)
    assert isinstance(answer, Registration), answer
    return answer


def refused(*args: Any, **how: Any) -> str:
    answer = run(*args, **how)
    assert isinstance(answer, Refusal), answer
    return answer.code


def register(*contacts: str, **fields: Any) -> Request:
    return make.register(contacts=contacts, **fields)


def bound(*contacts: str, **fields: Any) -> list[Binding]:
    """The bindings after one REGISTER."""
    return list(done(register(*contacts, **fields)).saved)


def test_a_pbx_without_nat_is_bound_for_an_hour() -> None:
    """R76, R81"""
    answer = done(register(f"<{PBX_URI};line=abc>"), signed_with="f00d")
    (saved,) = answer.saved
    assert saved == Binding(
        owner=Owner.PROFILE,
        owner_id=1,
        contact=f"{PBX_URI};line=abc",
        flow=make.flow(),
        sip_call_id="call-1",
        cseq=1,
        q=1000,
        expires_at=make.AT + timedelta(hours=1),
        deadline=make.NOW + 3600,
        user_agent="PBX 1",
        signed_with="f00d",
    )
    assert answer.removed == ()
    assert (answer.status, answer.unchanged, answer.replaced_alert) == (200, False, False)
    assert answer.headers == [("Contact", f"<{PBX_URI};line=abc>;expires=3600")]


@pytest.mark.parametrize(
    ("contact", "via", "transport", "nat"),
    [
        (PBX_URI, make.PBX, "udp", False),
        ("sip:pbx@203.0.113.7", ("203.0.113.7", 5060), "udp", False),
        ("sip:pbx@10.0.0.5:5060", make.PBX, "udp", True),
        (PBX_URI, ("10.0.0.5", 5060), "udp", True),
        ("sip:pbx@203.0.113.7:5080", make.PBX, "udp", True),
        (PBX_URI, ("203.0.113.7", 5080), "udp", True),
        ("sip:pbx@203.0.113.7:5080;transport=tcp", ("203.0.113.7", 33000), "tcp", False),
        ("sip:pbx@203.0.113.7:5081;transport=tls", ("203.0.113.7", 33000), "tls", False),
        ("sip:pbx@10.0.0.5:5060;transport=tcp", ("10.0.0.5", 33000), "tcp", True),
        ("sip:pbx@pbx.example.org", make.PBX, "udp", True),
    ],
)
def test_nat_shows_in_source_contact_and_via(
    contact: str, via: tuple[str, int], transport: str, nat: bool
) -> None:
    """R81: over UDP address and port are compared, over streams the address alone."""
    request = register(f"<{contact}>", via=via, transport=transport)
    answer = done(request, flow=make.flow(make.PBX, transport))
    assert answer.saved[0].nat is nat
    assert answer.saved[0].deadline - make.NOW == (45 if nat else 3600)
    assert f";expires={45 if nat else 3600}" in answer.headers[0][1]


def test_ipv6_addresses_are_compared_as_addresses() -> None:
    request = register("<sip:pbx@[2001:DB8:0::7]:5060>", via=("[2001:db8::7]", 5060))
    answer = done(request, flow=make.flow(("2001:db8::7", 5060)))
    assert not answer.saved[0].nat


@pytest.mark.parametrize(
    ("param", "header", "granted_s"),
    [
        (";expires=120", "900", 120),
        ("", "900", 900),
        ("", None, 3600),
        (";expires=86400", None, 3600),
        (";expires=30", None, 30),
        (";expires=soon", "900", 3600),  # RFC 3261 §10.2.1.1: malformed is as 3600
    ],
)
def test_the_pbx_may_ask_for_less(param: str, header: str | None, granted_s: int) -> None:
    """R81, RFC 3261 §10.3 step 7: the Contact's parameter wins over the header."""
    extra = [("Expires", header)] if header else []
    answer = done(register(f"<{PBX_URI}>{param}", extra=extra))
    assert answer.saved[0].deadline == make.NOW + granted_s


def test_behind_nat_the_pbx_may_ask_for_less_but_gets_no_more() -> None:
    """R81"""
    for asked_s, granted_s in ((3600, 45), (40, 40)):
        answer = done(register(f"<sip:pbx@10.0.0.5>;expires={asked_s}"))
        assert answer.saved[0].deadline == make.NOW + granted_s


@pytest.mark.parametrize("asked_s", [30, 45, 3600])
def test_whenever_it_is_the_seconds_told_are_the_seconds_granted(asked_s: int) -> None:
    """R81: no rounding of a clock makes 46 of 45 seconds."""
    for step in range(200):
        answer = done(register(f"<{PBX_URI}>;expires={asked_s}"), now=100 + step / 7)
        assert answer.headers == [("Contact", f"<{PBX_URI}>;expires={asked_s}")]


@pytest.mark.parametrize("asked_s", [1, 29])
def test_below_the_minimum_the_least_time_is_named(asked_s: int) -> None:
    """R81: 423 with Min-Expires."""
    answer = run(register(f"<{PBX_URI}>;expires={asked_s}"))
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.status) == ("INTERVAL_TOO_BRIEF", 423)
    assert refusal_headers(answer, LIMITS) == [("Min-Expires", "30")]


def test_a_query_lists_what_is_bound_and_changes_nothing() -> None:
    """RFC 3261 §10.2.3"""
    old = bound(f"<{PBX_URI}>;q=0.5")
    answer = done(register(), old, now=make.NOW + 100.5)
    assert (answer.saved, answer.removed, answer.unchanged) == ((), (), False)
    assert answer.headers == [("Contact", f"<{PBX_URI}>;expires=3500;q=0.500")]


def test_a_refresh_is_recognised_as_one() -> None:
    """Only expiry and sequence moved: the write can wait."""
    old = bound(f"<{PBX_URI}>")
    answer = done(register(f"<{PBX_URI}>", cseq=2), old, now=make.NOW + 45)
    assert answer.unchanged
    assert answer.saved[0].deadline == make.NOW + 45 + 3600
    assert answer.saved[0].cseq == 2


@pytest.mark.parametrize(
    "moved",
    [
        {"flow": make.flow(("203.0.113.7", 40000))},
        {"contact": f"<{PBX_URI}>;q=0.5"},
        {"contact": f'<{PBX_URI}>;+sip.instance="<urn:uuid:1>"'},
        {"signed_with": "new"},
    ],
)
def test_a_refresh_that_moves_something_is_no_mere_refresh(moved: dict[str, Any]) -> None:
    old = bound(f"<{PBX_URI}>")
    contact = moved.pop("contact", f"<{PBX_URI}>")
    answer = done(register(contact, cseq=2), old, **moved)
    assert not answer.unchanged
    assert len(answer.saved) == 1


def test_equivalent_contacts_are_one_binding() -> None:
    """RFC 3261 §10.3 step 7: compared by §19.1.4, kept as written last."""
    old = bound("<sip:pbx@203.0.113.7:5060;X=1>")
    answer = done(register("<sip:pbx@203.0.113.7:5060;x=1>", cseq=2), old)
    assert [b.contact for b in answer.saved] == ["sip:pbx@203.0.113.7:5060;x=1"]
    assert list(answer.removed) == old
    assert len(answer.headers) == 1
    assert not answer.unchanged


def test_expires_zero_removes_one_contact() -> None:
    old = bound("<sip:a@203.0.113.7>", "<sip:b@203.0.113.7>")
    answer = done(register("<sip:a@203.0.113.7>;expires=0", cseq=2), old)
    assert [b.contact for b in answer.removed] == ["sip:a@203.0.113.7"]
    assert answer.saved == ()
    assert [value for _, value in answer.headers] == ["<sip:b@203.0.113.7>;expires=3600"]


def test_removing_what_is_not_bound_does_no_harm() -> None:
    answer = done(register("<sip:a@203.0.113.7>;expires=0"))
    assert (answer.saved, answer.removed, answer.headers) == ((), (), [])


def test_a_star_removes_everything() -> None:
    old = bound("<sip:a@203.0.113.7>", "<sip:b@203.0.113.7>")
    answer = done(register("*", cseq=2, extra=[("Expires", "0")]), old)
    assert list(answer.removed) == old
    assert answer.headers == []


@pytest.mark.parametrize(
    ("contacts", "expires"),
    [(["*"], "3600"), (["*"], None), (["*", f"<{PBX_URI}>"], "0")],
)
def test_a_star_stands_alone_and_with_expires_zero(
    contacts: list[str], expires: str | None
) -> None:
    """RFC 3261 §10.3 step 6"""
    extra = [("Expires", expires)] if expires else []
    assert refused(register(*contacts, extra=extra)) == "BAD_CONTACT"


def test_an_older_request_of_one_call_id_changes_nothing() -> None:
    """RFC 3261 §10.3 steps 6 and 7"""
    old = bound(f"<{PBX_URI}>", cseq=5)
    for cseq in (4, 5):
        assert refused(register(f"<{PBX_URI}>", cseq=cseq), old) == "OUT_OF_ORDER"
        star = register("*", cseq=cseq, extra=[("Expires", "0")])
        assert refused(star, old) == "OUT_OF_ORDER"
    assert done(register(f"<{PBX_URI}>", cseq=1, call_id="after-restart"), old).saved


def test_all_contacts_count_or_none() -> None:
    """RFC 3261 §10.3 step 7: a failure anywhere leaves everything as it was."""
    assert refused(register(f"<{PBX_URI}>", "<sip:x@h>;expires=5")) == "INTERVAL_TOO_BRIEF"


@pytest.mark.parametrize(
    "contact", ["<tel:+12025550123>", "<mailto:a@b>", "<sip:a@>", "<broken", '"a']
)
def test_only_sip_addresses_can_be_bound(contact: str) -> None:
    assert refused(register(contact)) == "BAD_CONTACT"


def test_a_pbx_changes_its_own_aor_only() -> None:
    """RFC 3261 §10.3 step 4"""
    assert refused(register(f"<{PBX_URI}>", to_user="99051000000002")) == "NOT_YOUR_ADDRESS"
    named = register(f"<{PBX_URI}>", from_user="Alice")
    assert done(named, owner=Owner.ONNET, username="alice").saved
    assert refused(named, username="alice") == "NOT_YOUR_ADDRESS"


def elsewhere(contact: str = "<sip:pbx@192.0.2.99>", **fields: Any) -> tuple[Request, Flow]:
    place = ("192.0.2.99", 5060)
    given = {"call_id": "other", "via": place, **fields}
    return register(contact, **given), make.flow(place)


def test_the_newest_pbx_wins_and_the_change_is_told() -> None:
    """R13"""
    old = bound(f"<{PBX_URI}>")
    request, flow = elsewhere()
    answer = done(request, old, flow)
    assert list(answer.removed) == old
    assert [b.contact for b in answer.saved] == ["sip:pbx@192.0.2.99"]
    assert answer.replaced_alert
    assert len(answer.headers) == 1


def test_a_pbx_that_comes_back_from_its_own_address_is_no_alarm() -> None:
    """R13: a restart makes a new Contact, not a second PBX."""
    old = bound(f"<{PBX_URI};rinstance=1>")
    answer = done(register(f"<{PBX_URI};rinstance=2>", call_id="after-restart"), old)
    assert list(answer.removed) == old
    assert not answer.replaced_alert


def test_another_make_at_the_same_address_is_another_pbx() -> None:
    """R13: two PBXs behind one public address."""
    old = [replace(b, user_agent="PBX 2") for b in bound("<sip:a@203.0.113.7:6000>")]
    assert done(register(f"<{PBX_URI}>", call_id="other"), old).replaced_alert


def test_a_second_pbx_can_be_refused_instead() -> None:
    """R13: the setting; the first one may still refresh."""
    limits = RegistrarLimits(refuse_second=True)
    old = bound(f"<{PBX_URI}>")
    request, flow = elsewhere()
    assert refused(request, old, flow, limits) == "ALREADY_REGISTERED"
    assert done(register(f"<{PBX_URI}>", cseq=2), old, limits=limits).unchanged


def test_contacts_of_one_register_are_one_pbx() -> None:
    """R13: all kept, no alert."""
    answer = done(register("<sip:a@203.0.113.7>;q=0.3", "<sip:b@203.0.113.7>;q=0.7"))
    assert [b.q for b in answer.saved] == [300, 700]
    assert answer.removed == () and not answer.replaced_alert
    assert [value.partition(">")[0] for _, value in answer.headers] == [
        "<sip:b@203.0.113.7",
        "<sip:a@203.0.113.7",
    ]


def test_one_instance_is_one_pbx_wherever_it_registers_from() -> None:
    """R13: +sip.instance (RFC 5626)."""
    instance = ';+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"'
    old = bound(f"<{PBX_URI}>{instance}")
    request, flow = elsewhere(f"<sip:pbx@192.0.2.99>{instance}")
    answer = done(request, old, flow)
    assert answer.removed == () and not answer.replaced_alert
    assert len(answer.headers) == 2
    assert all(instance in value for _, value in answer.headers)
    other, flow = elsewhere('<sip:pbx@192.0.2.99>;+sip.instance="<urn:uuid:2>"')
    assert list(done(other, old, flow).removed) == old


def test_an_instance_that_keeps_moving_loses_its_oldest_contacts() -> None:
    """It must never be locked out by its own past."""
    bindings: list[Binding] = []
    for step in range(8):
        contact = f'<sip:a@203.0.113.7:{6000 + step}>;+sip.instance="<urn:uuid:1>"'
        answer = done(register(contact, call_id=f"c{step}"), bindings)
        kept = [b for b in bindings if b not in answer.removed]
        bindings = [*answer.saved, *kept]  # newest first, as location gives them
    assert [b.contact[-4:] for b in bindings] == ["6007", "6006", "6005", "6004", "6003"]


def test_more_contacts_in_one_register_than_allowed_are_refused() -> None:
    contacts = [f"<sip:a@203.0.113.7:{6000 + i}>" for i in range(6)]
    assert refused(register(*contacts)) == "TOO_MANY_BINDINGS"
    assert len(done(register(*contacts[:5])).saved) == 5


def test_profiles_of_one_pbx_do_not_disturb_one_another() -> None:
    """R14: bindings belong to their AOR; one address and port carries many."""
    first = done(register(f"<{PBX_URI}>"))
    second = process(
        make.register(contacts=[f"<{PBX_URI}>"], from_user="two", call_id="two"),
        Owner.PROFILE,
        2,
        "two",
        [],
        make.flow(),
        make.NOW,
        make.AT,
        LIMITS,
    )
    assert isinstance(second, Registration)
    assert second.removed == () and not second.replaced_alert
    assert {b.owner_id for b in (*first.saved, *second.saved)} == {1, 2}


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("1", 1000),
        ("1.000", 1000),
        ("0", 0),
        ("0.5", 500),
        ("0.05", 50),
        ("0.123", 123),
        ("0.", 0),
        ("0.1234", 1000),
        ("2", 1000),
        ("high", 1000),
    ],
)
def test_q_is_read_in_thousandths(text: str, q: int) -> None:
    assert bound(f"<{PBX_URI}>;q={text}")[0].q == q


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["", ";expires=0", ";expires=60"])),
        min_size=1,
        max_size=5,
        unique_by=lambda pair: pair[0],
    ),
    st.sets(st.integers(0, 4)),
)
def test_what_is_listed_is_what_remains(steps: list[tuple[int, str]], before: set[int]) -> None:
    """RFC 3261 §10.3 step 8"""
    old = bound(*(f"<sip:{i}@203.0.113.7>" for i in sorted(before)), call_id="old")
    request = register(*(f"<sip:{i}@203.0.113.7>{param}" for i, param in steps))
    answer = done(request, old)
    remaining = {b.contact: b for b in old}
    for gone in answer.removed:
        del remaining[gone.contact]
    remaining.update({b.contact: b for b in answer.saved})
    listed = {value[1:].partition(">")[0] for _, value in answer.headers}
    assert listed == set(remaining)
    assert not {b.contact for b in answer.removed} & {b.contact for b in answer.saved}
