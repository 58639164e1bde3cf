"""Owns what the built-in carrier simulator does with a called number.

Decides only; `gateway/aio/simulator.py` carries it out. The special numbers are told by their last
four digits, so that every country's tariff can be tried with each of them.
"""

from dataclasses import dataclass

_LONGEST_NUMBER = 15  # E.164 §6.1
_SHORTEST_NUMBER = 4  # the special endings need four digits


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What happens to one call: first ringing (or early media), then a final status, then an end.

    `final_status` 0 means that it rings until the caller gives up. `hang_up_s` None means that the
    caller hangs up, else seconds after the answer.
    """

    meaning: str
    ring_status: int = 180
    ring_s: float = 0.2
    final_status: int = 200
    hang_up_s: float | None = None

    @property
    def early_media(self) -> bool:
        """True when the ringing carries audio (183 with a body)."""
        return self.ring_status == 183

    @property
    def answers(self) -> bool:
        return 200 <= self.final_status < 300


ANSWER = Behaviour("answers and plays the caller's audio back")
UNKNOWN_NUMBER = Behaviour("not a telephone number", ring_status=0, ring_s=0.0, final_status=404)
SPECIAL: dict[str, Behaviour] = {
    "0183": Behaviour("early media for one second, then the answer", ring_status=183, ring_s=1.0),
    "0404": Behaviour("unallocated number", ring_status=0, ring_s=0.0, final_status=404),
    "0480": Behaviour("rings until the caller gives up", final_status=0),
    "0486": Behaviour("busy", ring_status=0, ring_s=0.0, final_status=486),
    "0503": Behaviour("the carrier is out of service", ring_status=0, ring_s=0.0, final_status=503),
    "0603": Behaviour("rings for one second, then declines", ring_s=1.0, final_status=603),
    "0999": Behaviour("answers and hangs up after two seconds", hang_up_s=2.0),
}


def behaviour_for(called: str) -> Behaviour:
    """The behaviour of the number in the request line, with or without "+"."""
    digits = called.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        return UNKNOWN_NUMBER
    if not _SHORTEST_NUMBER <= len(digits) <= _LONGEST_NUMBER:
        return UNKNOWN_NUMBER
    return SPECIAL.get(digits[-4:], ANSWER)
