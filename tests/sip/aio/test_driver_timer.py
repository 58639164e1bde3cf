"""The one timer of the SIP loop."""

import asyncio
import time

from sip.aio.driver import SipDriver
from sip.effects import Effect
from sip.endpoint import Endpoint
from sip.target import LocalNames
from sip.timers import SipTimers
from tests.support.ids import SequenceIds


class Clockwork(Endpoint):
    """One deadline; counts how often it was asked."""

    def __init__(self, at: float) -> None:
        super().__init__(SequenceIds(), SipTimers(), LocalNames())
        self.at: float | None = at
        self.ticks = 0
        self.met = asyncio.Event()

    @property
    def deadline(self) -> float | None:
        return self.at

    def tick(self, now: float) -> list[Effect]:
        self.ticks += 1
        if self.at is not None and now >= self.at:
            self.at = None
            self.met.set()
        return []


async def test_a_deadline_between_milliseconds_is_met_by_one_tick() -> None:
    endpoint = Clockwork(time.monotonic() + 0.0204)
    driver = SipDriver(endpoint)
    driver.execute(())
    async with asyncio.timeout(5):
        await endpoint.met.wait()
    assert endpoint.ticks == 1
    await driver.aclose()
