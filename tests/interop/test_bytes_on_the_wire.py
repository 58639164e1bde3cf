"""What the gateway really sends, byte by byte, to peers that do everything by hand."""

import re
from pathlib import Path

import pytest

from config.version import VERSION
from tests.interop.conftest import House, NewSipPeer, StartHouse
from tests.support.rtp_peer import RtpPeer
from tests.support.seed import IP_NUMBER, NUMBER, PBX, POOR_PBX, SMALL_PBX
from tests.support.sip_peer import Message, SipPeer, UacCall, compose, digest, sdp

pytestmark = pytest.mark.interop

GOLDEN = Path(__file__).parent / "golden_invite.txt"
CALLED = "+442079460123"


def call_of(
    peer: SipPeer,
    house: House,
    number: str = CALLED,
    *,
    username: str = PBX[0],
    password: str = PBX[1],
) -> UacCall:
    server = house.gateway.address("udp6" if ":" in peer.host else "udp")
    return UacCall(peer, server, number, username=username, password=password)


def register(peer: SipPeer, house: House, params: str = "", expires_s: int = 300) -> Message:
    """REGISTER by hand; the final response."""
    uri, to = "sip:sipgw.local", f"<sip:{PBX[0]}@sipgw.local>"
    server = house.gateway.address("udp6" if ":" in peer.host else "udp")

    def send(cseq: int, *more: tuple[str, str]) -> Message:
        fields = [
            peer.via(),
            ("Max-Forwards", "70"),
            ("From", f"{to};tag=r1"),
            ("To", to),
            ("Call-ID", f"register-{peer.port}"),
            ("CSeq", f"{cseq} REGISTER"),
            ("Contact", f"<sip:{PBX[0]}@{peer.address}{params}>"),
            ("Expires", str(expires_s)),
            *more,
        ]
        peer.send(compose(f"REGISTER {uri} SIP/2.0", fields), server)
        return peer.wait_final("REGISTER")

    challenge = send(1)
    assert challenge.status == 401
    value = digest(
        challenge.header("WWW-Authenticate"),
        username=PBX[0],
        password=PBX[1],
        method="REGISTER",
        uri=uri,
    )
    return send(2, ("Authorization", value))


def carrier_call(carrier: SipPeer, house: House, number: str) -> UacCall:
    """A call from the carrier's own address: no challenge."""
    call = UacCall(carrier, house.gateway.address(), number, username="+447824500123")
    call.send_invite()
    return call


def masked(text: str) -> str:
    """A challenge without what must differ each time."""
    text = re.sub(r'nonce="[^"]+"', 'nonce="?"', text)
    text = re.sub(r";tag=[^;\s>]+", ";tag=?", text)
    text = re.sub(r"branch=[^;\s]+", "branch=?", text)
    return re.sub(r"(Call-ID: ).*", r"\1?", text)


def test_the_invite_to_a_pbx_is_the_printed_one(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R109: header by header, in the order printed, with only what must differ filled in."""
    carrier, pbx = new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    assert register(pbx, house, ";rinstance=459608bf8eeb29ef").status == 200
    call = carrier_call(carrier, house, NUMBER)
    invite = pbx.wait_request("INVITE")
    head = invite.text.split("\r\n\r\n", 1)[0]
    pattern = re.escape(GOLDEN.read_text().rstrip("\n"))
    for name, expression in {
        "pbx_port": str(pbx.port),
        "gateway_port": str(house.gateway.ports["udp"]),
        "version": re.escape(VERSION),
        "tag": "[0-9a-f]+(-[0-9a-f]+)+",
        "call_id": "[0-9A-Za-z-]+",
        "branch": "[0-9A-Za-z.-]+",
        "length": str(len(invite.body)),
    }.items():
        pattern = pattern.replace(re.escape(f"{{{name}}}"), expression)
    assert re.fullmatch(pattern, head.replace("\r\n", "\n")), head
    pbx.reply(invite, "486 Busy Here")
    assert call.final().status == 486


def test_wrong_password_and_unknown_name_look_the_same(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R78: the two 407s are equal but for nonce and tag, and neither is a 403."""
    peer = new_sip_peer()
    house = start_gateway(("127.0.0.1", 9))
    answers = []
    for username in (PBX[0], "x" * len(PBX[0])):
        call = call_of(peer, house, username=username, password="wrong")
        call.send_authorized(call.challenged())
        final = call.final()
        assert final.status == 407
        answers.append(masked(final.text).replace(username, "NAME"))
    assert answers[0] == answers[1]
    house.assert_nothing_held()


def test_a_replayed_nonce_is_refused(new_sip_peer: NewSipPeer, start_gateway: StartHouse) -> None:
    """R78: credentials that were used once get a fresh challenge, marked stale, and no call."""
    peer, carrier = new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    call = call_of(peer, house)
    challenge = call.challenged()
    call.send_authorized(challenge)
    carrier.reply(carrier.wait_request("INVITE"), "486 Busy Here")
    assert call.final().status == 486
    call.send_authorized(challenge)  # the same nonce with the same count
    replayed = call.final()
    assert replayed.status == 407
    assert "stale=true" in replayed.header("Proxy-Authenticate").lower()
    call.send_authorized(challenge, count=2)  # the next count of the nonce is fine
    carrier.reply(carrier.wait_request("INVITE"), "486 Busy Here")
    assert call.final().status == 486


@pytest.mark.parametrize("number", ["911", "112", "urn:service:sos"])
def test_an_emergency_number_is_refused_at_once(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse, number: str
) -> None:
    """R122: refused with a code of its own, before channel, credit and carrier."""
    peer, carrier = new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    call = call_of(peer, house, number)
    call.send_authorized(call.challenged())
    final = call.final()
    assert final.status == 503
    assert "EMERGENCY_NOT_OFFERED" in final.text
    assert carrier.stays_silent(lambda message: message.method == "INVITE", 0.3)
    house.assert_nothing_held()


def test_a_repeated_invite_makes_no_second_call(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R24: the same bytes again are a retransmission: one call, one channel, one carrier INVITE."""
    peer, carrier = new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    call = call_of(peer, house)
    call.send_authorized(call.challenged())
    invite = carrier.wait_request("INVITE")
    for _ in range(3):
        peer.send(call.invite, call.server)
    carrier.reply(invite, "180 Ringing")
    carrier.reply(invite, "200 OK", fields=[_contact(carrier)], body=sdp(carrier.host, 40100))
    call.confirm()
    peer.send(call.invite, call.server)  # even after the answer
    same = invite.header("Call-ID")
    assert carrier.stays_silent(
        lambda message: message.method == "INVITE" and message.header("Call-ID") != same, 0.5
    )
    assert house.gateway.metrics()["sipgw_channels_in_use"] == 1
    _end(call, carrier)
    house.assert_nothing_held()
    assert len(house.store.cdrs()) == 1


def test_a_profile_by_address_is_never_challenged(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R77, R80: from its ip:port no challenge; its numbers come back to that ip:port."""
    pbx, carrier = new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port), ip_pbx=(pbx.host, pbx.port))
    call = call_of(pbx, house, username="anything")
    call.send_invite()
    invite = carrier.wait_request("INVITE")
    carrier.reply(invite, "200 OK", fields=[_contact(carrier)], body=sdp(carrier.host, 40100))
    call.confirm()
    _end(call, carrier)
    incoming = carrier_call(carrier, house, IP_NUMBER)
    rings = pbx.wait_request("INVITE")
    assert rings.request_uri == f"sip:{IP_NUMBER.removeprefix('+')}@{pbx.address}"
    pbx.reply(rings, "486 Busy Here")
    assert incoming.final().status == 486
    stranger = new_sip_peer()
    unknown = call_of(stranger, house, username="anything")
    unknown.send_invite()
    assert unknown.final().status == 407
    house.assert_nothing_held()


