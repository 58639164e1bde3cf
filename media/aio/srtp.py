"""Owns the use of libsrtp (RFC 3711): one context per direction, made from a key.

Which key, and when a context is replaced, is told by the relay. A packet that cannot be processed
gives None, never an exception.
"""

from pylibsrtp import Error, Policy, Session

from media.plane import SrtpKey
from media.rtp import sequence, ssrc, with_ssrc
from media.sdp.crypto import SHA1_32, SHA1_80

# For RTCP both profiles use the 80-bit tag (RFC 4568 §6.2.2).
_PROFILES: dict[str, int] = {
    SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    SHA1_32: Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
SUITES = frozenset(_PROFILES)

WINDOW = 1024  # packets that may come late; 20 s of audio
MAX_SOURCES = 64  # per sending context: every SSRC costs state until the call ends
RESTART = 5  # refused packets in a row that make a restarted numbering
_STEP = 0x9E3779B1  # odd: aliases of one SSRC do not meet for 2**32 restarts


class SrtpReceiver:
    """Unprotects what one side sends. State is made for authenticated sources only."""

    __slots__ = ("_session",)

    def __init__(self, key: SrtpKey) -> None:
        self._session = Session(_policy(key, Policy.SSRC_ANY_INBOUND))

    def rtp(self, data: bytes) -> bytes | None:
        try:
            return self._session.unprotect(data)
        except (Error, ValueError):
            return None

    def rtcp(self, data: bytes) -> bytes | None:
        try:
            return self._session.unprotect_rtcp(data)
        except (Error, ValueError):
            return None


class SrtpSender:
    """Protects what goes to one side. A sequence number is never used twice (RFC 3711 §9.1).

    A plain source that starts its numbering anew under its old SSRC (a media server that was
    exchanged) goes on under another SSRC, instead of being refused until it has caught up.
    """

    __slots__ = ("_aliases", "_expected", "_last", "_refused", "_session", "_sources")

    def __init__(self, key: SrtpKey) -> None:
        self._session = Session(_policy(key, Policy.SSRC_ANY_OUTBOUND))
        self._last = b""
        self._sources: set[bytes] = set()
        self._aliases: dict[bytes, int] = {}
        self._expected = -1
        self._refused = 0

    def rtp(self, data: bytes) -> bytes | None:
        source = data[8:12]
        if self._aliases and source in self._aliases:
            data = with_ssrc(data, self._aliases[source])
            source = data[8:12]
        if source != self._last and not self._knows(source):
            return None
        try:
            return self._session.protect(data)
        except Error:
            self._count_refusal(data)
            return None
        except ValueError:
            return None

    def rtcp(self, data: bytes) -> bytes | None:
        if not self._knows(data[4:8]):
            return None
        try:
            return self._session.protect_rtcp(data)
        except (Error, ValueError):
            return None

    def _count_refusal(self, data: bytes) -> None:
        number = sequence(data)
        self._refused = self._refused + 1 if number == self._expected else 1
        self._expected = (number + 1) & 0xFFFF
        if self._refused < RESTART:
            return
        self._refused = 0
        used = data[8:12]
        original = next(
            (key for key, alias in self._aliases.items() if alias.to_bytes(4, "big") == used), used
        )
        self._aliases[original] = (ssrc(data) + _STEP) & 0xFFFFFFFF

    def _knows(self, source: bytes) -> bool:
        if source not in self._sources:
            if len(self._sources) >= MAX_SOURCES:
                return False
            self._sources.add(source)
        self._last = source
        return True


def _policy(key: SrtpKey, direction: int) -> Policy:
    policy = Policy(key=key.key_salt, ssrc_type=direction, srtp_profile=_PROFILES[key.suite])
    policy.window_size = WINDOW
    policy.allow_repeat_tx = False
    return policy
