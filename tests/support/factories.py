"""Builds nouns, hot state and SIP requests for tests; every argument has a usable default."""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from gateway.admission import AdmissionEnv
from gateway.hot_state import HotState
from gateway.model.binding import Binding, Flow, Owner
from gateway.model.call import Attempt, Source
from gateway.model.carrier import Carrier
from gateway.model.manager_account import ManagerAccount
from gateway.model.online_number import OnlineNumber
from gateway.model.onnet_account import OnnetAccount
from gateway.model.profile import SipProfile, Subscription
from gateway.ports import Snapshot
from rating.tariff import Rate, Tariff
from sip.digest import compute_response, hash_a1
from sip.fields.auth import Challenge, Credentials
from sip.headers import Headers
from sip.message import Request

REALM = "trunk.example.org"
AT = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
NOW = 1000.0
GATEWAY = ("198.51.100.1", 5060)
PBX = ("203.0.113.7", 5060)
CARRIER = ("192.0.2.50", 5060)


class CountingIds:
    """Deterministic entropy: never the same twice in one test."""

    def __init__(self) -> None:
        self._count = 0

    def octets(self, count: int) -> bytes:
        self._count += 1
        seed = str(self._count).encode()
        return b"".join(sha256(seed + bytes([i])).digest() for i in range(count // 32 + 1))[:count]

    def token(self, octets: int = 8) -> str:
        return self.octets(octets).hex()


def flow(
    remote: tuple[str, int] = PBX, transport: str = "udp", local: tuple[str, int] = GATEWAY
) -> Flow:
    return Flow(transport, local, remote)


def manager(id: int = 1, currency: str = "USD") -> ManagerAccount:
    return ManagerAccount(id, f"Company {id}", "US", currency, "America/New_York")


def profile(id: int = 1, **fields: Any) -> SipProfile:
    """An active profile in registration mode with 2 channels."""
    given: dict[str, Any] = {
        "manager_id": 1,
        "name": f"Profile.{id}",
        "username": f"9905100000{id:04d}",
        "password": f"secret-{id}",
        "channels": 2,
        "subscription": Subscription.ACTIVE,
    }
    return SipProfile(id=id, **{**given, **fields})


def onnet_account(id: int = 1, name: str = "alice", **fields: Any) -> OnnetAccount:
    return OnnetAccount(id, name, f"onnet-{id}", **fields)


def number(number: str = "+12026555376", profile_id: int | None = 1) -> OnlineNumber:
    return OnlineNumber(number, profile_id)


def carrier(id: int = 1, **fields: Any) -> Carrier:
    given: dict[str, Any] = {"name": f"carrier{id}", "host": CARRIER[0], "port": CARRIER[1]}
    return Carrier(id=id, **{**given, **fields})


def binding(owner_id: int = 1, **fields: Any) -> Binding:
    given: dict[str, Any] = {
        "owner": Owner.PROFILE,
        "contact": f"sip:pbx@{PBX[0]}:{PBX[1]}",
        "flow": flow(),
        "sip_call_id": "reg-1",
        "cseq": 1,
        "q": 1000,
        "expires_at": AT,
        "deadline": NOW + 3600,
        "user_agent": "PBX 1",
    }
    return Binding(owner_id=owner_id, **{**given, **fields})


def tariff(currency: str = "USD", rates: Iterable[Rate] | None = None) -> Tariff:
    """The United States at 0.006 a minute, the United Kingdom at 0.02, Fiji for nothing."""
    default = (
        Rate("1", "United States", 6_000),
        Rate("44", "United Kingdom", 20_000),
        Rate("679", "Fiji", 0),
    )
    return Tariff("standard", "1", currency, default if rates is None else rates)


def snapshot(**fields: Any) -> Snapshot:
    given: dict[str, Any] = {
        "managers": (manager(),),
        "profiles": (profile(),),
        "onnet_accounts": (),
        "numbers": (),
        "carriers": (carrier(),),
        "bindings": (),
        "balances": {"profile:1": 10_000_000},
        "open_calls": (),
        "tariff": tariff(),
    }
    return Snapshot(**{**given, **fields})


def hot_state(**fields: Any) -> HotState:
    """Hot state over a snapshot; the fields are the snapshot's."""
    return HotState(snapshot(**fields), (REALM,))


def env(**fields: Any) -> AdmissionEnv:
    given: dict[str, Any] = {"realm": REALM, "local_flow_for": lambda transport, host: GATEWAY}
    return AdmissionEnv(**{**given, **fields})


def attempt(called: str = "12025550123", **fields: Any) -> Attempt:
    """Profile 1 calls a number in the United States."""
    given: dict[str, Any] = {
        "call_id": "c-1",
        "source": Source.PROFILE,
        "source_id": 1,
        "called_host": REALM,
        "scheme": "sip",
        "caller": "101",
        "flow": flow(),
        "sip_call_id": "a-1@pbx",
        "at": AT,
        "now": NOW,
    }
    return Attempt(called=called, **{**given, **fields})


def request(
    method: str = "INVITE",
    uri: str = f"sip:12025550123@{REALM}",
    *,
    from_user: str = "99051000000001",
    to_user: str | None = None,
    call_id: str = "call-1",
    cseq: int = 1,
    via: tuple[str, int] = PBX,
    transport: str = "udp",
    contacts: Iterable[str] = (f"<sip:pbx@{PBX[0]}:{PBX[1]}>",),
    extra: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Request:
    """A request as a PBX at `via` sends it."""
    host, port = via
    to_user = from_user if to_user is None else to_user
    fields = [
        ("Via", f"SIP/2.0/{transport.upper()} {host}:{port};branch=z9hG4bK-1;rport"),
        ("From", f"<sip:{from_user}@{REALM}>;tag=pbx"),
        ("To", f"<sip:{to_user}@{REALM}>"),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
        ("Max-Forwards", "70"),
        ("User-Agent", "PBX 1"),
        *(("Contact", contact) for contact in contacts),
        *extra,
    ]
    return Request(method, uri, Headers(fields), body)


def register(**fields: Any) -> Request:
    """A REGISTER of profile 1."""
    return request("REGISTER", f"sip:{REALM}", **fields)


def signed(
    plain: Request,
    challenge: tuple[str, str],
    username: str,
    password: str,
    *,
    nc: int | None = 1,
    signed_uri: str | None = None,
) -> Request:
    """`plain` again with credentials for a challenge header (name, value)."""
    name, value = challenge
    asked = Challenge.parse(value)
    uri = plain.uri if signed_uri is None else signed_uri
    qop, cnonce = (None, None) if nc is None else ("auth", "c0ffee")
    response = compute_response(
        asked.algorithm,
        hash_a1(asked.algorithm, username, asked.realm, password),
        asked.nonce,
        plain.method,
        uri,
        qop=qop,
        nc=nc,
        cnonce=cnonce,
    )
    credentials = Credentials(
        username, asked.realm, asked.nonce, uri, response, asked.algorithm, qop, nc, cnonce
    )
    answers = {
        "Proxy-Authenticate": "Proxy-Authorization",
        "WWW-Authenticate": "Authorization",
    }
    return plain.with_headers(plain.headers.with_last(answers[name], str(credentials)))
