"""Signalling flows driven by sipp, an agent with its own idea of transactions and timers."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.conftest import House, StartHouse
from tests.support.seed import PBX, carrier_at
from tests.support.sipp import AVAILABLE, Sipp, free_port

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not AVAILABLE, reason="sipp is not installed"),
]

CALLED = "+442079460123"
RunSipp = Callable[..., Sipp]


@pytest.fixture
def sipp(tmp_path: Path) -> Iterator[RunSipp]:
    """sipp processes that end with the test."""
    running: list[Sipp] = []

    def run(scenario: str, **options: object) -> Sipp:
        process = Sipp(scenario, tmp_path / "sipp", **options)  # type: ignore[arg-type]
        running.append(process)
        return process

    yield run
    for process in running:
        process.stop()


def as_pbx(
    sipp: RunSipp, house: House, scenario: str, password: str = PBX[1], **more: object
) -> Sipp:
    return sipp(
        scenario,
        target=house.gateway.at(str(more.get("transport", "udp"))),
        credentials=(PBX[0], password),
        keys={"domain": "sipgw.local", "user": PBX[0]},
        called=CALLED,
        **more,
    )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_calls_are_set_up_and_torn_down(
    sipp: RunSipp, start_gateway: StartHouse, transport: str
) -> None:
    """R24, R36, R70: ten calls, two at a time, each with its CDR and nothing left behind."""
    port = free_port()
    house = start_gateway(("127.0.0.1", port))
    carrier = sipp("carrier_answers", port=port, calls=10)
    pbx = as_pbx(sipp, house, "pbx_calls", calls=10, rate=5, hold_ms=300, transport=transport)
    assert (result := pbx.wait()).ok, result
    assert (result := carrier.wait()).ok, result
    house.assert_nothing_held()
    assert len(house.store.cdrs()) == 10
    assert all(cdr["billed_s"] == 30 for cdr in house.store.cdrs())


def test_a_busy_carrier_is_heard_as_busy(sipp: RunSipp, start_gateway: StartHouse) -> None:
    """R36: 486 crosses to the PBX, costs nothing and frees the channel."""
    port = free_port()
    house = start_gateway(("127.0.0.1", port))
    before = house.balance()
    carrier = sipp("carrier_busy", port=port)
    assert (result := as_pbx(sipp, house, "pbx_hears_busy").wait()).ok, result
    assert (result := carrier.wait()).ok, result
    house.assert_nothing_held()
    assert house.balance() == before
    assert house.store.wait_cdr()["sip_status"] == 486


def test_a_caller_who_gives_up_cancels_the_carrier(
    sipp: RunSipp, start_gateway: StartHouse
) -> None:
    """R36: CANCEL is answered 200, the INVITE 487, and the carrier gets a CANCEL of its own."""
    port = free_port()
    house = start_gateway(("127.0.0.1", port))
    carrier = sipp("carrier_rings", port=port)
    assert (result := as_pbx(sipp, house, "pbx_cancels").wait()).ok, result
    assert (result := carrier.wait()).ok, result
    house.assert_nothing_held()
    cdr = house.store.wait_cdr()
    assert (cdr["cause"], cdr["charge_micros"]) == ("cancelled", 0)


def test_nobody_answers(sipp: RunSipp, start_gateway: StartHouse) -> None:
    """R36: after the ring timeout the carrier is cancelled and the PBX hears 480."""
    port = free_port()
    house = start_gateway(("127.0.0.1", port), tables="[calls]\nring_timeout_s = 1.5")
    carrier = sipp("carrier_rings", port=port)
    assert (result := as_pbx(sipp, house, "pbx_waits_for_no_answer").wait()).ok, result
    assert (result := carrier.wait()).ok, result
    house.assert_nothing_held()
    assert house.store.wait_cdr()["cause"] == "no-answer"


def test_the_next_carrier_takes_a_call_the_first_cannot(
    sipp: RunSipp, start_gateway: StartHouse
) -> None:
    """A 503 of the first carrier is not the caller's business: the second one answers."""
    first, second = free_port(), free_port()
    house = start_gateway(
        carrier_at("127.0.0.1", first),
        more_carriers=(carrier_at("127.0.0.1", second, name="second", priority=1),),
    )
    broken = sipp("carrier_unavailable", port=first)
    working = sipp("carrier_answers", port=second)
    assert (result := as_pbx(sipp, house, "pbx_calls", hold_ms=200).wait()).ok, result
    assert (result := broken.wait()).ok, result
    assert (result := working.wait()).ok, result
    assert house.store.wait_cdr()["target"] == "carrier:second"
    house.assert_nothing_held()


def test_a_wrong_password_is_only_challenged_again(
    sipp: RunSipp, start_gateway: StartHouse
) -> None:
    """R78: 407 once more, never 403, and no call exists."""
    house = start_gateway(("127.0.0.1", 9))
    pbx = as_pbx(sipp, house, "pbx_wrong_password", password="wrong")
    assert (result := pbx.wait()).ok, result
    house.assert_nothing_held()


def test_options_are_answered(sipp: RunSipp, start_gateway: StartHouse) -> None:
    """R123: the ping by which a PBX measures and watches its trunk."""
    house = start_gateway(("127.0.0.1", 9))
    assert (result := as_pbx(sipp, house, "pbx_options", calls=20, rate=50).wait()).ok, result


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_registrations_at_a_steady_rhythm_are_never_banned(
    sipp: RunSipp, start_gateway: StartHouse, transport: str
) -> None:
    """R76, R86: two hundred challenge and response cycles in a row all succeed."""
    house = start_gateway(("127.0.0.1", 9))
    pbx = as_pbx(sipp, house, "pbx_registers", calls=200, rate=100, transport=transport)
    assert (result := pbx.wait()).ok, result
    assert house.gateway.metrics()["sipgw_bindings"] >= 1


def test_an_agent_that_takes_the_first_challenge_gets_one_it_can_answer(
    sipp: RunSipp, start_gateway: StartHouse
) -> None:
    """R78: a profile that offers SHA-256 offers MD5 first, which is what sipp answers."""
    house = start_gateway(("127.0.0.1", 9), sha256=True)
    pbx = as_pbx(sipp, house, "pbx_registers")
    assert (result := pbx.wait()).ok, result
    challenges = re.findall(r"^WWW-Authenticate: .*algorithm=([\w-]+)", pbx.messages, re.MULTILINE)
    assert challenges == ["MD5", "SHA-256"]
