"""Owns what can go wrong in `media`: `SdpError` for unusable SDP, `MediaError` for the rest."""


class MediaError(Exception):
    """Base of everything `media` raises."""


class SdpError(MediaError):
    """An SDP we cannot read or cannot accept; the gateway answers it with 488 (R88).

    `reason` is a short stable word: "malformed", "too-large", "no-offer", "no-answer", "no-media",
    "no-connection", "answer-mismatch", "srtp-required", "srtp-not-allowed", "srtp-unusable",
    "unsupported-transport".
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
