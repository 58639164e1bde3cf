"""Debian's baresip 1.0.0 as PBX, a pjsua2 softphone as carrier, the real gateway between them."""

import re
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.conftest import House, NewPeer, StartHouse
from tests.support.baresip_peer import AVAILABLE, BaresipPeer, Trunk
from tests.support.pjsua_peer import CONFIRMED, PjsuaPeer
from tests.support.seed import NUMBER, PBX

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(not AVAILABLE, reason="baresip is not installed"),
]

PBX_TONE_HZ = 440
CARRIER_TONE_HZ = 1000
CALLED = "442079460123"
ECHO = "17606604690"
ROOT = Path(__file__).resolve().parents[2]
NOBODY = ("127.0.0.1", 9)
RECEIVES, SENDS_AND_RECEIVES = 2, 3  # pjmedia_dir
NewBaresip = Callable[..., BaresipPeer]


@pytest.fixture
def new_baresip(tmp_path: Path, start_gateway: StartHouse) -> Iterator[NewBaresip]:
    """Registered baresips that end before their gateway does."""
    running: list[BaresipPeer] = []

    def new(
        house: House,
        transport: str,
        *,
        numbers: tuple[str, ...] = (NUMBER,),
        registered: bool = True,
    ) -> BaresipPeer:
        folder = tmp_path / f"baresip-{len(running)}"
        folder.mkdir()
        secure = transport == "tls"
        peer = BaresipPeer(
            Trunk(
                folder,
                house.gateway.at(transport),
                *PBX,
                transport=transport,
                srtp=secure,
                ca_file=house.gateway.ca_file if secure else None,
                numbers=numbers,
                tone_hz=PBX_TONE_HZ,
            )
        )
        running.append(peer)
        if registered:
            peer.wait_registered()
        return peer

    yield new
    for peer in running:
        peer.stop()


def carrier_hears(carrier: PjsuaPeer, call: int) -> None:
    at_carrier = carrier.listen(call)
    assert at_carrier.is_tone(PBX_TONE_HZ), f"the carrier heard {at_carrier}"


def pbx_hears(pbx: BaresipPeer, hz: int) -> None:
    at_pbx = pbx.listen()
    assert at_pbx.is_tone(hz), f"baresip heard {at_pbx}"


def connect(pbx: BaresipPeer, carrier: PjsuaPeer) -> int:
    """baresip calls a number; the call at the carrier, which answered."""
    pbx.call(CALLED)
    incoming = carrier.wait_incoming()
    assert incoming.request_uri.startswith(f"sip:+{CALLED}@")
    carrier.wait_state(incoming.call, CONFIRMED)
    return incoming.call


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_baresip_registers_and_calls_the_echo_test(
    new_baresip: NewBaresip, start_gateway: StartHouse, transport: str
) -> None:
    """R76, R87, R88, R92, R121: it hears its own tone, for nothing, over each transport."""
    house = start_gateway(NOBODY)
    before = house.balance()
    pbx = new_baresip(house, transport)
    assert house.gateway.metrics()["sipgw_bindings"] == 1
    pbx.call(ECHO)
    pbx_hears(pbx, PBX_TONE_HZ)
    pbx.hang_up()
    cdr = house.store.wait_cdr()
    assert (cdr["kind"], cdr["charge_micros"]) == ("echo", 0)
    assert house.balance() == before
    house.assert_nothing_held()
    pbx.stop()  # it un-registers
    assert house.gateway.metrics()["sipgw_bindings"] == 0


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_baresip_calls_a_number(
    new_baresip: NewBaresip, new_peer: NewPeer, start_gateway: StartHouse, transport: str
) -> None:
    """R88, R92, R93: UDP and RTP, or TLS and mandatory SRTP; a plain carrier; audio both ways."""
    carrier = new_peer(tone_hz=CARRIER_TONE_HZ, user="carrier")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_baresip(house, transport)
    call = connect(pbx, carrier)
    carrier_hears(carrier, call)
    pbx_hears(pbx, CARRIER_TONE_HZ)
    assert carrier.media(call)["srtp"] == ""
    assert ("SRTP is Enabled" in pbx.log()) is (transport == "tls")
    pbx.hang_up()
    carrier.wait_ended(call)
    cdr = house.store.wait_cdr()
    assert (cdr["cause"], cdr["called"], cdr["billed_s"]) == ("caller-hung-up", f"+{CALLED}", 30)
    house.assert_nothing_held()


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_a_call_to_an_online_number_is_answered_by_baresip(
    new_baresip: NewBaresip, new_peer: NewPeer, start_gateway: StartHouse, transport: str
) -> None:
    """R88, R109: the number in the request line leads baresip to the account it answers with."""
    carrier = new_peer(tone_hz=CARRIER_TONE_HZ, user="+442079460123")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_baresip(house, transport)
    call = carrier.call(f"sip:{NUMBER}@{house.at}")
    carrier.wait_state(call, CONFIRMED)
    pbx.wait("CALL_ESTABLISHED")
    pbx.wait_logged(rf"^INVITE sip:{NUMBER.removeprefix('+')}@127\.0\.0\.1:\d+")
    carrier_hears(carrier, call)
    pbx_hears(pbx, CARRIER_TONE_HZ)
    carrier.hang_up(call)
    pbx.wait_ended()
    cdr = house.store.wait_cdr()
    assert (cdr["direction"], cdr["charge_micros"]) == ("incoming", 0)
    house.assert_nothing_held()


