"""A real softphone as PBX and another as carrier, through the real gateway, with real audio."""

import pytest

from tests.interop.conftest import House, NewPeer, StartHouse
from tests.support.pjsua_peer import CONFIRMED, PjsuaPeer
from tests.support.seed import PBX, PER_MINUTE_MICROS

pytestmark = pytest.mark.interop

PBX_TONE_HZ = 440
CARRIER_TONE_HZ = 1000
CALLED = "442079460123"


def both_hear(caller: PjsuaPeer, call: int, called: PjsuaPeer, called_call: int) -> None:
    """Each end hears the other's tone, clean and at its level."""
    caller.start_listening(call)
    called.start_listening(called_call)
    at_caller, at_called = caller.heard(call), called.heard(called_call)
    assert at_caller.is_tone(CARRIER_TONE_HZ), f"the caller heard {at_caller}"
    assert at_called.is_tone(PBX_TONE_HZ), f"the called side heard {at_called}"


def connect(
    house: House, pbx: PjsuaPeer, carrier: PjsuaPeer, listener: str, number: str = CALLED
) -> tuple[int, int]:
    """Register, call, answer: (call at the PBX, call at the carrier)."""
    server = house.gateway.at(listener)
    transport = listener.removesuffix("6")
    suffix = "" if transport == "udp" else f";transport={transport}"
    pbx.register(server, *PBX)
    call = pbx.call(f"sip:{number}@{server}{suffix}")
    incoming = carrier.wait_incoming()
    pbx.wait_state(call, CONFIRMED)
    carrier.wait_state(incoming.call, CONFIRMED)
    return call, incoming.call


def test_a_call_over_tls_with_mandatory_srtp_reaches_a_plain_carrier(
    new_peer: NewPeer, start_gateway: StartHouse
) -> None:
    """R88, R91, R93, R132, R134: TLS and SDES-SRTP at the PBX, UDP and RTP at the carrier."""
    carrier = new_peer(tone_hz=CARRIER_TONE_HZ, user="carrier")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_peer(
        tone_hz=PBX_TONE_HZ,
        transport="tls",
        srtp="mandatory",
        ca_file=str(house.gateway.ca_file),
    )
    call, at_carrier = connect(house, pbx, carrier, "tls")
    both_hear(pbx, call, carrier, at_carrier)
    assert pbx.media(call)["srtp"] == "AES_CM_128_HMAC_SHA1_80"
    assert carrier.media(at_carrier)["srtp"] == ""
    pbx.hang_up(call)
    carrier.wait_ended(at_carrier)
    house.store.wait_cdr(lambda row: row["cause"] == "caller-hung-up")
    house.assert_nothing_held()
    # R91: no key material in logs.
    assert "inline:" not in house.gateway.log()
    assert PBX[1] not in house.gateway.log()


@pytest.mark.parametrize("listener", ["udp", "tcp"])
def test_a_call_without_encryption_works_too(
    new_peer: NewPeer, start_gateway: StartHouse, listener: str
) -> None:
    """R92: a PBX without TLS calls over UDP or TCP with RTP."""
    carrier = new_peer(tone_hz=CARRIER_TONE_HZ, user="carrier")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_peer(tone_hz=PBX_TONE_HZ, transport=listener)
    call, at_carrier = connect(house, pbx, carrier, listener)
    both_hear(pbx, call, carrier, at_carrier)
    carrier.hang_up(at_carrier)
    pbx.wait_ended(call)
    cdr = house.store.wait_cdr()
    assert cdr["cause"] == "called-hung-up"
    house.assert_nothing_held()


def test_the_price_of_a_call_is_that_of_its_length(
    new_peer: NewPeer, start_gateway: StartHouse
) -> None:
    """R68, R69, R70, R120b: 30 s at least, the CDR at once, and the balance follows it."""
    carrier = new_peer(tone_hz=CARRIER_TONE_HZ, user="carrier")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_peer(tone_hz=PBX_TONE_HZ)
    before = house.balance()
    call, at_carrier = connect(house, pbx, carrier, "udp", number="12125550123")
    pbx.listen(call, 2.0)
    pbx.hang_up(call)
    carrier.wait_ended(at_carrier)
    cdr = house.store.wait_cdr(timeout_s=2.0)
    assert 2.0 < cdr["duration_us"] / 1e6 < 6.0
    assert cdr["billed_s"] == 30
    assert cdr["charge_micros"] == PER_MINUTE_MICROS // 2
    assert house.balance() == before - cdr["charge_micros"]
    assert cdr["called"] == "+12125550123"
    assert cdr["derivation"]
    house.assert_nothing_held()


