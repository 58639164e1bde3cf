"""Passwords, bans and who is registered, against the real process."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.model.online_number import OnlineNumber
from store import numbers
from store.database import Database
from tests.interop.conftest import House, NewSipPeer, StartHouse
from tests.support.registrant import Registrant
from tests.support.rotation import rotate_in_store
from tests.support.seed import NUMBER, PBX, SMALL_PBX
from tests.support.sip_peer import Message, SipPeer, UacCall

pytestmark = pytest.mark.interop

ECHO = "+17606604690"
SMALL_NUMBER = "+12026555377"
ALERT = "a second PBX registered with the same credentials"


def carrier_call(carrier: SipPeer, house: House, number: str) -> UacCall:
    call = UacCall(carrier, house.gateway.address(), number, username="+447824500123")
    call.send_invite()
    return call


def echo_call(peer: SipPeer, house: House, password: str) -> Message:
    """The echo call with a password; the final response. A call that stands is ended."""
    call = UacCall(peer, house.gateway.address(), ECHO, username=PBX[0], password=password)
    call.send_authorized(call.challenged())
    response = call.final()
    if response.status == 200:
        call.answer, call.to = response, response.header("To")
        peer.send(call.request("ACK", uri=response.contact_uri), call.server)
        call.bye()
    return response


def is_invite(message: Message) -> bool:
    return message.method == "INVITE"


def test_of_two_pbxs_with_the_same_credentials_the_newest_wins(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R13: calls ring at the second one only; the operator is alerted once, not on refreshes."""
    carrier, first, second = new_sip_peer(), new_sip_peer("127.0.0.2"), new_sip_peer("127.0.0.3")
    house = start_gateway((carrier.host, carrier.port))
    server = house.gateway.address()
    assert Registrant(first, server, PBX[0]).register(PBX[1]).status == 200
    newer = Registrant(second, server, PBX[0])
    answer = newer.register(PBX[1])
    assert answer.status == 200
    assert [second.address in contact for contact in answer.headers("Contact")] == [True]
    for _ in range(3):
        assert newer.register(PBX[1]).status == 200
    call = carrier_call(carrier, house, NUMBER)
    second.reply(second.wait_request("INVITE"), "486 Busy Here")
    assert call.final().status == 486
    assert first.stays_silent(is_invite, 0.3)
    assert house.gateway.log().count(ALERT) == 1
    assert house.gateway.metrics()["sipgw_bindings"] == 1


