"""Owns `OnlineNumber`: an E.164 number of our inventory and the profile it rings (R104, R108)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OnlineNumber:
    number: str  # E.164 with "+"
    profile_id: int | None  # None: in the Manager's stock, rings nowhere
    suspended: bool = False
