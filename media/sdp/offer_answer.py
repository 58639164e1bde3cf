"""Owns offer/answer for a relay (RFC 3264, RFC 4568, RFC 5761, RFC 8643; R88, R92, R93).

`RelayNegotiation` carries an offer from one side to the other and the answer back, with our
addresses and keys in the place of the peers'. Codecs and payload types stay as the peers chose
them. It moves no packet and opens no port: it says what to tell the media plane.
"""

from dataclasses import dataclass, replace

from media.errors import SdpError
from media.plane import Address, MediaOpened, Side, StreamEnd
from media.sdp.keying import (
    Octets,
    SidePolicy,
    Terms,
    refusal_of,
    terms_of_answer,
    terms_of_offer,
    terms_to_offer,
)
from media.sdp.model import MediaDescription, MediaDirection, SessionDescription
from media.sdp.parser import parse_sdp, print_sdp
from media.sdp.rewrite import (
    Heading,
    Placement,
    is_hold_address,
    reflected,
    rewritten,
    usable_address,
)

__all__ = ["RelayNegotiation", "SidePolicy"]


@dataclass(slots=True)
class _Origin:
    """Our o= line towards one side, and the body it last stood in with what that was made of."""

    session_id: str
    version: int = 1
    body: bytes = b""
    source: SessionDescription | None = None
    placements: tuple[Placement, ...] = ()


@dataclass(frozen=True, slots=True)
class _Agreed:
    """Everything an update can change, so that a refused one can be taken back."""

    terms: dict[Side, tuple[Terms, ...]]
    remote: dict[Side, SessionDescription]
    slots: tuple[int | None, ...]  # m-line -> stream of the media plane


