"""Owns a call's offers and answers: which negotiation runs, who owes an answer, and what a body
that cannot be used means for the call (RFC 3264 §8, RFC 3261 §14).

How SDP is rewritten is `media/sdp/offer_answer`'s.
"""

from collections.abc import Callable

from gateway.b2bua.effects import AcceptReoffer, Effect, RejectReoffer, Reoffer, UpdateMedia
from gateway.model.call import LegSide, SrtpPolicy, Target
from gateway.refusal import Refusal, refuse
from media.errors import SdpError
from media.plane import MediaOpened, Side
from media.sdp.offer_answer import RelayNegotiation, SidePolicy

Octets = Callable[[int], bytes]

SIDES = {LegSide.A: Side.A, LegSide.B: Side.B}


def refusal_of(error: SdpError) -> Refusal:
    """What an unusable description means to the one who sent it."""
    code = "SRTP_REQUIRED" if error.reason == "srtp-required" else "MEDIA_NOT_ACCEPTABLE"
    return refuse(code, str(error))


class Offers:
    """The media half of one call: the negotiation and the re-offer that waits for its answer."""

    __slots__ = ("_early", "_echo", "_negotiation", "_octets", "_policy_a", "waiting")

    def __init__(self, a_srtp: SrtpPolicy, echo: bool, octets: Octets) -> None:
        self._policy_a = SidePolicy(a_srtp.value, False)
        self._echo = echo
        self._octets = octets
        self._early = False  # the current target has answered, early at least
        self._negotiation: RelayNegotiation | None = None
        self.waiting: LegSide | None = None  # who re-offered and is owed an answer

    def receive_first(self, offer: bytes, target: Target | None) -> int:
        """Take the caller's offer, for `target` or the echo: the number of streams, or SdpError."""
        policy_b = SidePolicy("none", False) if target is None else policy_towards(target)
        self._negotiation = RelayNegotiation(self._policy_a, policy_b, self._octets)
        return self._negotiation.receive_offer(Side.A, offer)

    def turn_to(self, target: Target) -> list[Effect]:
        """The next offer goes to `target`. The caller's side stays as it was shown: our key, our
        port and our o= line live on, whatever an earlier target's early answer left there.
        """
        heard, self._early = self._early, False
        self._open.forget(Side.B, policy_towards(target))
        # What the media plane was told of the earlier target holds no longer.
        return self.updates(early=True) if heard else []

    def opened(self, opened: MediaOpened) -> None:
        self._open.set_local(opened)

    def offer_to_b(self) -> bytes:
        return self._open.offer_for(Side.B)

    def receive_answer(self, body: bytes) -> None:
        """The called side's answer, early or final; raises SdpError."""
        self._open.receive_answer(Side.B, body)
        self._early = True

    def answer_to_a(self) -> bytes:
        """The caller's answer; raises SdpError while the called side has not answered."""
        if self._echo:
            return self._open.answer_self(Side.A)
        return self._open.answer_for(Side.A)

    def updates(self, *, early: bool = False) -> list[Effect]:
        """What the media plane must know after any change; `early`: nobody owes a packet yet."""
        sides = (LegSide.A,) if self._echo else (LegSide.A, LegSide.B)
        return [
            UpdateMedia(side, self._open.ends(SIDES[side], expect_media=not early))
            for side in sides
        ]

    def reoffered(self, side: LegSide, body: bytes) -> list[Effect]:
        """An offer inside the dialog: pass it on, or answer it ourselves (echo)."""
        if self.waiting is not None:
            return [RejectReoffer(side, 491, "Request Pending")]  # RFC 3261 §14.2
        try:
            self._open.receive_offer(SIDES[side], body)
            if self._echo:
                return [AcceptReoffer(side, self._open.answer_self(Side.A)), *self.updates()]
            offer = self._open.offer_for(SIDES[side.other])
        except SdpError:
            self._open.abandon()
            return [RejectReoffer(side, 488, "Not Acceptable Here")]
        self.waiting = side
        return [Reoffer(side.other, offer)]

    def reoffer_answered(self, side: LegSide, body: bytes) -> list[Effect]:
        """The other side took it: tell the one who asked."""
        asked, self.waiting = self.waiting, None
        if asked is None or asked is side:
            return []
        try:
            self._open.receive_answer(SIDES[side], body)
            answer = self._open.answer_for(SIDES[asked])
        except SdpError:
            self._open.abandon()
            return [RejectReoffer(asked, 488, "Not Acceptable Here")]
        return [*self.updates(), AcceptReoffer(asked, answer)]

    def reoffer_rejected(self, side: LegSide, status: int, reason: str) -> list[Effect]:
        """Everything stays as it was (RFC 3261 §14.1)."""
        asked, self.waiting = self.waiting, None
        if asked is None or asked is side:
            return []
        self._open.abandon()
        return [RejectReoffer(asked, status, reason)]

    @property
    def _open(self) -> RelayNegotiation:
        assert self._negotiation is not None, "no offer was received yet"
        return self._negotiation


def policy_towards(target: Target) -> SidePolicy:
    """Whether our offer to a target speaks SRTP: as it must, or as its transport invites (R88)."""
    offer_srtp = target.srtp is SrtpPolicy.REQUIRED or (
        target.srtp is SrtpPolicy.OPTIONAL and target.flow.secure
    )
    return SidePolicy(target.srtp.value, offer_srtp)
