"""Commands on the running gateway: a change holds for the next request and disturbs no call."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.control_client import ControlClient
from store.database import Database
from tests.interop.conftest import House, NewSipPeer, StartHouse
from tests.support.gateway_process import GatewayFailed
from tests.support.seed import CALLER, NUMBER, PBX, POOR_PBX, SMALL_PBX
from tests.support.sip_peer import Message, SipPeer, UacCall, compose, digest, sdp

pytestmark = pytest.mark.interop

ECHO = "+17606604690"
CALLED = "+442079460123"
NOWHERE = ("127.0.0.1", 9)


def run(house: House, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(house.gateway.settings_file)])


def told(house: House, *words: str) -> str:
    result = run(house, *words)
    assert result.exit_code == 0, result.output + result.stderr
    return result.stdout


def asked(house: House, *words: str) -> Any:
    return json.loads(told(house, *words, "--json"))


def call_of(peer: SipPeer, house: House, who: tuple[str, str], number: str = ECHO) -> UacCall:
    server = house.gateway.address()
    return UacCall(peer, server, number, username=who[0], password=who[1])


def refused(peer: SipPeer, house: House, who: tuple[str, str], number: str = ECHO) -> Message:
    """The final response to a call that shall not be."""
    call = call_of(peer, house, who, number)
    call.send_authorized(call.challenged())
    return call.final()


def register(peer: SipPeer, house: House, who: tuple[str, str]) -> int:
    """REGISTER with the right password; the final status."""
    uri, to = "sip:sipgw.local", f"<sip:{who[0]}@sipgw.local>"

    def send(cseq: int, *more: tuple[str, str]) -> Message:
        fields = [
            peer.via(), ("Max-Forwards", "70"), ("From", f"{to};tag=r1"), ("To", to),
            ("Call-ID", f"register-{peer.port}-{who[0]}"), ("CSeq", f"{cseq} REGISTER"),
            ("Contact", f"<sip:{who[0]}@{peer.address}>"), ("Expires", "300"), *more,
        ]  # fmt: skip
        peer.send(compose(f"REGISTER {uri} SIP/2.0", fields), house.gateway.address())
        return peer.wait_final("REGISTER")

    challenge = send(register.cseq).header("WWW-Authenticate")
    value = digest(challenge, username=who[0], password=who[1], method="REGISTER", uri=uri)
    register.cseq += 2
    return send(register.cseq - 1, ("Authorization", value)).status


register.cseq = 1  # type: ignore[attr-defined]


def test_a_new_profile_registers_and_calls_at_once(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R12, R16, R17: without a restart; a rename disturbs neither its binding nor its call."""
    house, pbx = start_gateway(NOWHERE), new_sip_peer()
    made = asked(house, "profile", "new", "Support", "--channels", "5")
    who = (made["sign_in"]["username"], made["sign_in"]["password"])
    assert register(pbx, house, who) == 200
    call = call_of(pbx, house, who)
    call.establish()
    shown = told(house, "profile", "set", "Support", "--name", "Help")
    assert re.search(r"channels in use +1 of 5", shown)
    (binding,) = asked(house, "registrations")["registrations"]
    assert (binding["name"], binding["transport"]) == ("Help", "udp")
    assert binding["source"] == pbx.address
    assert 0 < binding["expires_in_s"] <= 300
    assert register(pbx, house, who) == 200
    assert call.bye().status == 200
    assert asked(house, "password", "show", "Help")["sign_in"]["password"] == who[1]
    house.assert_nothing_held()
    assert who[1] not in house.gateway.log()
    assert PBX[1] not in house.gateway.log()


