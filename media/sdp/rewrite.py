"""Owns how a peer's SDP becomes ours: addresses, ports, profile, keys and o= are replaced (R93).

Codecs, payload types, directions and everything unknown pass; what only makes sense between the
peers themselves (ICE, DTLS, bundling, their keys) and what names a person is left out. It decides
nothing: `Placement`s say what to write.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from media.plane import Address
from media.sdp.crypto import CryptoAttribute
from media.sdp.model import Line, MediaDescription, MediaDirection, SessionDescription

# RFC 3264 §8.4: the old way to hold; "::" is its IPv6 sibling.
_HOLD = ("0.0.0.0", "::")

_STRIPPED_RTP = frozenset(
    (
        *("fingerprint", "setup", "connection", "tls-id", "dtls-id", "key-mgmt", "zrtp-hash"),
        *("rtcp", "rtcp-mux", "rtcp-mux-only", "bundle-only"),
    )
)
_STRIPPED = frozenset(
    (
        *("candidate", "remote-candidates", "end-of-candidates", "group", "msid-semantic"),
        *("source-filter", "direction", "crypto"),
    )
)
_DIRECTION_NAMES = frozenset(each.value for each in MediaDirection)
_ECHOED = frozenset(("rtpmap", "fmtp", "ptime", "maxptime"))


@dataclass(frozen=True, slots=True)
class Placement:
    """What we write into one m-line; no address writes port 0."""

    address: Address | None
    profile: str
    crypto: tuple[CryptoAttribute, ...] = ()
    rtcp_mux: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """Our session-level identity on one side."""

    username: str
    session_id: str
    version: int
    session_name: str
    host: str

    def lines(self) -> list[Line]:
        where = _where(self.host)
        origin = f"{self.username} {self.session_id} {self.version} {where}"
        return [
            Line("v", "0"),
            Line("o", origin),
            Line("s", self.session_name),
            Line("c", where),
        ]


def is_hold_address(address: str | None) -> bool:
    return address in _HOLD


@lru_cache(maxsize=1024)
def usable_address(address: str | None) -> str | None:
    """The address literal in canonical form; None for names, multicast and the hold address."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return None
    if parsed.is_unspecified or parsed.is_multicast or str(parsed) == "255.255.255.255":
        return None
    return str(parsed)


def rewritten(
    source: SessionDescription, placements: tuple[Placement, ...], heading: Heading
) -> SessionDescription:
    """The peer's description as ours, m-line by m-line in the same order."""
    # i=, u=, e=, p= name a person, k= a key; RFC 8866 §5 puts c= before b= and t=.
    rest = [
        line
        for line in source.lines
        if line.kind not in "vosciuepk" and not _is_stripped(line, True)
    ]
    if not any(line.kind == "t" for line in rest):
        at = next((at for at, line in enumerate(rest) if line.kind != "b"), len(rest))
        rest.insert(at, Line("t", "0 0"))
    media = tuple(
        _rewritten_media(each, placement, is_hold_address(source.connection(index)), heading)
        for index, (each, placement) in enumerate(zip(source.media, placements, strict=True))
    )
    return SessionDescription((*heading.lines(), *rest), media)


def _rewritten_media(
    source: MediaDescription, placement: Placement, held: bool, heading: Heading
) -> MediaDescription:
    if placement.address is None:
        return MediaDescription(source.media, 0, placement.profile, source.formats)
    host, port = placement.address
    rtp = source.is_rtp
    lines = [line for line in source.lines if line.kind not in "ck" and not _is_stripped(line, rtp)]
    if held:
        where = "IN IP6 ::" if ":" in host else "IN IP4 0.0.0.0"
    else:
        where = "" if host == heading.host else _where(host)
    if where:
        at = 1 if lines and lines[0].kind == "i" else 0
        lines.insert(at, Line("c", where))
    lines += _transport_lines(placement)
    return MediaDescription(source.media, port, placement.profile, source.formats, tuple(lines))


def reflected(
    source: SessionDescription, placements: tuple[Placement, ...], heading: Heading
) -> SessionDescription:
    """An answer of our own that accepts every codec offered and sends back what it gets."""
    media = []
    for index, (each, placement) in enumerate(zip(source.media, placements, strict=True)):
        if placement.address is None:
            media.append(MediaDescription(each.media, 0, placement.profile, each.formats))
            continue
        lines = [line for line in each.lines if line.attribute in _ECHOED]
        lines.append(Line("a", source.direction(index).mirrored.value))
        lines += _transport_lines(placement)
        media.append(
            MediaDescription(
                each.media, placement.address[1], placement.profile, each.formats, tuple(lines)
            )
        )
    # RFC 3264 §6: the answer repeats the offer's t= line.
    times = [line for line in source.lines if line.kind == "t"] or [Line("t", "0 0")]
    return SessionDescription((*heading.lines(), *times), tuple(media))


def _transport_lines(placement: Placement) -> list[Line]:
    lines = [Line("a", f"crypto:{line}") for line in placement.crypto]
    if placement.rtcp_mux:
        lines.append(Line("a", "rtcp-mux"))
    return lines


def _is_stripped(line: Line, rtp: bool) -> bool:
    # Long lines hardly repeat; those with keys are long, and are not kept.
    return (_stripped if len(line.value) <= _LONGEST_KEPT else _names_stripped)(line, rtp)


def _names_stripped(line: Line, rtp: bool) -> bool:
    name = line.attribute
    if name in _DIRECTION_NAMES:
        return False
    # Opaque streams keep their DTLS attributes: the handshake passes through us untouched.
    return name in _STRIPPED or name.startswith("ice") or (rtp and name in _STRIPPED_RTP)


_LONGEST_KEPT = 64
_stripped = lru_cache(maxsize=1024)(_names_stripped)


def _where(host: str) -> str:
    return f"IN {'IP6' if ':' in host else 'IP4'} {host}"
