"""Fixtures of the media contract: one engine a test, and phones that are closed after it."""

import os
from collections.abc import AsyncIterator, Callable

import pytest

from media.aio.relay import PythonRelay, RelaySettings
from tests.contract.media_peers import LOOPBACK, Engine, HandClock, Peer


@pytest.fixture(params=["python"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    clock = HandClock()
    settings = RelaySettings(LOOPBACK, LOOPBACK, 40000, 60000, cool_down_s=4.0, silence_s=10.0)
    relay = PythonRelay(settings, clock=clock, octets=os.urandom)
    made = Engine(relay, relay.tick, clock)
    relay.events = made.events
    yield made
    await relay.aclose()


@pytest.fixture
def phone() -> AsyncIterator[Callable[..., Peer]]:
    made: list[Peer] = []

    def make(source: int, **options: object) -> Peer:
        made.append(Peer(source, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close()
