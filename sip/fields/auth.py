"""Owns `Challenge` and `Credentials`, the digest header fields (RFC 7616, RFC 8760).

Parses and prints only; the arithmetic is in `sip.digest`.
"""

from dataclasses import dataclass, field

from sip.errors import RemoteProtocolError
from sip.fields.params import quote, unquote
from sip.grammar import AUTH_PARAM, TOKEN


@dataclass(frozen=True, slots=True)
class Challenge:
    """A digest challenge. `algorithm` None means MD5, an empty `qop` means RFC 2069."""

    realm: str
    nonce: str
    algorithm: str | None = None
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False
    scheme: str = "Digest"
    proxy: bool = False  # came in (or goes out) as Proxy-Authenticate

    @staticmethod
    def parse(text: str, *, proxy: bool = False) -> "Challenge":
        scheme, params = parse_auth(text)
        qop = params.get("qop", "")
        return Challenge(
            realm=params.get("realm", ""),
            nonce=params.get("nonce", ""),
            algorithm=params.get("algorithm"),
            qop=tuple(token for part in qop.split(",") if (token := part.strip().lower())),
            opaque=params.get("opaque"),
            stale=params.get("stale", "").lower() == "true",
            scheme=scheme,
            proxy=proxy,
        )

    def __str__(self) -> str:
        text = f"{self.scheme} realm={quote(self.realm)}, nonce={quote(self.nonce)}"
        if self.opaque is not None:
            text += f", opaque={quote(self.opaque)}"
        if self.stale:
            text += ", stale=true"
        if self.algorithm is not None:
            text += f", algorithm={self.algorithm}"
        if self.qop:
            text += f', qop="{",".join(self.qop)}"'
        return text


@dataclass(frozen=True, slots=True)
class Credentials:
    """Digest credentials. `nc` is the number behind the eight hex digits, None without qop."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str = field(repr=False)
    algorithm: str | None = None
    qop: str | None = None
    nc: int | None = None
    cnonce: str | None = None
    opaque: str | None = None
    scheme: str = "Digest"

    @staticmethod
    def parse(text: str) -> "Credentials":
        scheme, params = parse_auth(text)
        try:
            username, realm, nonce = params["username"], params["realm"], params["nonce"]
            uri, response = params["uri"], params["response"]
        except KeyError as missing:
            raise RemoteProtocolError(f"credentials without {missing.args[0]}") from None
        qop = params.get("qop")
        return Credentials(
            username=username,
            realm=realm,
            nonce=nonce,
            uri=uri,
            response=response,
            algorithm=params.get("algorithm"),
            qop=None if qop is None else qop.lower(),
            nc=_nonce_count(params.get("nc")),
            cnonce=params.get("cnonce"),
            opaque=params.get("opaque"),
            scheme=scheme,
        )

    def __str__(self) -> str:
        text = (
            f"{self.scheme} username={quote(self.username)}, realm={quote(self.realm)}, "
            f"nonce={quote(self.nonce)}, uri={quote(self.uri)}, response={quote(self.response)}"
        )
        if self.algorithm is not None:
            text += f", algorithm={self.algorithm}"
        if self.cnonce is not None:
            text += f", cnonce={quote(self.cnonce)}"
        if self.opaque is not None:
            text += f", opaque={quote(self.opaque)}"
        if self.qop is not None:
            text += f", qop={self.qop}"
        if self.nc is not None:
            text += f", nc={self.nc:08x}"
        return text


def parse_auth(text: str) -> tuple[str, dict[str, str]]:
    """The scheme, and the parameters with names in lower case and values unquoted."""
    scheme, _, rest = text.strip(" \t").partition(" ")
    if TOKEN.fullmatch(scheme) is None:
        raise RemoteProtocolError("malformed authentication scheme")
    if scheme.lower() != "digest":
        return scheme, {}
    params: dict[str, str] = {}
    at, rest = 0, rest.strip(" \t")
    while at < len(rest):
        match = AUTH_PARAM.match(rest, at)
        if match is None:
            raise RemoteProtocolError("malformed authentication parameter")
        name, quoted, plain = match.groups()
        name = name.lower()
        # Two values for one name would let two readers see two things.
        if name in params:
            raise RemoteProtocolError("authentication parameter given twice")
        params[name] = plain if quoted is None else unquote(quoted)
        at = match.end()
    return "Digest", params


def _nonce_count(text: str | None) -> int | None:
    if text is None:
        return None
    # RFC 7616 §3.4: exactly eight hexadecimal digits.
    try:
        if len(text) != 8 or not text.isalnum():
            raise ValueError
        return int(text, 16)
    except ValueError:
        raise RemoteProtocolError("malformed nonce count") from None
