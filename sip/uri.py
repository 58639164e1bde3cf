"""Owns `Uri`: SIP, SIPS, tel and other URIs (RFC 3261 §19.1, RFC 3966): parse, print, compare.

Parameters keep their order and their raw text, so that a registered Contact comes back byte for
byte (R109). Escapes are undone only where a question needs it: `username`, `aor()`, `equivalent()`.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes

from sip.errors import RemoteProtocolError
from sip.grammar import ESCAPED, HOSTNAME, IPV6_ADDRESS, NOT_IN_URI, SCHEME, digits

Params = tuple[tuple[str, str | None], ...]

_RESERVED: Final = ";/?:@&=+$,"
_CACHED_LENGTH: Final = 256
# RFC 3261 §19.1.4: these never match when only one of the two URIs has them.
_DECISIVE: Final = ("user", "ttl", "method", "maddr", "transport")


class Uri(NamedTuple):
    """One URI. `==` compares the parts as written; `equivalent` compares by RFC 3261 §19.1.4.

    `user` and `params` are raw (still escaped); an IPv6 `host` has no brackets. For schemes other
    than sip and sips all that follows the scheme is in `user`, and `host` is empty.
    """

    scheme: str
    user: str = ""
    password: str | None = None
    host: str = ""
    port: int | None = None
    params: Params = ()
    headers: str = ""

    @staticmethod
    def parse(text: str) -> "Uri":
        """Raise RemoteProtocolError for anything that is no URI."""
        if len(text) <= _CACHED_LENGTH:
            return _parse_cached(text)
        return _parse(text)

    @property
    def is_sip(self) -> bool:
        """True for the schemes sip and sips."""
        return self.scheme in ("sip", "sips")

    @property
    def username(self) -> str:
        """The user part unescaped, without user parameters (`;phone-context=...`)."""
        return unescape(self.user.partition(";")[0])

    def param(self, name: str) -> str | None:
        """The raw value of a parameter; "" for a flag, None when absent."""
        return find_param(self.params, name)

    def has(self, name: str) -> bool:
        return find_param(self.params, name) is not None

    def replace(
        self, *, user: str | None = None, host: str | None = None, port: int | None = None
    ) -> "Uri":
        """A copy with other parts; what is not named stays."""
        return self._replace(
            user=self.user if user is None else user,
            host=self.host if host is None else host,
            port=self.port if port is None else port,
        )

    def with_user(self, user: str) -> "Uri":
        """A copy for another user (escaped as needed), without the old password."""
        return self._replace(user=escape_user(user), password=None)

    def with_param(self, name: str, value: str | None = None) -> "Uri":
        """A copy with the parameter set: replaced in place, else appended."""
        return self._replace(params=set_param(self.params, name, value))

    def aor(self) -> str:
        """The canonical address of record, `sip:user@host` (RFC 3261 §10.3 step 5)."""
        if not self.is_sip:
            return f"{self.scheme}:{self.user}"
        host = bracketed(self.host).lower().removesuffix(".")
        user = self.username
        return f"sip:{user}@{host}" if user else f"sip:{host}"

    def equivalent(self, other: "Uri") -> bool:
        """True when both identify the same resource (RFC 3261 §19.1.4)."""
        if self.scheme != other.scheme:
            return False
        if not self.is_sip:
            return _comparable_opaque(self) == _comparable_opaque(other)
        return (
            _normalised(self.user) == _normalised(other.user)
            and _normalised(self.password) == _normalised(other.password)
            and self.host.lower() == other.host.lower()
            and self.port == other.port
            and _params_match(self, other)
            and _header_set(self.headers) == _header_set(other.headers)
        )

    def __str__(self) -> str:
        if not self.is_sip:
            return f"{self.scheme}:{self.user}"
        host = self.host
        text = f"[{host}]" if ":" in host else host
        if self.port is not None:
            text = f"{text}:{self.port}"
        if self.user:
            secret = "" if self.password is None else f":{self.password}"
            text = f"{self.user}{secret}@{text}"
        for name, value in self.params:
            text += f";{name}" if value is None else f";{name}={value}"
        if self.headers:
            text = f"{text}?{self.headers}"
        return f"{self.scheme}:{text}"


def bracketed(host: str) -> str:
    """The host as it is printed: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def parse_hostport(text: str) -> tuple[str, int | None]:
    """Split `host[:port]`; an IPv6 host comes back without its brackets."""
    port_text: str | None = None
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or IPV6_ADDRESS.fullmatch(host) is None:
            raise RemoteProtocolError("malformed IPv6 reference")
        if rest:
            if rest[0] != ":":
                raise RemoteProtocolError("text after an IPv6 reference")
            port_text = rest[1:]
    else:
        host, colon, after = text.partition(":")
        if HOSTNAME.fullmatch(host) is None:
            raise RemoteProtocolError("malformed host")
        if colon:
            port_text = after
    if port_text is None:
        return host, None
    port = digits(port_text, 5)
    if port is None or not 0 < port < 65536:
        raise RemoteProtocolError("malformed port")
    return host, port


