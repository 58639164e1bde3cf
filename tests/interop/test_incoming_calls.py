"""Calls that arrive: from a carrier to an Online Number, from an on-net account to a business."""

import pytest

from tests.interop.conftest import NewPeer, StartHouse
from tests.support.pjsua_peer import CONFIRMED
from tests.support.seed import ACCOUNT, CALLER, EXTENSION, NUMBER, PBX, PLAIN_ACCOUNT

pytestmark = pytest.mark.interop

PBX_TONE_HZ = 440
OUTSIDE_TONE_HZ = 1000
CONTACT_PARAMS = ";rinstance=459608bf8eeb29ef;line=sfkqwoe"


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_a_call_to_an_online_number_rings_the_pbx_with_that_number(
    new_peer: NewPeer, start_gateway: StartHouse, transport: str
) -> None:
    """R22, R71, R94, R108, R109: the number stands in the request line, its Contact stays."""
    carrier = new_peer(tone_hz=OUTSIDE_TONE_HZ, user="+442079460123")
    house = start_gateway((carrier.host, carrier.port))
    secure = transport == "tls"
    pbx = new_peer(
        tone_hz=PBX_TONE_HZ,
        transport=transport,
        srtp="mandatory" if secure else "off",
        ca_file=str(house.gateway.ca_file) if secure else "",
    )
    pbx.register(house.gateway.at(transport), *PBX, contact_params=CONTACT_PARAMS)
    before = house.balance()
    call = carrier.call(f"sip:{NUMBER}@{house.at}")
    incoming = pbx.wait_incoming()
    assert incoming.request_uri.startswith(f"sip:{NUMBER.removeprefix('+')}@127.0.0.1:")
    assert CONTACT_PARAMS in incoming.request_uri
    assert incoming.header("From").startswith("<sip:+442079460123@sipgw.local>;tag=")
    assert incoming.header("To") == f"<sip:{NUMBER.removeprefix('+')}@sipgw.local>"
    carrier.wait_state(call, CONFIRMED)
    carrier.start_listening(call)
    pbx.start_listening(incoming.call)
    assert carrier.heard(call).is_tone(PBX_TONE_HZ)
    assert pbx.heard(incoming.call).is_tone(OUTSIDE_TONE_HZ)
    assert bool(pbx.media(incoming.call)["srtp"]) is secure
    pbx.hang_up(incoming.call)
    carrier.wait_ended(call)
    cdr = house.store.wait_cdr()
    assert (cdr["direction"], cdr["kind"]) == ("incoming", "online-number")
    assert cdr["charge_micros"] == 0
    assert house.balance() == before
    house.assert_nothing_held()


def test_a_number_nobody_has_is_not_found(new_peer: NewPeer, start_gateway: StartHouse) -> None:
    """R104: the carrier hears 404 and no channel is taken."""
    carrier = new_peer(user="+442079460123")
    house = start_gateway((carrier.host, carrier.port))
    call = carrier.call(f"sip:+12025550188@{house.at}")
    assert carrier.wait_ended(call)["status"] == 404
    house.assert_nothing_held()


def test_a_pbx_that_is_not_registered_is_temporarily_unavailable(
    new_peer: NewPeer, start_gateway: StartHouse
) -> None:
    """R84: no binding, no way to deliver: 480."""
    carrier = new_peer(user="+442079460123")
    house = start_gateway((carrier.host, carrier.port))
    call = carrier.call(f"sip:{NUMBER}@{house.at}")
    assert carrier.wait_ended(call)["status"] == 480
    house.assert_nothing_held()


@pytest.mark.parametrize(("account", "called"), [(ACCOUNT, EXTENSION), (PLAIN_ACCOUNT, None)])
def test_a_business_account_is_reached_at_its_extension(
    new_peer: NewPeer, start_gateway: StartHouse, account: str, called: str | None
) -> None:
    """R94, R101, R102: an on-net softphone calls the name, free of charge."""
    house = start_gateway(("127.0.0.1", 9))
    pbx = new_peer(tone_hz=PBX_TONE_HZ)
    pbx.register(house.at, *PBX)
    softphone = new_peer(tone_hz=OUTSIDE_TONE_HZ, transport="tcp")
    server = house.gateway.at("tcp")
    softphone.register(server, *CALLER)
    call = softphone.call(f"sip:{account}@{server};transport=tcp")
    incoming = pbx.wait_incoming()
    user = incoming.request_uri.removeprefix("sip:").partition("@")[0]
    assert user == (called or account)
    assert incoming.header("From").startswith(f"<sip:{CALLER[0]}@sipgw.local>")
    softphone.wait_state(call, CONFIRMED)
    assert softphone.listen(call).is_tone(PBX_TONE_HZ)
    softphone.hang_up(call)
    pbx.wait_ended(incoming.call)
    cdr = house.store.wait_cdr()
    assert (cdr["kind"], cdr["charge_micros"]) == ("onnet", 0)
    house.assert_nothing_held()


def test_a_pbx_cannot_call_an_account_name(new_peer: NewPeer, start_gateway: StartHouse) -> None:
    """R21: names are for the network, not for trunks."""
    house = start_gateway(("127.0.0.1", 9))
    pbx = new_peer()
    pbx.register(house.at, *PBX)
    call = pbx.call(f"sip:{ACCOUNT}@{house.at}")
    assert pbx.wait_ended(call)["status"] in (403, 404)


def test_an_attached_account_cannot_sign_in(new_peer: NewPeer, start_gateway: StartHouse) -> None:
    """R97: REGISTER of a business account is refused with 403."""
    house = start_gateway(("127.0.0.1", 9))
    softphone = new_peer()
    event = softphone.register(house.at, ACCOUNT, "unused-1", expect=403)
    assert "ATTACHED_TO_PROFILE" in event["message"]


def test_a_registration_can_be_taken_back(new_peer: NewPeer, start_gateway: StartHouse) -> None:
    """R84: after un-registering the number is not delivered any more."""
    carrier = new_peer(user="+442079460123")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_peer()
    pbx.register(house.at, *PBX)
    assert pbx.unregister()["status"] == 200
    call = carrier.call(f"sip:{NUMBER}@{house.at}")
    assert carrier.wait_ended(call)["status"] == 480