def test_with_the_setting_a_second_pbx_is_refused(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R13: conflict = "refuse" keeps the first, and says so."""
    first, second = new_sip_peer("127.0.0.2"), new_sip_peer("127.0.0.3")
    house = start_gateway(("127.0.0.1", 9), tables='[registrar]\nconflict = "refuse"\n')
    server = house.gateway.address()
    assert Registrant(first, server, PBX[0]).register(PBX[1]).status == 200
    refused = Registrant(second, server, PBX[0]).register(PBX[1])
    assert refused.status == 403
    assert "ALREADY_REGISTERED" in refused.header("Warning")
    assert house.gateway.metrics()["sipgw_bindings"] == 1


def test_two_profiles_registered_from_one_address_and_port_keep_their_numbers(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R14: each incoming call carries its own number and reaches the right account."""
    carrier, pbx = new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    house.gateway.stop()
    add_number(house.gateway.var, SMALL_NUMBER, house.seeded.small.id)
    house.gateway.start()
    trunks = ((PBX, NUMBER), (SMALL_PBX, SMALL_NUMBER))
    for (username, password), _ in trunks:
        registrant = Registrant(pbx, house.gateway.address(), username)
        assert registrant.register(password).status == 200
    assert house.gateway.metrics()["sipgw_bindings"] == 2
    for (username, _), number in trunks:
        call = carrier_call(carrier, house, number)
        rings = pbx.wait_request("INVITE")
        assert rings.request_uri.startswith(f"sip:{number.removeprefix('+')}@{pbx.address}")
        pbx.reply(rings, "486 Busy Here")
        assert call.final().status == 486
        row = house.store.cdr_of(call.sip_call_id)
        assert f"{username}@" in row["target"]
    for (username, password), _ in trunks:  # and outgoing calls are told apart by their digest
        call = UacCall(pbx, house.gateway.address(), ECHO, username=username, password=password)
        call.establish()
        call.bye()
    assert ALERT not in house.gateway.log()


def add_number(var: Path, number: str, profile_id: int) -> None:
    database = Database(var / "sipgw.db")
    try:
        with database.editor() as connection:
            numbers.save(connection, OnlineNumber(number, profile_id))
    finally:
        database.close()


def test_a_changed_password_disconnects_nobody(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R83, R84, R85, R87: in and out go on with the old one until the registration ends; the new
    one registers and calls at once. Across a restart, too."""
    carrier, pbx, stranger = new_sip_peer(), new_sip_peer(), new_sip_peer("127.0.0.2")
    house = start_gateway((carrier.host, carrier.port))
    registrant = Registrant(pbx, house.gateway.address(), PBX[0])
    assert registrant.register(PBX[1], expires_s=300).status == 200
    ports = dict(house.gateway.ports)
    house.gateway.stop()
    rotation = rotate_in_store(house.gateway.var, PBX[0])
    assert rotation.drops_at is not None
    assert 290 < (rotation.drops_at - datetime.now(UTC)).total_seconds() <= 300
    keep_ports(house, ports)
    house.gateway.start()
    assert echo_call(pbx, house, PBX[1]).status == 200
    assert echo_call(stranger, house, PBX[1]).status == 407
    call = carrier_call(carrier, house, NUMBER)
    pbx.reply(pbx.wait_request("INVITE"), "486 Busy Here")
    assert call.final().status == 486
    refused = registrant.register(PBX[1])
    assert refused.status == 401
    assert "stale=true" not in refused.header("WWW-Authenticate")
    new = rotation.profile.password
    assert echo_call(pbx, house, new).status == 200
    assert echo_call(stranger, house, new).status == 200
    assert registrant.register(new).status == 200
    assert echo_call(pbx, house, PBX[1]).status == 407


def test_after_the_registration_has_ended_the_old_password_is_worth_nothing(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R84: outgoing calls are lost and incoming ones not received; the new password restores."""
    carrier, pbx = new_sip_peer(), new_sip_peer()
    house = start_gateway(
        (carrier.host, carrier.port),
        tables="[registrar]\nmin_expires_s = 1\ndefault_expires_s = 4\nnat_expires_s = 4\n",
    )
    registrant = Registrant(pbx, house.gateway.address(), PBX[0])
    ports = dict(house.gateway.ports)
    assert registrant.register(PBX[1]).status == 200
    house.gateway.stop()
    rotation = rotate_in_store(house.gateway.var, PBX[0])
    assert rotation.profile.old_passwords
    keep_ports(house, ports)
    house.gateway.start()
    house.store.wait(lambda: not house.store.rows("select * from old_passwords"))
    assert datetime.now(UTC) >= rotation.drops_at  # type: ignore[operator]
    assert echo_call(pbx, house, PBX[1]).status == 407
    call = carrier_call(carrier, house, NUMBER)
    missed = call.final()
    assert missed.status == 480
    assert "PBX_NOT_REACHABLE" in missed.header("Warning")
    assert registrant.register(rotation.profile.password).status == 200
    call = carrier_call(carrier, house, NUMBER)
    pbx.reply(pbx.wait_request("INVITE"), "486 Busy Here")
    assert call.final().status == 486
    assert echo_call(pbx, house, rotation.profile.password).status == 200


def keep_ports(house: House, ports: dict[str, int]) -> None:
    """The restarted gateway listens where PBXs know it to be."""
    text = house.gateway.settings_file.read_text()
    for name, port in ports.items():
        text = re.sub(rf'(name = "{name}"\n.*\n.*):0"', rf'\g<1>:{port}"', text)
    house.gateway.settings_file.write_text(text)


def test_who_guesses_is_banned_and_nobody_else(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R86: the twentieth wrong password is told, then nothing is answered; others go on."""
    guesser, pbx = new_sip_peer("127.0.0.2"), new_sip_peer("127.0.0.3")
    house = start_gateway(("127.0.0.1", 9))
    server = house.gateway.address()
    registrant = Registrant(guesser, server, PBX[0])
    answers = [registrant.register("wrong") for _ in range(20)]
    assert [answer.status for answer in answers] == [401] * 19 + [403]
    assert "BANNED" in answers[-1].header("Warning")
    registrant.send()
    assert guesser.stays_silent(lambda message: bool(message.status), 0.5)
    assert Registrant(pbx, server, PBX[0]).register(PBX[1]).status == 200
    metrics = house.gateway.metrics()
    assert metrics["sipgw_banned_sources"] == 1
    assert metrics["sipgw_bans_total"] == 1
    assert metrics["sipgw_failed_credentials_total"] == 20
    assert metrics["sipgw_turned_away_total"] == 1
    (line,) = [line for line in house.gateway.log().splitlines() if "source banned" in line]
    assert (
        "127.0.0.2" in line and "20 wrong passwords" in line and "sipgw ban lift 127.0.0.2" in line
    )


def test_a_registered_pbx_is_not_banned_for_what_its_neighbour_does(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R86: one public address, a registered PBX and a device with a wrong password."""
    pbx, neighbour = new_sip_peer("127.0.0.2"), new_sip_peer("127.0.0.2")
    house = start_gateway(("127.0.0.1", 9))
    server = house.gateway.address()
    assert Registrant(pbx, server, PBX[0]).register(PBX[1]).status == 200
    wrong = Registrant(neighbour, server, SMALL_PBX[0])
    assert {wrong.register("wrong").status for _ in range(45)} == {401}
    assert echo_call(pbx, house, PBX[1]).status == 200
    assert house.gateway.metrics()["sipgw_bans_total"] == 0
