"""Who is this? A carrier or a PBX by its address, else an account by digest (R76 to R78).

Owns the order of the questions, the challenge and its realm (RFC 3261 §22, RFC 7616, RFC 8760). The
arithmetic is `sip.digest`'s; what the one identified may do is `registrar`'s and `admission`'s.
Only initial requests come here: in-dialog ones are authorised by their dialog.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from gateway.bans import source_of
from gateway.credentials import accepted, fingerprint
from gateway.hot_state import HotState
from gateway.model.binding import Flow
from gateway.model.call import Source
from gateway.model.onnet_account import OnnetAccount
from gateway.model.profile import AuthMode, SipProfile
from gateway.ports import Ids
from gateway.refusal import Refusal, refuse
from sip.digest import MD5, SHA256, Nonces, NonceVerdict, hash_a1, verify_credentials
from sip.errors import SipError
from sip.fields.auth import Challenge, Credentials
from sip.message import Request
from sip.uri import Uri

# We are the PBX's registrar, and for its calls stand where it expects its provider's proxy.
_AS_REGISTRAR: Final = (401, "WWW-Authenticate", "Authorization")
_AS_PROXY: Final = (407, "Proxy-Authenticate", "Proxy-Authorization")

_NONCE_OCTETS: Final = 8


@dataclass(frozen=True, slots=True)
class Identified:
    """`signed_with` is the fingerprint of the password used, empty for address peers (R83)."""

    source: Source
    id: int
    signed_with: str = ""


@dataclass(frozen=True, slots=True)
class Challenged:
    """Ask again with credentials: the answer to strangers and to wrong passwords alike (R78).

    `failed`: a password was tried, on a challenge that this source got, and was wrong (R86).
    """

    status: int
    headers: list[tuple[str, str]]
    stale: bool = False
    failed: bool = False


Verdict = Identified | Challenged | Refusal
_Account = SipProfile | OnnetAccount


class Identifies(Protocol):
    """What the rooms that answer requests need: the identifier, or who stands before it."""

    def identify(self, request: Request, flow: Flow, now: float) -> Verdict: ...


class Identifier:
    """Asks the in-memory indexes; keeps H(A1) of accounts that signed correctly."""

    __slots__ = ("_hot", "_ids", "_known", "_nobody", "_nonces", "_realms")

    def __init__(self, hot: HotState, nonces: Nonces, realms: tuple[str, ...], ids: Ids) -> None:
        self._hot = hot
        self._nonces = nonces
        self._realms = {realm.lower(): realm for realm in realms}
        self._ids = ids
        # By algorithm, username and realm: the password it was made of, H(A1), fingerprint.
        self._known: dict[tuple[str, str, str], tuple[str, str, str]] = {}
        self._nobody = ids.token(16)  # stands in for H(A1) of unknown usernames

    def identify(self, request: Request, flow: Flow, now: float) -> Verdict:
        """Judge an initial request. A REGISTER always signs: an address alone binds nothing."""
        if request.method == "REGISTER":
            return self._by_digest(request, flow, now)
        carrier = self._hot.carrier_from(flow)
        if carrier is not None:
            return Identified(Source.CARRIER, carrier.id)
        profile = self._hot.profile_from(flow)
        if profile is not None:
            if profile.require_tls and not flow.secure:
                return refuse("REQUIRE_TLS")
            return Identified(Source.PROFILE, profile.id)
        return self._by_digest(request, flow, now)

    def _by_digest(self, request: Request, flow: Flow, now: float) -> Verdict:
        credentials = self._credentials(request)
        if credentials is None:
            named = request.from_.uri.username
            return self._challenge(request, self._account(named), flow, now)
        account = self._account(credentials.username)
        # First the nonce: without one that this source got, nothing is said about the password.
        # So each guess costs its source a counted failure, and nobody can fail in another's name.
        # Whoever knows the password tries again by itself (RFC 7616 §3.3, stale).
        place = source_of(flow.remote[0])
        if self._nonces.judge(credentials.nonce, now, place) is not NonceVerdict.OK:
            return self._challenge(request, account, flow, now, stale=True)
        mark = self._signed_with(request, credentials, account, flow, now)
        if account is None or not mark:
            return self._challenge(request, account, flow, now, failed=True)
        # Counts are used up by right responses only.
        if self._nonces.use(credentials.nonce, credentials.nc, now) is not NonceVerdict.OK:
            return self._challenge(request, account, flow, now, stale=True)
        return _permitted(request, credentials, account, flow, mark)

    def _credentials(self, request: Request) -> Credentials | None:
        """The first credentials that are for one of our realms; unreadable ones are as none."""
        for text in request.headers.all(_role(request)[2]):
            try:
                credentials = Credentials.parse(text)
            except SipError:
                continue
            if self._realms.get(credentials.realm.lower()) == credentials.realm:
                return credentials
        return None

    def _account(self, username: str) -> _Account | None:
        return self._hot.profile_by_username.get(username) or self._hot.onnet(username)

    def _signed_with(
        self,
        request: Request,
        credentials: Credentials,
        account: _Account | None,
        flow: Flow,
        now: float,
    ) -> str:
        """The fingerprint of the password the response was made with; "" when with none."""
        algorithm = SHA256 if (credentials.algorithm or "").upper() == SHA256 else MD5
        key = (algorithm, credentials.username, credentials.realm)
        if account is None:
            # The same work as for a known username, so that time tells nothing (R78).
            self._is_signed(request, credentials, self._nobody)
            return ""
        for password in self._passwords(account, request.method, flow, now):
            known = self._known.get(key)
            if known is None or known[0] != password:
                ha1 = hash_a1(*key, password)
                known = (password, ha1, fingerprint(_username(account), password))
            signed = self._is_signed(request, credentials, known[1])
            if signed or credentials.username == _username(account):
                # Wrong guesses too, or they would take longer than an unknown username does; but
                # not for every spelling of an account name, or strangers could fill the memory.
                self._known[key] = known
            if signed:
                return known[2]
        return ""

    def _passwords(self, account: _Account, method: str, flow: Flow, now: float) -> tuple[str, ...]:
        """Every password that may sign for the account now; an old one for a while (R83)."""
        if isinstance(account, OnnetAccount):
            return (account.password,)
        return accepted(account, method, flow.remote[0], self._hot.location, now)

    def _is_signed(self, request: Request, credentials: Credentials, ha1: str) -> bool:
        return verify_credentials(credentials, request.method, None, request.body, ha1=ha1)

    def _challenge(
        self,
        request: Request,
        account: _Account | None,
        flow: Flow,
        now: float,
        *,
        stale: bool = False,
        failed: bool = False,
    ) -> Challenged:
        status, name, _ = _role(request)
        place = source_of(flow.remote[0])
        nonce = self._nonces.mint(now, self._ids.octets(_NONCE_OCTETS), place)
        # Ruling 17: MD5 first; some UAs take the first challenge or stumble over SHA-256.
        both = isinstance(account, SipProfile) and account.sha256
        algorithms = (MD5, SHA256) if both else (MD5,)
        realm = self._realm(request)
        headers = [
            (name, str(Challenge(realm, nonce, algorithm, ("auth",), stale=stale)))
            for algorithm in algorithms
        ]
        return Challenged(status, headers, stale, failed)

    def _realm(self, request: Request) -> str:
        """The realm the request itself names, else our first one."""
        realms = self._realms
        for uri in (request.request_uri, request.to.uri, request.from_.uri):
            found = realms.get(uri.host.lower())
            if found is not None:
                return found
        return next(iter(realms.values()))


def _role(request: Request) -> tuple[int, str, str]:
    return _AS_REGISTRAR if request.method == "REGISTER" else _AS_PROXY


def _username(account: _Account) -> str:
    return account.username if isinstance(account, SipProfile) else account.name


def _permitted(
    request: Request,
    credentials: Credentials,
    account: _Account,
    flow: Flow,
    mark: str,
) -> Identified | Refusal:
    """What a right password does not excuse. Strangers never learn of these rules."""
    if request.method == "INVITE" and not _same_user(credentials.uri, request):
        # RFC 7616 §3.4.6: the number that was signed is the number that is called.
        return refuse("BAD_REQUEST", "the digest uri names another number than the request line")
    if isinstance(account, OnnetAccount):
        if account.profile_id is not None:
            return refuse("ATTACHED_TO_PROFILE")  # R97
        return Identified(Source.ONNET, account.id, mark)
    if account.require_tls and not flow.secure:
        return refuse("REQUIRE_TLS")  # R91
    if account.mode is AuthMode.IP:
        at_home = account.address is not None and account.address[0] == flow.remote[0]
        needless = request.method == "REGISTER" and at_home
        return refuse("NOT_REGISTRATION_MODE" if needless else "WRONG_SOURCE")  # R77
    return Identified(Source.PROFILE, account.id, mark)


def _same_user(signed: str, request: Request) -> bool:
    """Hosts are not compared: gateways in between rewrite them.

    Some agents (sipp) sign the server's URI, without a number: that binds nothing and is let pass.
    """
    try:
        user = Uri.parse(signed).username
        return not user or user == request.request_uri.username
    except SipError:
        return False