def test_channels_count_from_the_next_call_on(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R24: n calls, the next one refused; more channels, and it is not."""
    house, pbx = start_gateway(NOWHERE), new_sip_peer()
    first = call_of(pbx, house, SMALL_PBX)
    first.establish()
    assert refused(pbx, house, SMALL_PBX).status == 503
    told(house, "profile", "set", SMALL_PBX[0], "--channels", "2")
    second = call_of(pbx, house, SMALL_PBX)
    second.establish()
    assert refused(pbx, house, SMALL_PBX).status == 503
    first.bye()
    second.bye()
    house.assert_nothing_held()


def test_an_allocation_pays_the_next_call_and_a_live_calls_reserve_stays(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R20, R55, R56, R60."""
    carrier, pbx = new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    assert "CREDIT" in refused(pbx, house, POOR_PBX, CALLED).header("Reason")
    others = house.balance()
    assert run(house, "credit", "allocate", POOR_PBX[0], "1.00").exit_code == 1  # nothing there
    told(house, "credit", "add", "3.00", "--note", "transfer 4711")
    told(house, "credit", "allocate", POOR_PBX[0], "1.00", "--key", "allocation-1")
    told(house, "credit", "allocate", POOR_PBX[0], "1.00", "--key", "allocation-1")
    account = house.seeded.poor.account
    assert house.store.balance(account) == 1_000_000  # durable when it was answered
    call = call_of(pbx, house, POOR_PBX, CALLED)
    call.send_authorized(call.challenged())
    invite = carrier.wait_request("INVITE")
    carrier.reply(
        invite, "200 OK", body=sdp(carrier.host, 40002),
        fields=[("Contact", f"<sip:{carrier.address}>")],
    )  # fmt: skip
    call.confirm()
    (live,) = asked(house, "calls", "list")["calls"]
    assert (live["state"], live["called"], live["profile"]) == ("talking", CALLED, POOR_PBX[0])
    assert live["reserved"]["micros"] >= 6_000
    said = told(house, "credit", "take-back", POOR_PBX[0])
    assert "stay reserved for running calls" in said
    assert 0 < house.store.balance(account) < 20_000
    call.bye()
    cdr = house.store.cdr_of(call.sip_call_id)
    assert cdr["charge_micros"] == 6_000
    house.assert_nothing_held()
    assert house.balance() == others


def test_a_live_call_is_hung_up_on_both_sides(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    house, pbx = start_gateway(NOWHERE), new_sip_peer()
    call = call_of(pbx, house, PBX)
    call.establish()
    (live,) = asked(house, "calls", "list")["calls"]
    assert live["call"] in told(house, "calls", "list")
    assert "was ended" in told(house, "calls", "hangup", live["call"][:12])
    bye = pbx.wait_request("BYE")
    pbx.reply(bye, "200 OK")
    assert house.store.cdr_of(call.sip_call_id)["cause"] == "operator"
    assert "no calls" in told(house, "calls", "list")
    assert run(house, "calls", "hangup", live["call"]).exit_code == 1
    assert live["call"] in told(house, "cdr", "list", "--cause", "operator")
    house.assert_nothing_held()


def test_a_ringing_call_is_ended_by_the_operator(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    carrier, pbx = new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    call = call_of(pbx, house, PBX, CALLED)
    call.send_authorized(call.challenged())
    invite = carrier.wait_request("INVITE")
    carrier.reply(invite, "180 Ringing")
    pbx.wait_status(180, "INVITE")
    (live,) = asked(house, "calls", "list")["calls"]
    told(house, "calls", "hangup", live["call"])
    final = call.final()
    assert final.status == 480
    assert "ENDED_BY_OPERATOR" in final.header("Warning")
    carrier.reply(carrier.wait_request("CANCEL"), "200 OK")
    carrier.reply(invite, "487 Request Terminated")
    carrier.wait_request("ACK")
    house.assert_nothing_held()


def test_an_attached_account_is_signed_out_and_comes_back(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R96, R97, R98."""
    house, phone = start_gateway(NOWHERE), new_sip_peer()
    assert register(phone, house, CALLER) == 200
    said = told(house, "account", "attach", CALLER[0], PBX[0])
    assert "1 of its registrations ended" in said
    assert asked(house, "registrations")["total"] == 0
    assert house.store.rows("select * from bindings") == []
    assert register(phone, house, CALLER) == 403
    assert "could not be attributed" in run(
        house, "account", "attach", CALLER[0], SMALL_PBX[0]
    ).stderr  # fmt: skip
    assert "regular account again" in told(house, "account", "detach", CALLER[0])
    assert register(phone, house, CALLER) == 200


def test_the_very_next_call_follows_a_reassigned_number(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R105."""
    carrier, first, second = new_sip_peer(), new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    assert register(first, house, PBX) == 200
    assert register(second, house, SMALL_PBX) == 200

    def rings(pbx: SipPeer) -> None:
        call = UacCall(carrier, house.gateway.address(), NUMBER, username="+447824500123")
        call.send_invite()
        pbx.reply(pbx.wait_request("INVITE"), "486 Busy Here")
        assert call.final().status == 486

    rings(first)
    told(house, "number", "assign", NUMBER, SMALL_PBX[0])
    rings(second)
    house.assert_nothing_held()


def test_a_carrier_is_added_and_changed_while_calls_go_on(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R79: an ambiguous one is refused before anything changes."""
    old, new, pbx = new_sip_peer(), new_sip_peer(), new_sip_peer()
    house = start_gateway((old.host, old.port))
    refusal = run(house, "carrier", "add", "twin", old.host, "--port", str(old.port)).stderr
    assert "incoming calls cannot be told apart" in refusal
    told(house, "carrier", "add", "new", new.host, "--port", str(new.port), "--priority", "0")
    told(house, "carrier", "set", "main", "--disable")
    call = call_of(pbx, house, PBX, CALLED)
    call.send_authorized(call.challenged())
    new.reply(new.wait_request("INVITE"), "486 Busy Here")
    assert call.final().status == 486
    house.assert_nothing_held()


def test_a_long_deck_is_loaded_while_the_gateway_runs(
    start_gateway: StartHouse, tmp_path: Path
) -> None:
    """R67: whole or not at all; the same after a restart."""
    house = start_gateway(NOWHERE)
    deck = tmp_path / "deck.csv"
    lines = [f"{prefix},Somewhere far,0.0{prefix % 90 + 10}" for prefix in range(10_000, 30_000)]
    deck.write_text("prefix,destination,per_minute\n" + "\n".join(lines) + "\n")
    assert "20000 rates of long" in told(house, "deck", "load", str(deck), "--name", "long")
    deck.write_text("\n".join([*lines[:15_000], "x,y,z", *lines[15_000:]]))
    assert "line 15001" in run(house, "deck", "load", str(deck), "--name", "bad").stderr
    assert asked(house, "deck", "show")["deck"]["name"] == "long"
    made = asked(house, "profile", "new", "Kept", "--channels", "7")
    house.gateway.stop()
    house.gateway.start()
    assert asked(house, "deck", "show")["deck"]["rates"] == 20_000
    kept = asked(house, "profile", "show", "Kept")["profile"]
    assert kept["channels"] == 7
    assert asked(house, "password", "show", "Kept")["sign_in"] == made["sign_in"]


def test_a_gateway_and_a_command_never_change_one_store_at_once(
    start_gateway: StartHouse,
) -> None:
    """One decider of balances and channels (R35, R63)."""
    house = start_gateway(NOWHERE)
    socket = house.gateway.var / "control.sock"
    hidden = socket.with_name("hidden")
    socket.rename(hidden)
    refusal = run(house, "credit", "add", "1.00")
    assert refusal.exit_code == 1
    assert f"in use by process {house.gateway.pid}" in refusal.stderr
    hidden.rename(socket)
    assert "version" in told(house, "status")
    house.gateway.stop()
    assert not socket.exists()
    database = Database.open(house.gateway.store_path)
    try:
        with pytest.raises(GatewayFailed, match="one gateway per database"):
            house.gateway.start()
    finally:
        database.close()
    house.gateway.start()
    assert "version" in told(house, "status")


def test_one_client_asks_several_questions(start_gateway: StartHouse) -> None:
    house = start_gateway(NOWHERE)
    ask: Callable[..., Any]
    with ControlClient(house.gateway.var / "control.sock") as client:
        ask = client.ask
        assert ask("status")["status"] == "ok"
        assert len(ask("profile.list")["profiles"]) == 3
        assert ask("carrier.list")["carriers"][0]["name"] == "main"