def test_a_number_baresip_was_not_told_of_is_not_found(
    new_baresip: NewBaresip, new_peer: NewPeer, start_gateway: StartHouse
) -> None:
    """R109: the number is in the request line, and baresip matches nothing else."""
    carrier = new_peer(user="+442079460123")
    house = start_gateway((carrier.host, carrier.port))
    new_baresip(house, "udp", numbers=())
    call = carrier.call(f"sip:{NUMBER}@{house.at}")
    assert carrier.wait_ended(call)["status"] == 404
    house.assert_nothing_held()


def test_baresip_obeys_the_interval_it_is_given(
    new_baresip: NewBaresip, start_gateway: StartHouse
) -> None:
    """R81: it asks for 600 s, is given 3 s, and registers again before they are over."""
    house = start_gateway(NOBODY, tables="[registrar]\nmin_expires_s = 1\ndefault_expires_s = 3")
    pbx = new_baresip(house, "udp")
    pbx.wait_logged(r"(?s)(^Authorization: .*?){3}")
    assert house.gateway.metrics()["sipgw_bindings"] == 1


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_baresip_holds_and_resumes(
    new_baresip: NewBaresip, new_peer: NewPeer, start_gateway: StartHouse, transport: str
) -> None:
    """R93: hold silences the carrier's side, resume brings both directions back."""
    carrier = new_peer(tone_hz=CARRIER_TONE_HZ, user="carrier")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_baresip(house, transport)
    call = connect(pbx, carrier)
    carrier_hears(carrier, call)
    pbx.hold()
    carrier.wait("media", matching=lambda event: event["direction"] == RECEIVES)
    carrier.listen(call, 0.5)  # what was on its way arrives
    assert carrier.listen(call).silent
    carrier.forget("media")  # the call's first media event looks like that of the resume
    pbx.resume()
    carrier.wait("media", matching=lambda event: event["direction"] == SENDS_AND_RECEIVES)
    carrier_hears(carrier, call)
    pbx.reflect()
    carrier.listen(call, 0.5)  # the last of baresip's own tone
    at_carrier = carrier.listen(call)
    assert at_carrier.is_tone(CARRIER_TONE_HZ), f"baresip reflected {at_carrier}"
    pbx.hang_up()
    carrier.wait_ended(call)
    house.assert_nothing_held()


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_digits_dialled_at_baresip_reach_the_carrier(
    new_baresip: NewBaresip, new_peer: NewPeer, start_gateway: StartHouse, transport: str
) -> None:
    """R93: telephone events of RFC 4733, out of RTP and out of SRTP."""
    carrier = new_peer(tone_hz=CARRIER_TONE_HZ, user="carrier")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_baresip(house, transport)
    call = connect(pbx, carrier)
    carrier_hears(carrier, call)
    for digit in "42#":
        pbx.dtmf(digit)
        assert carrier.wait("dtmf")["digit"] == digit


def test_baresip_cannot_sign_in_to_a_profile_that_offers_sha256(
    new_baresip: NewBaresip, start_gateway: StartHouse
) -> None:
    """R78: why SHA-256 is off by default: baresip 1.0.0 gives up though MD5 is offered first."""
    house = start_gateway(NOBODY, sha256=True)
    pbx = new_baresip(house, "udp", registered=False)
    pbx.wait_logged("Register: Function not implemented")
    offered = re.findall(r"^WWW-Authenticate: .*algorithm=([\w-]+)", pbx.log(), re.MULTILINE)
    assert offered == ["MD5", "SHA-256"]


def test_the_certificate_is_right_for_those_who_look(start_gateway: StartHouse) -> None:
    """R88: baresip 1.0.0 verifies nothing, so another client judges what it was shown."""
    house = start_gateway(NOBODY)
    judge = ssl.create_default_context(cafile=str(house.gateway.ca_file))
    with (
        socket.create_connection(house.gateway.address("tls"), timeout=5) as plain,
        judge.wrap_socket(plain, server_hostname="sipgw.local") as secure,
    ):
        assert secure.version() in ("TLSv1.2", "TLSv1.3")


def test_the_page_for_baresip_shows_what_is_tested_here() -> None:
    """R127: docs/pbx/baresip.md holds these very settings, with names of an example."""
    page = (ROOT / "docs" / "pbx" / "baresip.md").read_text()
    trunk = Trunk(
        Path("/var/lib/baresip"),
        "sip.example.net:5061",
        "990510000001",
        "the-password",
        transport="tls",
        srtp=True,
        ca_file=Path("/etc/ssl/certs/sipgw-ca.pem"),
        numbers=(NUMBER,),
    )
    assert f"```\n{trunk.config()}```" in page
    assert f"```\n{trunk.accounts()}```" in page
