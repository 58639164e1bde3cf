"""Values for the store's tests: one of each noun, every field away from its default."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gateway.model.binding import Binding, Flow, Owner
from gateway.model.call import Dialect, SrtpPolicy
from gateway.model.carrier import Carrier
from gateway.model.cdr import Cdr
from gateway.model.manager_account import ManagerAccount
from gateway.model.onnet_account import OnnetAccount
from gateway.model.profile import AuthMode, OldPassword, SipProfile, Subscription
from gateway.model.record import CallAdmitted, CallAnswered
from rating.ledger import Entry, Posting
from rating.tariff import Rate

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
SECRET = "correct-horse-battery"

MANAGER = ManagerAccount(1, "Architects", "EE", "EUR", "Europe/Tallinn", verified=True)

PROFILE = SipProfile(
    id=1,
    manager_id=1,
    name="Sales.Architects",
    username="99051000100001",
    password=SECRET,
    mode=AuthMode.IP,
    address=("192.0.2.7", 5062),
    transport="tls",
    channels=12,
    subscription=Subscription.LAPSED,
    dialect=Dialect.MODERN,
    srtp=SrtpPolicy.REQUIRED,
    sha256=True,
    require_tls=True,
    caller_id="+12026555300",
    caller_id_by_country={"GB": "+442079460123"},
    home_country="EE",
    old_passwords=(OldPassword("staple-before", AT), OldPassword("staple-long-ago", AT)),
)

ACCOUNT = OnnetAccount(1, "Architects.Sales", SECRET, profile_id=1, extension="200")

CARRIER = Carrier(
    id=1,
    name="main",
    host="2001:db8::5",
    port=5061,
    transport="tls",
    priority=3,
    weight=20,
    max_calls=30,
    options_interval_s=12.5,
    response_timeout_s=2.5,
    username="us",
    password=SECRET,
    srtp=SrtpPolicy.REQUIRED,
    plus=False,
    match_port=False,
    enabled=False,
)

BINDING = Binding(
    owner=Owner.PROFILE,
    owner_id=1,
    contact="sip:99051000100001@192.0.2.7:5060;transport=udp;line=abc",
    flow=Flow("udp", ("198.51.100.1", 5060), ("192.0.2.7", 40000)),
    sip_call_id="reg-1@pbx",
    cseq=4_000_000_000,
    q=500,
    expires_at=AT + timedelta(seconds=3600),
    deadline=4600.0,
    user_agent="PBX 1.0",
    instance="<urn:uuid:1>",
    nat=True,
    signed_with="f00d",
)

CDR = Cdr(
    call_id="c-1",
    profile_id=1,
    kind="pstn",
    direction="outgoing",
    caller="+12026555300",
    called="+442079460123",
    started_at=AT,
    answered_at=AT + timedelta(seconds=5),
    ended_at=AT + timedelta(seconds=80),
    duration_s=75.25,
    billed_s=78,
    charge_micros=7800,
    currency="USD",
    rate_prefix="44",
    rate_per_min_micros=6000,
    derivation="76 s -> 78 s billed",
    cause="caller-hung-up",
    sip_status=200,
    refusal="",
    target="carrier:main",
    a_sip_call_id="a@pbx",
    b_sip_call_id="b@gw",
    media="a 1/2 b 3/4",
    attempts="first:503 main:200",
)

ADMITTED = CallAdmitted(
    call_id="c-1",
    profile_id=1,
    kind="pstn",
    direction="outgoing",
    caller="+12026555300",
    called="+442079460123",
    started_at=AT,
    a_sip_call_id="a@pbx",
    held_micros=3000,
    currency="USD",
    rate=Rate("44", "United Kingdom", 6000, connect_micros=50, first_s=60, step_s=1),
)

ANSWERED = CallAnswered("c-1", AT + timedelta(seconds=5), "carrier:main", '{"a":1}', '{"b":2}')


def admitted(call_id: str) -> CallAdmitted:
    return replace(ADMITTED, call_id=call_id)


def cdr(call_id: str) -> Cdr:
    return replace(CDR, call_id=call_id)


def entry(
    entry_id: str, micros: int, source: str = "profile:1", destination: str = "world:calls"
) -> Entry:
    sides = (Posting(source, -micros), Posting(destination, micros))
    return Entry(entry_id, "call", sides, "USD", AT, "c-1")