def test_no_credit_no_call(new_sip_peer: NewSipPeer, start_gateway: StartHouse) -> None:
    """R62, R64: refused with 403 and a code before the carrier hears of it; echo still works."""
    peer, carrier = new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    who = {"username": POOR_PBX[0], "password": POOR_PBX[1]}
    call = call_of(peer, house, **who)
    call.send_authorized(call.challenged())
    final = call.final()
    assert final.status == 403
    assert "CREDIT" in final.text
    assert carrier.stays_silent(lambda message: message.method == "INVITE", 0.3)
    echo = call_of(peer, house, "+17606604690", **who)
    echo.establish()
    echo.bye()
    house.store.wait_cdr(lambda row: bool(row["kind"] == "echo"))
    house.assert_nothing_held()


def test_the_call_over_the_cap_is_refused(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R24, R37: one channel, one call; the next gets 503 without Retry-After, then it is free."""
    peer, carrier = new_sip_peer(), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    who = {"username": SMALL_PBX[0], "password": SMALL_PBX[1]}
    first = call_of(peer, house, **who)
    first.send_authorized(first.challenged())
    invite = carrier.wait_request("INVITE")
    carrier.reply(invite, "180 Ringing")
    second = call_of(new_sip_peer(), house, **who)
    second.send_authorized(second.challenged())
    final = second.final()
    assert final.status == 503
    assert not final.header("Retry-After")
    carrier.reply(invite, "486 Busy Here")
    assert first.final().status == 486
    third = call_of(new_sip_peer(), house, **who)
    third.send_authorized(third.challenged())
    carrier.reply(carrier.wait_request("INVITE"), "486 Busy Here")
    assert third.final().status == 486
    house.assert_nothing_held()


def test_calls_work_over_ipv6(new_sip_peer: NewSipPeer, start_gateway: StartHouse) -> None:
    """R76, R93: registration, call and audio over IPv6 to a carrier on IPv4."""
    pbx, carrier = new_sip_peer("::1"), new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    assert register(pbx, house).status == 200
    with RtpPeer("::1") as pbx_audio, RtpPeer() as carrier_audio:
        call = call_of(pbx, house)
        call.body = sdp(pbx.host, pbx_audio.port)
        call.send_authorized(call.challenged())
        invite = carrier.wait_request("INVITE")
        assert "IN IP4 127.0.0.1" in invite.body
        carrier.reply(
            invite, "200 OK", fields=[_contact(carrier)], body=sdp(carrier.host, carrier_audio.port)
        )
        answer = call.confirm()
        assert "IN IP6 ::1" in answer.body
        pbx_audio.send(("::1", answer.media_port), mark=0x11)
        carrier_audio.send(("127.0.0.1", invite.media_port), mark=0x22)
        pbx_audio.send(("::1", answer.media_port), mark=0x11)
        assert b"\x11" * 160 in carrier_audio.payloads(5)
        assert b"\x22" * 160 in pbx_audio.payloads(5)
        _end(call, carrier)
    house.assert_nothing_held()


def _contact(carrier: SipPeer) -> tuple[str, str]:
    return ("Contact", f"<sip:carrier@{carrier.address}>")


def _end(call: UacCall, carrier: SipPeer) -> None:
    """The caller hangs up, the carrier agrees."""
    call.bye()
    carrier.reply(carrier.wait_request("BYE"), "200 OK")
