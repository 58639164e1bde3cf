"""Several carriers behind one number: who is tried, how long, and who is left out of blame.

How long something took is read from the gateway's own records, not from the test's clock.
"""

import json
import re
import time
import urllib.request
from collections.abc import Callable
from datetime import datetime
from hashlib import md5

import pytest

from tests.interop.conftest import House, NewSipPeer, StartHouse
from tests.support.seed import IP_NUMBER, PBX, carrier_at
from tests.support.sip_peer import Message, SipPeer, UacCall, sdp
from tests.support.sipp import free_port
from tests.support.store_reader import Row

pytestmark = pytest.mark.interop

CALLED = "+442079460123"
PATIENCE_S = 1.0  # of the gateway with the first carrier
SLACK_S = 1.0  # for everything that is not waiting
ANSWER_PORT, SECOND_ANSWER_PORT = 40100, 40200


def at(peer: SipPeer, name: str = "main", **changes: object) -> object:
    return carrier_at(peer.host, peer.port, name, **changes)


def dial(house: House, pbx: SipPeer) -> UacCall:
    """The PBX's INVITE, with its credentials."""
    call = UacCall(pbx, house.gateway.address(), CALLED, username=PBX[0], password=PBX[1])
    call.send_authorized(call.challenged())
    return call


def invited(carrier: SipPeer) -> Message:
    return carrier.wait_request("INVITE")


def pick_up(carrier: SipPeer, invite: Message, port: int = ANSWER_PORT) -> None:
    contact = ("Contact", f"<sip:carrier@{carrier.address}>")
    carrier.reply(invite, "200 OK", fields=[contact], body=sdp(carrier.host, port))


def finish(house: House, call: UacCall, carrier: SipPeer) -> Row:
    """The PBX hears the answer and hangs up; the record of the call."""
    call.confirm()
    call.bye()
    carrier.reply(carrier.wait_request("BYE"), "200 OK")
    cdr = house.store.cdr_of(call.sip_call_id)
    house.assert_nothing_held()
    return cdr


def never_invited(carrier: SipPeer) -> bool:
    return carrier.stays_silent(lambda message: message.method == "INVITE", 0.2)


def setup_s(cdr: Row) -> float:
    """From the INVITE to the answer, in the gateway's own time."""
    return float(cdr["answered_at"] - cdr["started_at"]) / 1_000_000


def dialled_at(house: House) -> list[datetime]:
    """When each INVITE to a carrier went out, by the log."""
    lines = [json.loads(line) for line in house.gateway.log().splitlines()]
    return [datetime.fromisoformat(each["at"]) for each in lines if each["event"] == "dialling"]


