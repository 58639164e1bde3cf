"""Owns offer and answer for an endpoint of our own: soft phone, simulator, call test (RFC 3264).

One audio stream, PCMU and PCMA with telephone events, plain or SRTP. A relay negotiates with
`offer_answer` instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from media.errors import SdpError
from media.plane import Address, StreamEnd
from media.sdp.keying import (
    Octets,
    SidePolicy,
    Terms,
    refusal_of,
    terms_of_answer,
    terms_of_offer,
    terms_to_offer,
)
from media.sdp.model import Codec, Line, MediaDescription, MediaDirection, SessionDescription
from media.sdp.parser import parse_sdp, print_sdp
from media.sdp.rewrite import Heading, usable_address

_NAMES = {0: "PCMU/8000", 8: "PCMA/8000"}


@dataclass(frozen=True, slots=True)
class AgreedMedia:
    """What both ends settled on. `end` is the peer; packets carry `codec`'s payload type."""

    end: StreamEnd
    codec: Codec
    telephone_event: int | None
    direction: MediaDirection  # as the peer sees it


class OwnOffer:
    """The media of one call of ours; keys and o= live as long as the object (RFC 4568 §7)."""

    def __init__(
        self,
        local: Address,
        octets: Octets,
        *,
        srtp: bool = False,
        payload_types: Sequence[int] = (0, 8),
        telephone_event: int = 101,
        username: str = "-",
    ) -> None:
        self._local = local
        self._octets = octets
        self._policy = SidePolicy("required" if srtp else "optional")
        self._payload_types = tuple(payload_types)
        self._event = telephone_event
        self._username = username
        self._session_id = str(int.from_bytes(octets(4), "big") >> 1)
        self._version = 0
        self._terms: Terms | None = None

    def body(self, direction: MediaDirection = MediaDirection.SENDRECV) -> bytes:
        """An offer; again for a hold or a resume, with the keys agreed before."""
        plain = self._audio("RTP/AVP", self._payload_types, self._event, direction)
        self._terms = terms_to_offer(plain, self._policy, self._terms, self._octets)
        return self._printed(plain, self._terms.profile(plain))

    def accept(self, answer: bytes) -> AgreedMedia:
        """Read the answer to `body`; raises SdpError."""
        assert self._terms is not None, "nothing was offered"
        index, found = self._first_audio(parse_sdp(answer))
        self._terms = terms_of_answer(found.media[index], self._terms)
        return self._agreed(found, index)

    def answer(self, offer: bytes) -> tuple[bytes, AgreedMedia]:
        """Answer a peer's offer; raises SdpError when nothing of it is possible."""
        description = parse_sdp(offer)
        index, found = self._first_audio(description)
        media = found.media[index]
        reason = refusal_of(media, self._policy, found.connection(index))
        if reason:
            raise SdpError(reason)
        self._terms = terms_of_offer(media, self._policy, self._terms, self._octets)
        agreed = self._agreed(found, index)
        event = agreed.telephone_event
        own = self._audio(
            media.profile, (agreed.codec.payload_type,), event, agreed.direction.mirrored
        )
        others = [
            MediaDescription(each.media, 0, each.profile, each.formats)
            for each in description.media
        ]
        return self._printed(own, media.profile, others, index), agreed

    def _first_audio(self, found: SessionDescription) -> tuple[int, SessionDescription]:
        for index, media in enumerate(found.media):
            if media.media == "audio" and media.is_rtp and media.port:
                return index, found
        raise SdpError("no-media", "no audio stream")

    def _agreed(self, found: SessionDescription, index: int) -> AgreedMedia:
        terms = self._terms
        assert terms is not None
        media = found.media[index]
        codecs = media.codecs()
        codec = next((each for each in codecs if each.payload_type in self._payload_types), None)
        if codec is None:
            raise SdpError("no-media", "no codec of ours")
        events = [each for each in codecs if each.name.lower() == "telephone-event"]
        host = usable_address(found.connection(index))
        end = StreamEnd(
            (host, media.port) if host is not None else None,
            rtcp_mux=terms.mux,
            receive_key=terms.receive_key,
            send_key=terms.send_key,
        )
        event = events[0].payload_type if events else None
        return AgreedMedia(end, codec, event, found.direction(index))

    def _audio(
        self,
        profile: str,
        payload_types: tuple[int, ...],
        event: int | None,
        direction: MediaDirection,
    ) -> MediaDescription:
        formats = [str(each) for each in payload_types]
        lines = [Line("a", f"rtpmap:{each} {_NAMES[each]}") for each in payload_types]
        if event is not None:
            formats.append(str(event))
            lines.append(Line("a", f"rtpmap:{event} telephone-event/8000"))
            lines.append(Line("a", f"fmtp:{event} 0-16"))
        lines += [Line("a", "ptime:20"), Line("a", direction.value)]
        port = self._local[1]
        return MediaDescription("audio", port, profile, tuple(formats), tuple(lines))

    def _printed(
        self,
        audio: MediaDescription,
        profile: str,
        others: Sequence[MediaDescription] = (),
        index: int = 0,
    ) -> bytes:
        terms = self._terms
        assert terms is not None
        lines = [*audio.lines, *(Line("a", f"crypto:{line}") for line in terms.ours)]
        if terms.mux:
            lines.append(Line("a", "rtcp-mux"))
        own = MediaDescription("audio", audio.port, profile, audio.formats, tuple(lines))
        media = list(others) or [own]
        media[index] = own
        self._version += 1
        heading = Heading(self._username, self._session_id, self._version, "-", self._local[0])
        top = (*heading.lines(), Line("t", "0 0"))
        return print_sdp(SessionDescription(top, tuple(media)))
