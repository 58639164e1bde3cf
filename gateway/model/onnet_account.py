"""Owns `OnnetAccount`: a member of our own network; attached to a profile, a business account."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OnnetAccount:
    """With `profile_id` a business account: calls to its name go to that profile (R94, R96)."""

    id: int
    name: str
    password: str = field(repr=False)
    profile_id: int | None = None
    extension: str = ""  # empty: the account name stands in the request line (R101)