def find_param(params: Params, name: str) -> str | None:
    """The value of the first parameter of that name; "" for a flag, None when absent."""
    for key, value in params:
        if key == name or key.lower() == name:
            return "" if value is None else value
    return None


def set_param(params: Params, name: str, value: str | None) -> Params:
    """`params` with one set: replaced in place, else appended."""
    changed = tuple((k, value) if k.lower() == name else (k, v) for k, v in params)
    return changed if find_param(params, name) is not None else (*params, (name, value))


def unescape(text: str) -> str:
    """Undo %HH; octets that are no UTF-8 survive as surrogates."""
    if "%" not in text:
        return text
    raw = unquote_to_bytes(text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "surrogateescape")


def escape_user(text: str) -> str:
    """Escape what may not stand in a user part (RFC 3261 §25.1 `user`)."""
    if text.isascii() and text.isalnum():
        return text
    return quote_from_bytes(text.encode("utf-8", "surrogateescape"), safe="-_.!~*'()&=+$,;?/")


def _parse(text: str) -> Uri:
    scheme, colon, rest = text.partition(":")
    if not colon or SCHEME.fullmatch(scheme) is None:
        raise RemoteProtocolError("URI without a scheme")
    if not rest or NOT_IN_URI.search(rest) is not None:
        raise RemoteProtocolError("malformed URI")
    scheme = scheme.lower()
    if scheme not in ("sip", "sips"):
        return Uri(scheme, rest)
    user, password = "", None
    # RFC 3261 §25.1: a user part may hold ";" and "?" but never a raw "@".
    userinfo, at, after = rest.partition("@")
    if at:
        rest = after
        user, colon, secret = userinfo.partition(":")
        password = secret if colon else None
    rest, _, headers = rest.partition("?")
    hostport, semicolon, tail = rest.partition(";")
    host, port = parse_hostport(hostport)
    params: Params = ()
    if semicolon:
        params = tuple(_param(part) for part in tail.split(";"))
    return Uri(scheme, user, password, host, port, params, headers)


_parse_cached: Final = lru_cache(maxsize=4096)(_parse)


def _param(part: str) -> tuple[str, str | None]:
    name, equals, value = part.partition("=")
    return name, value if equals else None


def _normalised(text: str | None) -> str | None:
    """Escapes undone but for the reserved set, which differs from its escaped form (§19.1.4)."""
    if not text or "%" not in text:
        return text

    def undo(match: re.Match[str]) -> str:
        char = chr(int(match[1], 16))
        return (
            f"%{match[1].upper()}" if char in _RESERVED or char == "%" or ord(char) > 126 else char
        )

    return ESCAPED.sub(undo, text)


def _params_match(one: Uri, two: Uri) -> bool:
    ours = {name.lower(): _folded(value) for name, value in one.params}
    theirs = {name.lower(): _folded(value) for name, value in two.params}
    if any((name in ours) != (name in theirs) for name in _DECISIVE):
        return False
    return all(theirs[name] == value for name, value in ours.items() if name in theirs)


def _folded(value: str | None) -> str:
    return (_normalised(value) or "").lower()


def _header_set(headers: str) -> list[tuple[str, str]]:
    pairs = (part.partition("=") for part in headers.split("&") if part)
    return sorted((unescape(name).lower(), unescape(value)) for name, _, value in pairs)


def _comparable_opaque(uri: Uri) -> str:
    # RFC 3966 §4: visual separators do not count, letters compare without case.
    if uri.scheme == "tel":
        return uri.user.lower().translate(_VISUAL_SEPARATORS)
    return uri.user


_VISUAL_SEPARATORS: Final = {ord(char): None for char in "-.()"}
