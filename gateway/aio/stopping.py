"""Owns the graceful stop: calls may end by themselves for a while, then BYE and its answer.

That no new call is taken meanwhile is the admitter's; closing everything is bootstrap's.
"""

import asyncio
from contextlib import suppress

from gateway.aio.call_runner import CallRunner
from gateway.aio.outbox import Outbox
from gateway.model.call import EndCause
from sip.endpoint import Endpoint

FAREWELL_S = 2.0  # for the answers to our BYEs, and for the store
POLL_S = 0.02


class Stopping:
    """`ask` it from a signal handler: once to stop, a second time to hurry."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    @property
    def asked(self) -> bool:
        return self._stop.is_set()

    def ask(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    async def wait(self) -> None:
        await self._stop.wait()

    async def drain(
        self, runner: CallRunner, endpoint: Endpoint, outbox: Outbox, patience_s: float
    ) -> None:
        """Until no call is left: by themselves within `patience_s`, then by our BYE."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while len(runner) and not self._hurry.is_set():
                    await asyncio.sleep(POLL_S)
        runner.hang_up_all(EndCause.SHUTDOWN)
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await runner.idle()
                # A BYE that got lost is repeated only as long as the sockets are open.
                while endpoint.counts["invite_sessions"] or outbox.unwritten:
                    await asyncio.sleep(POLL_S)
