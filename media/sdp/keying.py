"""Owns what is agreed between us and one side about one m-line: profile, SRTP keys, rtcp-mux.

Decides which keys live on over a re-INVITE and which are new (RFC 4568 §7, R88, R93). It never sees
the other side: every hop is keyed by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from media.errors import SdpError
from media.plane import SrtpKey
from media.sdp.crypto import SUITES, CryptoAttribute, choose, read_all
from media.sdp.model import MediaDescription

Octets = Callable[[int], bytes]

_PLAIN = ("RTP/AVP", "RTP/AVPF")
_SECURE = ("RTP/SAVP", "RTP/SAVPF")


@dataclass(frozen=True, slots=True)
class SidePolicy:
    """What SRTP one side of a call may or must speak (R88, R93).

    `offer_srtp` says what we put in an offer we make to that side; "required" implies it.
    """

    srtp: str = "optional"  # "none" | "optional" | "required"
    offer_srtp: bool = False

    @property
    def offers_srtp(self) -> bool:
        return self.srtp == "required" or (self.offer_srtp and self.srtp != "none")

    def allows(self, media: MediaDescription) -> bool:
        """False for what cannot be protected where everything must be: a fax, a data channel."""
        return media.is_rtp or self.srtp != "required"


@dataclass(frozen=True, slots=True)
class Terms:
    """What we and one side agreed, or offered, for one m-line. `ours` is one line once agreed."""

    media: str
    on: bool = True  # False: port 0
    rtp: bool = True
    savp: bool = False
    ours: tuple[CryptoAttribute, ...] = ()
    theirs: CryptoAttribute | None = None
    mux: bool = False

    @property
    def secure(self) -> bool:
        return bool(self.ours)

    @property
    def send_key(self) -> SrtpKey | None:
        return self.ours[0].key if self.ours and self.theirs is not None else None

    @property
    def receive_key(self) -> SrtpKey | None:
        return self.theirs.key if self.theirs is not None else None

    def profile(self, source: MediaDescription) -> str:
        """The profile of our m-line: the source's, with or without protection."""
        if not source.is_rtp:
            return source.profile
        feedback = "F" if source.profile.upper().endswith("AVPF") else ""
        return f"RTP/{'S' if self.savp else ''}AVP{feedback}"


def refusal_of(media: MediaDescription, policy: SidePolicy, address: str | None) -> str:
    """Why an offered, active m-line cannot be relayed; empty when it can."""
    profile = media.profile.upper()
    if address is None:
        return "no-connection"
    if not media.is_rtp:
        if not policy.allows(media):
            return "srtp-required"
        return "unsupported-transport" if profile.startswith("TCP") else ""
    # DTLS-SRTP (UDP/TLS/RTP/SAVP) and RTP over TCP are not ours.
    if profile not in _PLAIN + _SECURE:
        return "unsupported-transport"
    keyed = choose(read_all(media.attributes("crypto"))) is not None
    if profile in _SECURE:
        if policy.srtp == "none":
            return "srtp-not-allowed"
        return "" if keyed else "srtp-unusable"
    return "srtp-required" if policy.srtp == "required" and not keyed else ""


def terms_of_offer(
    media: MediaDescription, policy: SidePolicy, before: Terms | None, octets: Octets
) -> Terms:
    """Our side of the answer to an acceptable m-line.

    The peer's key unchanged: ours is repeated, both SRTP contexts live on. The peer's key changed:
    ours changes too, because a peer that starts a new context resets its rollover counter in both
    directions (RFC 3711 §3.3.1, pain 9).
    """
    savp = media.profile.upper() in _SECURE
    terms = Terms(
        media.media,
        rtp=media.is_rtp,
        savp=savp,
        mux=media.has("rtcp-mux") or media.has("rtcp-mux-only"),
    )
    offered = read_all(media.attributes("crypto")) if media.is_rtp else ()
    # RFC 8643: RTP/AVP with a=crypto is an offer of SRTP that may be declined.
    if not offered or policy.srtp == "none":
        return terms
    if before is not None and before.secure and before.theirs is not None:
        for line in offered:
            if line.key == before.theirs.key:
                # RFC 4568 §5.1.2: the answer echoes the tag of the line it accepts.
                kept = CryptoAttribute(line.tag, before.ours[0].key)
                return replace(terms, ours=(kept,), theirs=line)
    chosen = choose(offered)
    assert chosen is not None
    ours = _new_line(chosen.tag, chosen.key.suite, octets)
    return replace(terms, ours=(ours,), theirs=chosen)


def terms_to_offer(
    media: MediaDescription, policy: SidePolicy, before: Terms | None, octets: Octets
) -> Terms:
    """What we offer: the agreement so far word for word, or the policy when there is none."""
    if before is not None and before.media == media.media and before.rtp == media.is_rtp:
        return replace(before, on=True)
    terms = Terms(media.media, rtp=media.is_rtp)
    if not media.is_rtp or not policy.offers_srtp:
        return terms
    lines = tuple(_new_line(tag, suite, octets) for tag, suite in enumerate(SUITES, 1))
    return replace(terms, savp=True, ours=lines)


def terms_of_answer(media: MediaDescription, offered: Terms) -> Terms:
    """What the answer to our offer agrees to; raises SdpError when it breaks the offer."""
    mux = media.has("rtcp-mux") and offered.mux
    if not media.is_rtp or not offered.rtp:
        if media.is_rtp != offered.rtp:
            raise SdpError("answer-mismatch", f"{media.profile} answers another protocol")
        return offered
    profile = media.profile.upper()
    # RFC 3264 §6: the answer's transport is the offer's.
    if profile not in (_SECURE if offered.savp else _PLAIN):
        wanted = "srtp-required" if offered.savp else "answer-mismatch"
        raise SdpError(wanted, f"{media.profile} answers {'S' if offered.savp else ''}AVP")
    if not offered.secure:
        return replace(offered, mux=mux)
    for line in read_all(media.attributes("crypto")):
        for mine in offered.ours:
            if mine.tag == line.tag and mine.key.suite == line.key.suite:
                return replace(offered, ours=(mine,), theirs=line, mux=mux)
    raise SdpError("srtp-unusable", "the answer takes none of our crypto lines")


def _new_line(tag: int, suite: str, octets: Octets) -> CryptoAttribute:
    return CryptoAttribute(tag, SrtpKey(suite, octets(SUITES[suite])))