class RelayNegotiation:
    """One call's SDP on both sides.

    Ladder: `receive_offer`, `set_local`, `offer_for` the other side, `receive_answer` (again for
    each 18x and the 200), `answer_for`; then `ends` of both sides for the media plane. An update
    runs the same ladder from either side, or ends in `abandon`.
    """

    __slots__ = (
        "_agreed",
        "_answered",
        "_before",
        "_local",
        "_octets",
        "_offer",
        "_offered",
        "_offerer",
        "_origins",
        "_policies",
        "_session_name",
        "_username",
    )

    def __init__(
        self,
        policy_a: SidePolicy,
        policy_b: SidePolicy,
        octets: Octets,
        *,
        session_name: str = "-",
        username: str = "-",
    ) -> None:
        self._policies = {Side.A: policy_a, Side.B: policy_b}
        self._octets = octets
        self._session_name = session_name
        self._username = username
        self._local: dict[Side, tuple[Address, ...]] = {}
        self._origins: dict[Side, _Origin] = {}
        self._agreed = _Agreed({}, {}, ())
        self._before = self._agreed
        self._offer: SessionDescription | None = None
        self._offered: tuple[Terms, ...] = ()
        self._offerer = Side.A
        self._answered = False

    def receive_offer(self, side: Side, body: bytes) -> int:
        """Remember an offer; the number of its m-lines. Raises SdpError (488)."""
        # First of all: `abandon` after a refusal must not reach back past the last agreement.
        self._before = self._agreed
        if not body.strip():
            raise SdpError("no-offer")
        offer = parse_sdp(body)
        if not offer.media:
            raise SdpError("no-media", "no m-line")
        policy = self._policies[side]
        before = self._agreed.terms.get(side, ())
        terms: list[Terms] = []
        reasons: list[str] = []
        for index, media in enumerate(offer.media):
            old = _term(before, index, media)
            reason = refusal_of(media, policy, offer.connection(index)) if media.port else ""
            if reason:
                reasons.append(reason)
            if reason or not media.port:
                terms.append(_off(media, old))
            else:
                terms.append(terms_of_offer(media, policy, old, self._octets))
        if reasons and not any(each.on for each in terms):
            raise SdpError(reasons[0])
        agreed = self._agreed
        self._agreed = _Agreed(
            {**agreed.terms, side: tuple(terms)},
            {**agreed.remote, side: offer},
            self._placed(terms, agreed.slots),
        )
        self._offer, self._offerer, self._answered = offer, side, False
        return len(offer.media)

    def set_local(self, opened: MediaOpened) -> None:
        """Our own addresses, once the media plane has opened its ports."""
        self._local = {Side.A: opened.a, Side.B: opened.b}
        first = self._agreed.terms.get(self._offerer, ())
        self._agreed = replace(self._agreed, slots=self._placed(first, ()))

    def offer_for(self, side: Side) -> bytes:
        """The other side's offer as ours; raises SdpError when nothing of it may go there."""
        offer = self._offer
        assert offer is not None, "no offer from the other side"
        assert self._offerer is side.other, "no offer from the other side"
        policy = self._policies[side]
        before = self._agreed.terms.get(side, ())
        offered = self._agreed.terms[side.other]
        terms = tuple(
            terms_to_offer(media, policy, _term(before, index, media), self._octets)
            if offered[index].on and policy.allows(media) and self._address(side, index) is not None
            else _off(media, _term(before, index, media))
            for index, media in enumerate(offer.media)
        )
        if any(each.on for each in offered) and not any(each.on for each in terms):
            raise SdpError("srtp-required", "nothing offered can be protected on the other side")
        self._offered = terms
        self._agreed = replace(self._agreed, terms={**self._agreed.terms, side: terms})
        return self._printed(side, offer)

    def receive_answer(self, side: Side, body: bytes) -> None:
        """Remember the answer to `offer_for`; raises SdpError when it does not fit it."""
        offer = self._offer
        assert offer is not None, "nothing was offered"
        assert self._offerer is side.other, "nothing was offered"
        answer = parse_sdp(body)
        # RFC 3264 §6: as many m-lines as the offer, in its order.
        if len(answer.media) != len(offer.media):
            raise SdpError("answer-mismatch", "another number of m-lines")
        terms = []
        for index, (offered, media) in enumerate(zip(offer.media, answer.media, strict=True)):
            # Not what an earlier answer left of it: a 200 may differ from its 183.
            mine = self._offered[index]
            if media.media.lower() != offered.media.lower():
                raise SdpError("answer-mismatch", f"{media.media} answers {offered.media}")
            if not mine.on or not media.port:
                terms.append(replace(mine, on=False))
                continue
            if answer.connection(index) is None:
                raise SdpError("no-connection", "answer without c=")
            terms.append(terms_of_answer(media, mine))
        self._agreed = _Agreed(
            {**self._agreed.terms, side: tuple(terms)},
            {**self._agreed.remote, side: answer},
            self._agreed.slots,
        )
        self._answered = True

    def answer_for(self, side: Side) -> bytes:
        """The other side's answer as ours; raises SdpError while there is none."""
        assert self._offerer is side, "an answer goes to who offered"
        if not self._answered:
            raise SdpError("no-answer", "the other side has not answered this offer")
        return self._printed(side, self._agreed.remote[side.other])

    def answer_self(self, side: Side) -> bytes:
        """Our own answer for an echo: the first acceptable audio stream, with all its codecs."""
        offer = self._offer
        assert offer is not None, "no offer to answer"
        assert self._offerer is side, "no offer to answer"
        terms = list(self._agreed.terms[side])
        chosen = next(
            (
                index
                for index, each in enumerate(terms)
                if each.on and each.rtp and each.media.lower() == "audio"
            ),
            None,
        )
        if chosen is None or self._address(side, chosen) is None:
            raise SdpError("no-media", "no audio stream to reflect")
        terms = [
            each if index == chosen else replace(each, on=False) for index, each in enumerate(terms)
        ]
        self._agreed = replace(self._agreed, terms={**self._agreed.terms, side: tuple(terms)})
        return self._printed(side, offer, reflect=True)

    def ends(self, side: Side, *, expect_media: bool = True) -> tuple[StreamEnd, ...]:
        """What the media plane must know of `side`, one entry per stream it opened.

        `expect_media` False before the call is answered: silence means nothing then.
        """
        count = len(self._local[side]) if self._local else len(self._agreed.slots)
        found = [StreamEnd(None, active=False, expect_media=False)] * count
        for index, slot in enumerate(self._agreed.slots):
            if slot is not None and slot < count:
                found[slot] = self._end(side, index, expect_media)
        return tuple(found)

    def is_hold(self, side: Side) -> bool:
        """True when `side` asks not to be sent media: the call is on hold by it (R93)."""
        remote = self._agreed.remote.get(side)
        if remote is None:
            return False
        for index, media in enumerate(remote.media):
            if media.port and media.is_rtp:
                return is_hold_address(remote.connection(index)) or remote.direction(index) in (
                    MediaDirection.SENDONLY,
                    MediaDirection.INACTIVE,
                )
        return False

    def abandon(self) -> None:
        """The update was refused: what was agreed before it stands (RFC 3261 §14.1)."""
        self._agreed = self._before
        self._offer = None

    def forget(self, side: Side, policy: SidePolicy | None = None) -> None:
        """The next `offer_for(side)` goes to somebody else: new keys, new o=, nothing agreed."""
        if policy is not None:
            self._policies[side] = policy
        self._origins.pop(side, None)
        self._answered = False
        agreed = self._agreed
        self._agreed = replace(
            agreed,
            terms={key: value for key, value in agreed.terms.items() if key is not side},
            remote={key: value for key, value in agreed.remote.items() if key is not side},
        )

    def _placed(
        self, terms: "tuple[Terms, ...] | list[Terms]", before: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Which stream of the media plane each m-line uses; m-lines beyond its streams get none."""
        count = len(self._local[self._offerer]) if self._local else len(terms)
        slots: list[int | None] = [
            before[index] if index < len(before) and each.on else None
            for index, each in enumerate(terms)
        ]
        free = [slot for slot in range(count) if slot not in slots]
        for index, each in enumerate(terms):
            if each.on and slots[index] is None and free:
                slots[index] = free.pop(free.index(index) if index in free else 0)
        return tuple(slots)

    def _address(self, side: Side, index: int) -> Address | None:
        slot = self._agreed.slots[index]
        local = self._local[side]
        return local[slot] if slot is not None and slot < len(local) else None

    def _on(self, index: int) -> bool:
        """True when every side that has spoken takes the m-line."""
        return all(index < len(terms) and terms[index].on for terms in self._agreed.terms.values())

    def _printed(self, side: Side, source: SessionDescription, *, reflect: bool = False) -> bytes:
        assert self._local, "set_local comes first"
        assert self._offer is not None
        placements = tuple(
            self._placement(side, index, media) for index, media in enumerate(source.media)
        )
        origin = self._origins.get(side)
        if origin is None:
            # RFC 8866 §5.2: numeric and unique; 31 bits suit every reader.
            number = int.from_bytes(self._octets(4), "big") >> 1
            origin = self._origins[side] = _Origin(str(number))
        elif origin.source is source and origin.placements == placements and not reflect:
            return origin.body  # asked once more for what was told already
        write = reflected if reflect else rewritten
        body = print_sdp(write(source, placements, self._heading(side, origin)))
        if origin.body and body != origin.body:
            # RFC 3264 §8: the version grows by one, and only when the body changed.
            origin.version += 1
            body = print_sdp(write(source, placements, self._heading(side, origin)))
        origin.body = body
        origin.source, origin.placements = (None if reflect else source), placements
        return body

    def _heading(self, side: Side, origin: _Origin) -> Heading:
        host = self._local[side][0][0]
        return Heading(self._username, origin.session_id, origin.version, self._session_name, host)

    def _placement(self, side: Side, index: int, source: MediaDescription) -> Placement:
        terms = self._agreed.terms[side][index]
        offer = self._offer
        assert offer is not None
        # RFC 3264 §6: an answer repeats the profile of its offer.
        profile = offer.media[index].profile if side is self._offerer else terms.profile(source)
        address = self._address(side, index) if self._on(index) else None
        if address is None:
            return Placement(None, profile)
        return Placement(address, profile, terms.ours, terms.mux)

    def _end(self, side: Side, index: int, expect_media: bool) -> StreamEnd:
        remote = self._agreed.remote.get(side)
        known = self._agreed.terms.get(side, ())
        terms = known[index] if index < len(known) else None
        if remote is None or index >= len(remote.media) or terms is None:
            # Not answered yet: plain packets may come before the answer (RFC 3264 §5.1).
            early = terms is not None and not terms.secure
            return StreamEnd(None, active=early and self._on(index), expect_media=False)
        media = remote.media[index]
        host = usable_address(remote.connection(index))
        address = (host, media.port) if host is not None and media.port else None
        active = self._on(index)
        return StreamEnd(
            address,
            remote_rtcp=_rtcp_address(media, address) if not terms.mux else None,
            rtcp_mux=terms.mux,
            receive_key=terms.receive_key,
            send_key=terms.send_key,
            opaque=not terms.rtp,
            active=active,
            expect_media=expect_media and active and self._flows(index),
        )

    def _flows(self, index: int) -> bool:
        """True when media must be coming both ways: nobody holds."""
        return all(
            index < len(remote.media)
            and remote.media[index].is_rtp
            and remote.direction(index) is MediaDirection.SENDRECV
            and not is_hold_address(remote.connection(index))
            for remote in self._agreed.remote.values()
        )


def _term(before: tuple[Terms, ...], index: int, media: MediaDescription) -> Terms | None:
    """The agreement that m-line `index` continues, if it is still the same kind of stream."""
    if index >= len(before):
        return None
    old = before[index]
    return old if old.media == media.media and old.rtp == media.is_rtp else None


def _off(media: MediaDescription, old: Terms | None) -> Terms:
    """A refused or unused m-line; its keys stay for the day it comes back."""
    return replace(old or Terms(media.media, rtp=media.is_rtp), on=False)


def _rtcp_address(media: MediaDescription, address: Address | None) -> Address | None:
    """RFC 3605: where RTCP goes when it is not the next port."""
    values = media.attributes("rtcp")
    if not values or address is None:
        return None
    parts = values[0].split()
    if not parts or not parts[0].isascii() or not parts[0].isdigit() or len(parts[0]) > 5:
        return None
    port = int(parts[0])
    host = (usable_address(parts[3]) if len(parts) >= 4 else None) or address[0]
    return (host, port) if 0 < port <= 65535 else None
