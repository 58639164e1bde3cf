"""The built-in carrier: what `sipgw serve` offers before there is a contract with a real one."""

from dataclasses import replace

import pytest

from gateway.model.carrier import Carrier
from tests.interop.conftest import House, NewPeer, NewSipPeer, StartHouse
from tests.support.pjsua_peer import CONFIRMED
from tests.support.seed import PBX, carrier_at
from tests.support.sip_peer import SipPeer, UacCall

pytestmark = pytest.mark.interop

# Without an enabled carrier the gateway puts its simulator in their place.
NO_CARRIER: Carrier = replace(carrier_at("127.0.0.1", 9), enabled=False)


def dial(peer: SipPeer, house: House, number: str) -> UacCall:
    call = UacCall(peer, house.gateway.address(), number, username=PBX[0], password=PBX[1])
    call.send_authorized(call.challenged())
    return call


def test_a_call_to_any_number_comes_back_as_echo(
    new_peer: NewPeer, start_gateway: StartHouse
) -> None:
    """A first call without a contract: answered, one's own tone heard, priced like any other."""
    house = start_gateway(NO_CARRIER)
    pbx = new_peer(
        tone_hz=440, transport="tls", srtp="mandatory", ca_file=str(house.gateway.ca_file)
    )
    server = house.gateway.at("tls")
    pbx.register(server, *PBX)
    call = pbx.call(f"sip:442079460123@{server};transport=tls")
    pbx.wait_state(call, CONFIRMED)
    assert pbx.listen(call).is_tone(440)
    pbx.hang_up(call)
    assert house.store.wait_cdr()["billed_s"] == 30
    house.assert_nothing_held()


@pytest.mark.parametrize(("ending", "status"), [("0486", 486), ("0503", 503), ("0404", 404)])
def test_special_numbers_fail_as_documented(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse, ending: str, status: int
) -> None:
    """The last four digits choose the failure a PBX shall be tried with."""
    house = start_gateway(NO_CARRIER)
    call = dial(new_sip_peer(), house, f"+44207946{ending}")
    assert call.final().status == status
    house.assert_nothing_held()


def test_a_number_that_rings_for_ever_can_be_cancelled(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """0480 rings until the caller gives up."""
    house = start_gateway(NO_CARRIER)
    peer = new_sip_peer()
    call = dial(peer, house, "+442079460480")
    peer.wait_status(180, "INVITE")
    call.cancel()
    assert call.final().status == 487
    house.assert_nothing_held()


def test_early_media_comes_before_the_answer(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """0183: a 183 with a body, then the 200."""
    house = start_gateway(NO_CARRIER)
    peer = new_sip_peer()
    call = dial(peer, house, "+442079460183")
    early = peer.wait_status(183, "INVITE")
    assert early.media_port
    answer = call.confirm()
    assert answer.media_port == early.media_port
    call.bye()
    house.assert_nothing_held()


def test_a_call_the_far_end_ends(new_sip_peer: NewSipPeer, start_gateway: StartHouse) -> None:
    """0999 hangs up after two seconds: the BYE crosses, the CDR says who did it."""
    house = start_gateway(NO_CARRIER)
    peer = new_sip_peer()
    call = dial(peer, house, "+442079460999")
    call.confirm()
    peer.reply(peer.wait_request("BYE"), "200 OK")
    cdr = house.store.wait_cdr()
    assert cdr["cause"] == "called-hung-up"
    assert 1.8 < cdr["duration_us"] / 1e6 < 3.0
    house.assert_nothing_held()
