"""Entropy that is the same in every run."""

import hashlib


class SequenceIds:
    """Distinct octets from a counter; another `seed` gives another sequence."""

    def __init__(self, seed: str = "ids") -> None:
        self._seed = seed
        self._count = 0

    def octets(self, count: int) -> bytes:
        self._count += 1
        return hashlib.shake_128(f"{self._seed} {self._count}".encode()).digest(count)

    def token(self, octets: int = 8) -> str:
        return self.octets(octets).hex()
