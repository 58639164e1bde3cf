"""The real process between two load peers, and the questions every test asks at its end."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.support.fast_room import MEDIA_PORTS
from tests.support.gateway_process import GatewayProcess
from tests.support.load_peer import LoadPeer, PeerCall
from tests.support.load_seed import CREDIT, DESTINATION, LoadSeed, seed_load
from tests.support.store_reader import StoreReader

SETTLED_WITHIN_S = 10.0


@dataclass(slots=True)
class Stage:
    """A gateway process with its PBX and its carrier."""

    gateway: GatewayProcess
    pbx: LoadPeer
    carrier: LoadPeer
    seeded: LoadSeed
    store: StoreReader
    credit_micros: int

    def dial(self, number: str = DESTINATION) -> PeerCall:
        return self.pbx.call(number, self.gateway.address())

    def ring_in(self) -> PeerCall:
        """A call from the carrier to the PBX's Online Number."""
        return self.carrier.call(self.seeded.number, self.gateway.address(), "+442079460123")

    async def health(self) -> dict[str, object]:
        return await asyncio.to_thread(self._health)

    def _health(self) -> dict[str, object]:
        try:
            with urlopen(f"http://{self.gateway.http}/health", timeout=5) as answer:
                return {**json.load(answer), "code": answer.status}
        except HTTPError as error:
            with error:
                return {**json.load(error), "code": error.code}

    async def metrics(self) -> dict[str, float]:
        return await asyncio.to_thread(self.gateway.metrics)

    async def settled(self) -> None:
        """Until no journal row is left."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while (left := self.store.open_calls()) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        assert not left, f"{len(left)} open calls are left, the first: {left[0]}"

    def assert_money_adds_up(self) -> None:
        """R66: every call once, entries balanced, the balance what the charges left of it."""
        cdrs = self.store.cdrs()
        calls = [row["call_id"] for row in cdrs]
        assert len(calls) == len(set(calls))
        assert self.store.postings_sum() == 0
        charged = sum(row["charge_micros"] for row in cdrs)
        balance = self.store.balance(self.seeded.account)
        assert balance == self.credit_micros - charged
        assert balance >= 0

    async def assert_nothing_held(self) -> None:
        metrics = await self.metrics()
        assert metrics["sipgw_live_calls"] == 0
        assert metrics["sipgw_channels_in_use"] == 0
        assert metrics["sipgw_orphaned_leases_total"] == 0
        assert metrics["sipgw_orphaned_holds_total"] == 0


StartStage = Callable[..., Awaitable[Stage]]


@pytest.fixture
def processes() -> Iterator[list[GatewayProcess]]:
    started: list[GatewayProcess] = []
    yield started
    for process in started:
        process.stop()


@pytest.fixture
async def start(tmp_path: Path, processes: list[GatewayProcess]) -> AsyncIterator[StartStage]:
    """Start a stage with these channels, credit and settings."""
    peers: list[LoadPeer] = []

    async def start_stage(
        *,
        channels: int = 300,
        credit_micros: int = CREDIT,
        tables: str = "",
        directory: Path | None = None,
        log_level: str = "info",
    ) -> Stage:
        for _ in range(2):
            peers.append(await LoadPeer().__aenter__())
        pbx, carrier = peers[-2:]
        gateway = GatewayProcess(
            directory or tmp_path, tables=tables, media=MEDIA_PORTS, log_level=log_level
        )
        seeded = seed_load(
            gateway.var,
            pbx.address,
            carrier.address,
            channels=channels,
            credit_micros=credit_micros,
        )
        await asyncio.to_thread(gateway.start)
        processes.append(gateway)
        store = StoreReader(gateway.store_path)
        return Stage(gateway, pbx, carrier, seeded, store, credit_micros)

    yield start_stage
    for peer in peers:
        await peer.__aexit__(None, None, None)
