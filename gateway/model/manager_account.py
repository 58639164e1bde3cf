"""Owns `ManagerAccount`: a company's account, from which everything but calls is paid."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ManagerAccount:
    id: int
    name: str
    country: str  # ISO 3166-1 alpha-2 (R5)
    currency: str  # ISO 4217
    zone: str  # IANA time zone
    verified: bool = False

    @property
    def account(self) -> str:
        """The ledger account of the Manager's balance."""
        return f"manager:{self.id}"
