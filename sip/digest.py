"""Owns digest authentication (RFC 7616, RFC 8760): responses, checking, answering, nonces.

MD5 and SHA-256, qop auth and auth-int, and the older form without qop; `-sess` is refused.
Time and entropy are arguments. Who may do what is not decided here (R78).
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable
from enum import Enum
from typing import Final

from sip.fields.auth import Challenge, Credentials

MD5: Final = "MD5"
SHA256: Final = "SHA-256"

_VERSION: Final = b"\x01"
_STAMP_OCTETS: Final = 6  # milliseconds
_RANDOM_OCTETS: Final = 8
_MAC_OCTETS: Final = 15
_HEAD_OCTETS: Final = len(_VERSION) + _STAMP_OCTETS + _RANDOM_OCTETS
_NONCE_LENGTH: Final = 40  # base64 of 30 octets: no padding, one spelling
_NO_COUNT: Final = 2**32  # above every nonce count: nothing may follow
_NOBODY: Final = "no such password"


class NonceVerdict(Enum):
    OK = "ok"
    STALE = "stale"  # ours, but too old: challenge again with stale=true
    REPLAYED = "replayed"  # ours and young, but this nonce count was used before
    INVALID = "invalid"  # not ours


class Nonces:
    """Mints nonces that certify themselves, and remembers the highest count used with each (R78).

    A nonce is version, time, random octets and an HMAC over them and the place it was minted for,
    by which peers are told apart (RFC 7616 §3.3). So nothing is kept for a challenge that is never
    answered, and nobody can use a challenge that another one got. The table of counts is bounded:
    when it is full the oldest entry goes, and nonces as old as that one are stale from then on
    instead of replayable.
    """

    __slots__ = ("_counts", "_floor_ms", "_lifetime_ms", "_secret", "_table_size")

    def __init__(self, secret: bytes, lifetime_s: float = 300.0, table_size: int = 50_000) -> None:
        self._secret = secret
        self._lifetime_ms = int(lifetime_s * 1000)
        self._table_size = table_size
        self._floor_ms = -1  # nonces minted up to here are only good while they are in the table
        self._counts: dict[bytes, int] = {}  # in the order of their first use

    def __len__(self) -> int:
        return len(self._counts)

    def mint(self, now: float, octets: bytes, place: str = "") -> str:
        """A new nonce; `octets` are at least 8 random ones."""
        head = _VERSION + int(now * 1000).to_bytes(_STAMP_OCTETS, "big") + octets[:_RANDOM_OCTETS]
        return urlsafe_b64encode(head + self._mac(head, place)).decode("ascii")

    def judge(self, nonce: str, now: float, place: str = "") -> NonceVerdict:
        """Whether it is ours, of this place and young; marks nothing."""
        raw = _decoded(nonce)
        if raw is None or not hmac.compare_digest(
            raw[_HEAD_OCTETS:], self._mac(raw[:_HEAD_OCTETS], place)
        ):
            return NonceVerdict.INVALID
        late = int(now * 1000) - _minted_ms(raw) > self._lifetime_ms
        return NonceVerdict.STALE if late else NonceVerdict.OK

    def verify(self, nonce: str, nc: int | None, now: float, place: str = "") -> NonceVerdict:
        """Judge a nonce and, when it is good, use its count."""
        if nc == 0:
            return NonceVerdict.INVALID
        verdict = self.judge(nonce, now, place)
        return verdict if verdict is not NonceVerdict.OK else self.use(nonce, nc, now)

    def use(self, nonce: str, nc: int | None, now: float) -> NonceVerdict:
        """Mark the count of a nonce that was judged good as used.

        Call it only for credentials whose response is right: strangers may not use up counts.
        `nc` None (credentials without qop) is good once for each nonce.
        """
        raw = _decoded(nonce)
        if raw is None or nc == 0:
            return NonceVerdict.INVALID
        minted_ms = _minted_ms(raw)
        highest = self._counts.get(raw)
        count = _NO_COUNT if nc is None else nc
        if highest is not None:
            # RFC 7616 §3.4.5: a count that does not grow is a replay.
            if nc is None or count <= highest:
                return NonceVerdict.REPLAYED
            self._counts[raw] = count
            return NonceVerdict.OK
        if minted_ms <= self._floor_ms:
            return NonceVerdict.STALE
        self._make_room(now)
        self._counts[raw] = count
        return NonceVerdict.OK

    def _make_room(self, now: float) -> None:
        counts = self._counts
        expired_ms = int(now * 1000) - self._lifetime_ms
        while counts:
            oldest = next(iter(counts))
            minted_ms = _minted_ms(oldest)
            if minted_ms >= expired_ms:
                if len(counts) < self._table_size:
                    return
                self._floor_ms = max(self._floor_ms, minted_ms)
            del counts[oldest]

    def _mac(self, head: bytes, place: str) -> bytes:
        # The head has one length, so head and place cannot be mistaken for each other.
        return hmac.digest(self._secret, head + place.encode(), "sha256")[:_MAC_OCTETS]


def hash_a1(algorithm: str | None, username: str, realm: str, password: str) -> str:
    """H(A1) for MD5 (also when `algorithm` is None) or SHA-256, in lower-case hexadecimal."""
    return _hash(algorithm, f"{username}:{realm}:{password}")


def compute_response(
    algorithm: str | None,
    ha1: str,
    nonce: str,
    method: str,
    uri: str,
    *,
    qop: str | None = None,
    nc: int | None = None,
    cnonce: str | None = None,
    body: bytes = b"",
) -> str:
    """The response value (RFC 7616 §3.4.1; without qop RFC 2069 §2.1.2)."""
    a2 = f"{method}:{uri}"
    if qop == "auth-int":
        a2 = f"{a2}:{_hash(algorithm, body)}"
    ha2 = _hash(algorithm, a2)
    if qop is None:
        return _hash(algorithm, f"{ha1}:{nonce}:{ha2}")
    return _hash(algorithm, f"{ha1}:{nonce}:{nc or 0:08x}:{cnonce or ''}:{qop}:{ha2}")


def verify_credentials(
    credentials: Credentials,
    method: str,
    password: str | None,
    body: bytes = b"",
    *,
    ha1: str | None = None,
) -> bool:
    """True when the response was made with `password`, or with `ha1` if that is given.

    With neither (an unknown username) the same work is done and the answer is False, so that time
    tells nothing. Realm and nonce are the caller's to check.
    """
    algorithm = _supported(credentials.algorithm)
    qop = credentials.qop
    if algorithm is None or qop not in (None, "auth", "auth-int"):
        return False
    if qop is not None and (credentials.nc is None or not credentials.cnonce):
        return False  # RFC 7616 §3.4: both are required with qop
    known = password is not None or ha1 is not None
    if ha1 is None:
        secret = _NOBODY if password is None else password
        ha1 = hash_a1(algorithm, credentials.username, credentials.realm, secret)
    expected = compute_response(
        algorithm,
        ha1,
        credentials.nonce,
        method,
        credentials.uri,
        qop=qop,
        nc=credentials.nc,
        cnonce=credentials.cnonce,
        body=body,
    )
    given = credentials.response.lower().encode("utf-8", "surrogateescape")
    return hmac.compare_digest(expected.encode("ascii"), given) and known


def answer_challenge(
    challenges: Iterable[Challenge],
    username: str,
    password: str,
    method: str,
    uri: str,
    cnonce: str,
    nc: int = 1,
    body: bytes = b"",
) -> tuple[str, str] | None:
    """The header (name, value) that answers the best challenge; None when we can answer none."""
    best: tuple[Challenge, str, str | None] | None = None
    for challenge in challenges:
        algorithm = _supported(challenge.algorithm)
        if challenge.scheme.lower() != "digest" or not challenge.nonce or algorithm is None:
            continue
        qop: str | None = next((q for q in ("auth", "auth-int") if q in challenge.qop), None)
        if challenge.qop and qop is None:
            continue
        # RFC 8760 §2.4: the strongest algorithm we know; else the first one offered.
        if best is None or (algorithm == SHA256 and best[1] == MD5):
            best = challenge, algorithm, qop
    if best is None:
        return None
    challenge, algorithm, qop = best
    count = None if qop is None else nc
    client_nonce = None if qop is None else cnonce
    response = compute_response(
        algorithm,
        hash_a1(algorithm, username, challenge.realm, password),
        challenge.nonce,
        method,
        uri,
        qop=qop,
        nc=count,
        cnonce=client_nonce,
        body=body,
    )
    credentials = Credentials(
        username=username,
        realm=challenge.realm,
        nonce=challenge.nonce,
        uri=uri,
        response=response,
        algorithm=challenge.algorithm,  # RFC 7616 §3.4: as the challenge had it, absent if absent
        qop=qop,
        nc=count,
        cnonce=client_nonce,
        opaque=challenge.opaque,
    )
    return "Proxy-Authorization" if challenge.proxy else "Authorization", str(credentials)


def _supported(algorithm: str | None) -> str | None:
    """Our name of an algorithm; None for those we refuse."""
    if algorithm is None or algorithm.upper() == MD5:
        return MD5
    return SHA256 if algorithm.upper() == SHA256 else None


def _hash(algorithm: str | None, data: str | bytes) -> str:
    octets = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    if algorithm is not None and algorithm.upper() == SHA256:
        return hashlib.sha256(octets).hexdigest()
    return hashlib.md5(octets, usedforsecurity=False).hexdigest()


def _decoded(nonce: str) -> bytes | None:
    if len(nonce) != _NONCE_LENGTH:
        return None
    try:
        raw = urlsafe_b64decode(nonce)
    except (Base64Error, ValueError):
        return None
    valid = len(raw) == _HEAD_OCTETS + _MAC_OCTETS and raw[:1] == _VERSION
    return raw if valid else None


def _minted_ms(raw: bytes) -> int:
    return int.from_bytes(raw[1 : 1 + _STAMP_OCTETS], "big")