def eventually(true: Callable[[], bool], what: str, timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def is_up(house: House, name: str = "main") -> bool:
    return house.gateway.metrics()[f'sipgw_carrier_up{{carrier="{name}"}}'] == 1


def health_of(house: House, name: str = "main") -> str:
    with urllib.request.urlopen(f"http://{house.gateway.http}/health", timeout=5) as answer:
        told = json.load(answer)
    return str(told["carriers"][name]["health"])


@pytest.mark.parametrize("dead", ["closed port", "silent"])
def test_a_dead_carrier_is_left_for_the_next_after_its_response_timeout(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer, dead: str
) -> None:
    silent, second, pbx = new_sip_peer(), new_sip_peer(), new_sip_peer()
    port = free_port() if dead == "closed port" else silent.port
    house = start_gateway(
        carrier_at("127.0.0.1", port, response_timeout_s=PATIENCE_S),
        more_carriers=(at(second, "second", priority=1),),
    )
    call = dial(house, pbx)
    pick_up(second, invited(second))
    cdr = finish(house, call, second)
    assert (cdr["target"], cdr["attempts"]) == ("carrier:second", "main:silent second:200")
    assert PATIENCE_S <= setup_s(cdr) < PATIENCE_S + SLACK_S
    first_at, second_at = dialled_at(house)
    assert PATIENCE_S <= (second_at - first_at).total_seconds() < PATIENCE_S + SLACK_S


def test_a_carrier_without_service_hands_over_at_once(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer
) -> None:
    """And the rest it asks for is respected: the next call starts with the second carrier."""
    first, second, pbx = new_sip_peer(), new_sip_peer(), new_sip_peer()
    house = start_gateway(at(first), more_carriers=(at(second, "second", priority=1),))
    call = dial(house, pbx)
    first.reply(invited(first), "503 Service Unavailable", fields=[("Retry-After", "60")])
    pick_up(second, invited(second))
    cdr = finish(house, call, second)
    assert cdr["attempts"] == "main:503 second:200"
    assert setup_s(cdr) < SLACK_S
    assert health_of(house) == "resting"
    assert "asked for 60 s" in house.gateway.log()

    call = dial(house, pbx)
    pick_up(second, invited(second))
    assert finish(house, call, second)["attempts"] == "second:200"
    assert never_invited(first)


def test_a_carrier_that_is_well_again_is_used_again(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer
) -> None:
    first, second, pbx = new_sip_peer(), new_sip_peer(), new_sip_peer()
    house = start_gateway(
        at(first, options_interval_s=0.2, response_timeout_s=0.2),
        more_carriers=(at(second, "second", priority=1),),
    )
    eventually(lambda: not is_up(house), "OPTIONS stay unanswered, yet it is up")
    assert health_of(house) == "down"
    assert "OPTIONS not answered, 3 times in a row" in house.gateway.log()
    call = dial(house, pbx)
    pick_up(second, invited(second))
    assert finish(house, call, second)["attempts"] == "second:200"

    def answered() -> bool:
        first.reply(first.wait_request("OPTIONS"), "200 OK")
        return is_up(house)

    eventually(answered, "OPTIONS are answered, yet it is down")
    assert is_up(house, "second")
    call = dial(house, pbx)
    pick_up(first, invited(first))
    assert finish(house, call, first)["attempts"] == "main:200"


def test_when_every_carrier_is_down_they_are_tried_all_the_same(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer
) -> None:
    first, pbx = new_sip_peer(), new_sip_peer()
    house = start_gateway(at(first, options_interval_s=0.1, response_timeout_s=0.1))
    eventually(lambda: not is_up(house), "OPTIONS stay unanswered, yet it is up")
    call = dial(house, pbx)
    pick_up(first, invited(first))
    assert finish(house, call, first)["attempts"] == "main:200"
    assert "it took a call" in house.gateway.log()


CHALLENGE = 'Digest realm="carrier.example", nonce="d0e1", algorithm=MD5, qop="auth"'
LOGIN = ("trunk-17", "between-us-and-them")


def challenge(carrier: SipPeer) -> Message:
    """Refuse an INVITE with 407; the INVITE that follows."""
    carrier.reply(
        invited(carrier),
        "407 Proxy Authentication Required",
        fields=[("Proxy-Authenticate", CHALLENGE)],
    )
    return carrier.wait(
        lambda message: message.method == "INVITE" and message.header("CSeq").startswith("2 "),
        "INVITE with credentials",
    )


def test_a_carrier_that_wants_our_password_gets_it(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer
) -> None:
    carrier, pbx = new_sip_peer(), new_sip_peer()
    house = start_gateway(at(carrier, username=LOGIN[0], password=LOGIN[1]))
    call = dial(house, pbx)
    invite = challenge(carrier)
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', invite.header("Proxy-Authorization")))
    assert given["username"] == LOGIN[0]
    assert given["uri"] == invite.request_uri
    expected = response_to(given, LOGIN[1])
    assert given["response"] == expected
    pick_up(carrier, invite)
    assert finish(house, call, carrier)["attempts"] == "main:200"
    assert LOGIN[1] not in house.gateway.log()


def response_to(given: dict[str, str], password: str) -> str:
    """RFC 2617 §3.2.2, worked out here by hand."""

    def hashed(text: str) -> str:
        return md5(text.encode()).hexdigest()

    first = hashed(f"{given['username']}:{given['realm']}:{password}")
    second = hashed(f"INVITE:{given['uri']}")
    return hashed(f"{first}:{given['nonce']}:{given['nc']}:{given['cnonce']}:auth:{second}")


def test_a_carrier_that_refuses_our_password_is_left(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer
) -> None:
    first, second, pbx = new_sip_peer(), new_sip_peer(), new_sip_peer()
    house = start_gateway(
        at(first, username=LOGIN[0], password="wrong"),
        more_carriers=(at(second, "second", priority=1),),
    )
    call = dial(house, pbx)
    again = challenge(first)
    first.reply(
        again, "407 Proxy Authentication Required", fields=[("Proxy-Authenticate", CHALLENGE)]
    )
    pick_up(second, invited(second))
    assert finish(house, call, second)["attempts"] == "main:407 second:200"


def test_busy_is_the_called_partys_and_is_not_hunted(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer
) -> None:
    first, second, pbx = new_sip_peer(), new_sip_peer(), new_sip_peer()
    house = start_gateway(at(first), more_carriers=(at(second, "second", priority=1),))
    call = dial(house, pbx)
    first.reply(invited(first), "486 Busy Here")
    assert call.final().status == 486
    cdr = house.store.cdr_of(call.sip_call_id)
    assert (cdr["cause"], cdr["attempts"]) == ("rejected", "main:486")
    assert never_invited(second)
    house.assert_nothing_held()


def test_ringing_too_long_ends_the_call_and_is_not_hunted(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer
) -> None:
    first, second, pbx = new_sip_peer(), new_sip_peer(), new_sip_peer()
    house = start_gateway(
        at(first),
        more_carriers=(at(second, "second", priority=1),),
        tables="[calls]\nring_timeout_s = 1.0",
    )
    call = dial(house, pbx)
    invite = invited(first)
    first.reply(invite, "180 Ringing")
    cancel = first.wait_request("CANCEL")
    first.reply(cancel, "200 OK")
    first.reply(invite, "487 Request Terminated")
    assert call.final().status == 480
    cdr = house.store.cdr_of(call.sip_call_id)
    assert (cdr["cause"], cdr["attempts"]) == ("no-answer", "main:no-answer")
    assert 1.0 <= (cdr["ended_at"] - cdr["started_at"]) / 1_000_000 < 1.0 + SLACK_S
    assert never_invited(second)
    house.assert_nothing_held()


def test_a_carrier_that_tries_at_once_and_rings_late_is_not_abandoned(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer
) -> None:
    first, second, pbx = new_sip_peer(), new_sip_peer(), new_sip_peer()
    house = start_gateway(
        at(first, response_timeout_s=0.5), more_carriers=(at(second, "second", priority=1),)
    )
    call = dial(house, pbx)
    invite = invited(first)
    first.reply(invite, "100 Trying")
    assert second.stays_silent(lambda message: message.method == "INVITE", 1.2)
    first.reply(invite, "180 Ringing")
    pbx.wait_status(180, "INVITE")
    pick_up(first, invite)
    cdr = finish(house, call, first)
    assert cdr["attempts"] == "main:200"
    assert setup_s(cdr) > 0.5


def test_early_media_of_a_failing_carrier_leaves_the_callers_session_as_it_was(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer
) -> None:
    """RFC 3264 §8: the same port and o= line towards the PBX, whoever answers in the end."""
    first, second, pbx = new_sip_peer(), new_sip_peer(), new_sip_peer()
    house = start_gateway(at(first), more_carriers=(at(second, "second", priority=1),))
    call = dial(house, pbx)
    invite = invited(first)
    first.reply(
        invite,
        "183 Session Progress",
        fields=[("Contact", f"<sip:carrier@{first.address}>")],
        body=sdp(first.host, ANSWER_PORT),
    )
    early = pbx.wait_status(183, "INVITE")
    first.reply(invite, "500 Server Internal Error")
    pick_up(second, invited(second), SECOND_ANSWER_PORT)
    cdr = finish(house, call, second)
    assert call.answer is not None
    assert call.answer.media_port == early.media_port
    origins = [
        re.findall(r"^o=\S+ (\d+) (\d+)", each.body, re.MULTILINE)[0]
        for each in (early, call.answer)
    ]
    assert origins[0][0] == origins[1][0]
    assert int(origins[1][1]) - int(origins[0][1]) in (0, 1)
    assert cdr["attempts"] == "main:500 second:200"


def test_a_full_carrier_is_passed_over(start_gateway: StartHouse, new_sip_peer: NewSipPeer) -> None:
    first, second, pbx = new_sip_peer(), new_sip_peer(), new_sip_peer()
    house = start_gateway(at(first, max_calls=1), more_carriers=(at(second, "second", priority=1),))
    running = dial(house, pbx)
    pick_up(first, invited(first))
    running.confirm()
    other = dial(house, pbx)
    pick_up(second, invited(second), SECOND_ANSWER_PORT)
    other.confirm()
    assert health_of(house) == "up", "a full carrier is a healthy one"
    other.bye()
    second.reply(second.wait_request("BYE"), "200 OK")
    assert house.store.cdr_of(other.sip_call_id)["attempts"] == "main:full second:200"
    running.bye()
    first.reply(first.wait_request("BYE"), "200 OK")
    house.assert_nothing_held()
    later = dial(house, pbx)
    pick_up(first, invited(first))
    assert finish(house, later, first)["attempts"] == "main:200", "its place is free again"


def test_a_carrier_known_by_its_address_alone_may_call_from_any_port(
    start_gateway: StartHouse, new_sip_peer: NewSipPeer
) -> None:
    """R77: peers match by address and port, then by address; strangers are challenged."""
    carrier, other_port = new_sip_peer("127.0.0.2"), new_sip_peer("127.0.0.2")
    stranger, pbx = new_sip_peer("127.0.0.3"), new_sip_peer()
    house = start_gateway(at(carrier, match_port=False), ip_pbx=(pbx.host, pbx.port))
    call = UacCall(other_port, house.gateway.address(), IP_NUMBER, username="+442079460123")
    call.send_invite()
    pbx.reply(invited(pbx), "486 Busy Here")
    assert call.final().status == 486
    cdr = house.store.cdr_of(call.sip_call_id)
    assert (cdr["direction"], cdr["attempts"]) == ("incoming", "address:486")
    unknown = UacCall(stranger, house.gateway.address(), IP_NUMBER, username="+442079460123")
    unknown.send_invite()
    assert unknown.final().status == 407
    house.assert_nothing_held()
