"""Owns `room`: the whole gateway and its two load peers in this process, in faster time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from config.load import load
from gateway.bootstrap import Gateway
from rating.ledger import Ledger
from tests.support.gateway_process import GatewayProcess
from tests.support.load_peer import LoadPeer, PeerCall
from tests.support.load_seed import DESTINATION, LoadSeed, seed_load
from tests.support.scaled_time import LoopClock, ScaledLoop
from tests.support.store_reader import Row, StoreReader

FACTOR = 10.0
MEDIA_PORTS = (20_000, 29_999)
# Work costs ten times its time here: SIP's timers must bear that.
T1_S = 5
TABLES = f"[calls]\ndrain_timeout_s = 0\n\n[timers]\nt1_s = {T1_S}\nt2_s = 20\n"


@dataclass(slots=True)
class Room:
    gateway: Gateway
    clock: LoopClock
    address: tuple[str, int]
    pbx: LoadPeer
    carrier: LoadPeer
    seeded: LoadSeed
    store: StoreReader

    @property
    def ledger(self) -> Ledger:
        return self.gateway._hot.ledger

    def dial(self) -> PeerCall:
        return self.pbx.call(DESTINATION, self.address)

    def credit(self) -> int:
        """What is left of the profile's credit, as the store has it."""
        return self.store.balance(self.seeded.account)

    async def settled(self) -> list[Row]:
        """All CDRs, when no call is left and everything is written."""
        while len(self.gateway._runner) or self.gateway._outbox.unwritten:
            await asyncio.sleep(0.1)
        return self.store.cdrs()


@asynccontextmanager
async def room(directory: Path, *, credit_micros: int, channels: int = 300) -> AsyncIterator[Room]:
    loop = asyncio.get_running_loop()
    async with LoadPeer(t1_s=T1_S) as pbx, LoadPeer(t1_s=T1_S) as carrier:
        files = GatewayProcess(directory, tables=TABLES, media=MEDIA_PORTS, log_level="info")
        seeded = seed_load(
            files.var, pbx.address, carrier.address, channels=channels, credit_micros=credit_micros
        )
        clock = LoopClock(loop)
        gateway = Gateway(load(files.settings_file, {}).settings, clock=clock)
        running = loop.create_task(gateway.run())
        while not (files.var / "run.json").exists():
            assert not running.done(), running.exception()
            await asyncio.sleep(0.1)
        udp = next(each for each in gateway._listening if each.name == "udp")
        store = StoreReader(files.store_path)
        try:
            yield Room(gateway, clock, (udp.host, udp.port), pbx, carrier, seeded, store)
        finally:
            gateway.stop()
            await running


def in_fast_time(work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await work()

    with asyncio.Runner(loop_factory=lambda: ScaledLoop(FACTOR)) as runner:
        runner.run(run())