def test_hold_and_resume_keep_the_audio(new_peer: NewPeer, start_gateway: StartHouse) -> None:
    """R93: over TLS and SRTP, hold silences, resume brings both directions back."""
    carrier = new_peer(tone_hz=CARRIER_TONE_HZ, user="carrier")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_peer(
        tone_hz=PBX_TONE_HZ,
        transport="tls",
        srtp="mandatory",
        ca_file=str(house.gateway.ca_file),
    )
    call, at_carrier = connect(house, pbx, carrier, "tls")
    both_hear(pbx, call, carrier, at_carrier)
    for _ in range(2):
        pbx.hold(call)
        pbx.wait("media", matching=lambda event: not event["active"])
        carrier.listen(at_carrier, 0.5)  # what was on its way arrives
        assert carrier.listen(at_carrier).silent
        pbx.resume(call)
        pbx.wait("media", matching=lambda event: bool(event["active"]))
        both_hear(pbx, call, carrier, at_carrier)
    pbx.hang_up(call)
    carrier.wait_ended(at_carrier)
    assert house.store.wait_cdr()["cause"] == "caller-hung-up"


def test_the_far_end_may_hold_as_well(new_peer: NewPeer, start_gateway: StartHouse) -> None:
    """R93: a re-INVITE from the carrier crosses to the PBX and back."""
    carrier = new_peer(tone_hz=CARRIER_TONE_HZ, user="carrier")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_peer(tone_hz=PBX_TONE_HZ)
    call, at_carrier = connect(house, pbx, carrier, "udp")
    carrier.hold(at_carrier)
    carrier.wait("media", matching=lambda event: not event["active"])
    pbx.listen(call, 0.5)
    assert pbx.listen(call).silent
    carrier.resume(at_carrier)
    carrier.wait("media", matching=lambda event: bool(event["active"]))
    both_hear(pbx, call, carrier, at_carrier)
    pbx.hang_up(call)
    carrier.wait_ended(at_carrier)


def test_dtmf_digits_pass(new_peer: NewPeer, start_gateway: StartHouse) -> None:
    """R93: telephone events of RFC 4733 cross the relay, also out of SRTP."""
    carrier = new_peer(tone_hz=CARRIER_TONE_HZ, user="carrier")
    house = start_gateway((carrier.host, carrier.port))
    pbx = new_peer(
        tone_hz=PBX_TONE_HZ,
        transport="tls",
        srtp="mandatory",
        ca_file=str(house.gateway.ca_file),
    )
    call, at_carrier = connect(house, pbx, carrier, "tls")
    both_hear(pbx, call, carrier, at_carrier)
    pbx.dtmf(call, "42#")
    digits = [carrier.wait("dtmf")["digit"] for _ in range(3)]
    assert digits == ["4", "2", "#"]


@pytest.mark.parametrize("number", ["17606604690", "+17606604690"])
def test_the_echo_test_answers_and_costs_nothing(
    new_peer: NewPeer, start_gateway: StartHouse, number: str
) -> None:
    """R74, R87, R121: the caller hears itself; credit is unchanged; the CDR says echo."""
    house = start_gateway(("127.0.0.1", 9))
    pbx = new_peer(
        tone_hz=PBX_TONE_HZ,
        transport="tls",
        srtp="mandatory",
        ca_file=str(house.gateway.ca_file),
    )
    server = house.gateway.at("tls")
    pbx.register(server, *PBX)
    before = house.balance()
    call = pbx.call(f"sip:{number}@{server};transport=tls")
    pbx.wait_state(call, CONFIRMED)
    at_pbx = pbx.listen(call)
    assert at_pbx.is_tone(PBX_TONE_HZ), f"heard {at_pbx}"
    pbx.hang_up(call)
    cdr = house.store.wait_cdr()
    assert (cdr["kind"], cdr["charge_micros"]) == ("echo", 0)
    assert house.balance() == before
    house.assert_nothing_held()


def test_a_softphone_signs_in_to_a_profile_that_offers_sha256(
    new_peer: NewPeer, start_gateway: StartHouse
) -> None:
    """R78: of two challenges, MD5 first, pjsip answers one it likes, for REGISTER and INVITE."""
    house = start_gateway(("127.0.0.1", 9), sha256=True)
    pbx = new_peer()
    pbx.register(house.at, *PBX)
    call = pbx.call(f"sip:17606604690@{house.at}")
    pbx.wait_state(call, CONFIRMED)
    pbx.hang_up(call)
    assert house.store.wait_cdr()["kind"] == "echo"
