"""The gateway and the agents round it: every test has processes of its own and leaves none."""

import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.model.carrier import Carrier
from tests.support.gateway_process import GatewayProcess
from tests.support.pjsua_peer import PeerOptions, PjsuaPeer
from tests.support.seed import Seeded, carrier_at, seed
from tests.support.sip_peer import SipPeer
from tests.support.store_reader import StoreReader

SETTLED_WITHIN_S = 2.0  # R120b


@dataclass(frozen=True, slots=True)
class House:
    """A running gateway, what is in its store, and a reader of it."""

    gateway: GatewayProcess
    seeded: Seeded
    store: StoreReader

    @property
    def at(self) -> str:
        return self.gateway.at("udp")

    def balance(self) -> int:
        return self.store.balance(self.seeded.pbx.account)

    def assert_nothing_held(self) -> None:
        """No channel, no credit and no journal row outlives its call (R36, R63)."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while self.store.open_calls() and time.monotonic() < deadline:
            time.sleep(0.02)  # the settlement's commit is on its way
        assert self.store.open_calls() == []
        assert self.store.postings_sum() == 0
        metrics = self.gateway.metrics()
        assert metrics["sipgw_live_calls"] == 0
        assert metrics["sipgw_channels_in_use"] == 0


StartHouse = Callable[..., House]
NewPeer = Callable[..., PjsuaPeer]
NewSipPeer = Callable[..., SipPeer]


@pytest.fixture
def start_gateway(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StartHouse]:
    """Start the gateway with a carrier at the given address, and whatever settings."""
    running: list[GatewayProcess] = []

    def start(
        carrier: tuple[str, int] | Carrier,
        *,
        tables: str = "",
        ip_pbx: tuple[str, int] | None = None,
        more_carriers: tuple[Carrier, ...] = (),
        sha256: bool = False,
    ) -> House:
        gateway = GatewayProcess(tmp_path / "gateway", tables=tables)
        first = carrier if isinstance(carrier, Carrier) else carrier_at(*carrier)
        seeded = seed(gateway.var, first, ip_pbx=ip_pbx, more_carriers=more_carriers, sha256=sha256)
        gateway.start()
        running.append(gateway)
        return House(gateway, seeded, StoreReader(gateway.store_path))

    yield start
    for gateway in running:
        code = gateway.stop()
        assert code == 0, f"the gateway ended with {code}\n{gateway.log()[-3000:]}"
        faults = [line for line in gateway.log().splitlines() if "Traceback" in line]
        assert not faults, gateway.log()[-6000:]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows the end of the gateway's log."""
    report = yield
    if report.failed:
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        log = folder / "gateway" / "var" / "gateway.log" if folder else None
        if log is not None and log.exists():
            report.sections.append(("gateway log", log.read_text(errors="replace")[-8000:]))
    return report


@pytest.fixture
def new_peer(tmp_path: Path) -> Iterator[NewPeer]:
    """Softphones that end with the test."""
    pytest.importorskip("pjsua2", reason="the softphone of the interop tests is not installed")
    peers: list[PjsuaPeer] = []

    def new(**options: object) -> PjsuaPeer:
        folder = tmp_path / f"peer-{len(peers)}"
        folder.mkdir()
        peer = PjsuaPeer(PeerOptions(str(folder), **options))  # type: ignore[arg-type]
        peers.append(peer)
        return peer

    yield new
    for peer in peers:
        peer.stop()


@pytest.fixture
def new_sip_peer() -> Iterator[NewSipPeer]:
    """Hand-driven SIP sockets that close with the test."""
    peers: list[SipPeer] = []

    def new(host: str = "127.0.0.1") -> SipPeer:
        peer = SipPeer(host)
        peers.append(peer)
        return peer

    yield new
    for peer in peers:
        peer.close()
