"""Drives one machine under its own time, so that a test reads as the ladder of the RFC."""

from collections.abc import Sequence
from typing import Protocol

from sip.effects import Effect


class Machine(Protocol):
    @property
    def deadline(self) -> float | None: ...

    def tick(self, now: float) -> list[Effect]: ...


class Ladder:
    """`do` calls a verb with the time last, `call` without it; `expect` compares what came out."""

    def __init__(self, machine: Machine, now: float = 0.0) -> None:
        self.machine = machine
        self.now = now
        self.effects: list[Effect] = []

    def do(self, verb: str, *arguments: object) -> "Ladder":
        self.effects = list(getattr(self.machine, verb)(*arguments, self.now))
        return self

    def call(self, verb: str, *arguments: object) -> "Ladder":
        self.effects = list(getattr(self.machine, verb)(*arguments))
        return self

    def advance(self, seconds: float) -> "Ladder":
        """Let time pass; every deadline on the way is kept to the moment."""
        until = self.now + seconds
        self.effects = []
        while (deadline := self.machine.deadline) is not None and deadline <= until:
            self.now = deadline
            self.effects += self.machine.tick(self.now)
        self.now = until
        return self

    def expect(self, *effects: Effect) -> "Ladder":
        assert self.effects == list(effects)
        return self

    def kinds(self) -> Sequence[str]:
        return [type(effect).__name__ for effect in self.effects]
