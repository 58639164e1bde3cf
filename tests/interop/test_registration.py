"""The life of a binding, by hand over UDP, TCP and TLS against the real process."""

import re
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.interop.conftest import House, NewSipPeer, StartHouse
from tests.support.seed import NUMBER, PBX
from tests.support.sip_peer import Message, SipPeer, UacCall, compose, digest
from tests.support.sip_stream_peer import SipStreamPeer

pytestmark = pytest.mark.interop

REALM = "sipgw.local"
AOR = f"<sip:{PBX[0]}@{REALM}>"
NOBODY = ("127.0.0.1", 9)
ELSEWHERE = "192.0.2.7:5070"  # where a PBX behind NAT believes it is
SHORT = "[registrar]\nmin_expires_s = 1"
NewStream = Callable[[House, str], SipStreamPeer]


@pytest.fixture
def new_stream(start_gateway: StartHouse) -> Iterator[NewStream]:
    """Connections to a listener that close with the test, before the gateway ends."""
    streams: list[SipStreamPeer] = []

    def new(house: House, transport: str) -> SipStreamPeer:
        ca_file = house.gateway.ca_file if transport == "tls" else None
        stream = SipStreamPeer(house.gateway.address(transport), ca_file, REALM)
        streams.append(stream)
        return stream

    yield new
    for stream in streams:
        stream.close()


class Registrant:
    """One PBX with one Call-ID, whose every REGISTER is challenged and signed."""

    def __init__(self, peer: SipPeer, house: House, *, without_qop: bool = False) -> None:
        self.peer = peer
        self._house = house
        self._without_qop = without_qop
        self._cseq = 0

    def _send(self, fields: tuple[tuple[str, str], ...]) -> Message:
        self._cseq += 1
        kept = [
            self.peer.via(),
            ("Max-Forwards", "70"),
            ("From", f"{AOR};tag=r1"),
            ("To", AOR),
            ("Call-ID", f"registration-{self.peer.port}"),
            ("CSeq", f"{self._cseq} REGISTER"),
            *fields,
        ]
        text = compose(f"REGISTER sip:{REALM} SIP/2.0", kept)
        self.peer.send(text, self._house.gateway.address())
        return self.peer.wait_final("REGISTER")

    def register(self, contact: str | None = None, expires_s: int | None = None) -> Message:
        """The answer to the signed REGISTER; `contact` "" asks only, None is where it really is."""
        contact = self.here if contact is None else contact
        fields = [("Contact", contact)] * bool(contact)
        fields += [("Expires", str(expires_s))] * (expires_s is not None)
        challenge = self._send(tuple(fields))
        assert challenge.status == 401
        asked = challenge.header("WWW-Authenticate")
        value = digest(
            re.sub(r", *qop=\"[^\"]*\"", "", asked) if self._without_qop else asked,
            username=PBX[0],
            password=PBX[1],
            method="REGISTER",
            uri=f"sip:{REALM}",
        )
        assert ("qop" not in value) is self._without_qop
        return self._send((*fields, ("Authorization", value)))

    @property
    def here(self) -> str:
        return self.at(self.peer.address)

    def at(self, address: str) -> str:
        transport = getattr(self.peer, "transport", "udp")
        suffix = "" if transport == "udp" else f";transport={transport}"
        return f"<sip:{PBX[0]}@{address}{suffix}>"


def granted(answer: Message) -> int:
    """Seconds of the one binding a 200 lists."""
    assert answer.status == 200, answer.text
    [contact] = answer.headers("Contact")
    found = re.search(r";expires=(\d+)", contact)
    assert found, contact
    return int(found[1])


def incoming(carrier: SipPeer, house: House) -> UacCall:
    """The carrier calls the PBX's number from its own address: no challenge."""
    call = UacCall(carrier, house.gateway.address(), NUMBER, username="+447824500123")
    call.send_invite()
    return call


def wait_bindings(house: House, count: int, timeout_s: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_s
    while house.gateway.metrics()["sipgw_bindings"] != count:
        assert time.monotonic() < deadline, "the bindings stay as they are"
        time.sleep(0.05)


@pytest.mark.parametrize(("asked_s", "granted_s"), [(None, 3600), (7200, 3600), (600, 600)])
def test_a_pbx_that_is_reached_directly_gets_an_hour(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse, asked_s: int | None, granted_s: int
) -> None:
    """R76, R81: an hour when it does not care or asks for more; less when it asks for less."""
    pbx = Registrant(new_sip_peer(), start_gateway(NOBODY))
    assert granted(pbx.register(expires_s=asked_s)) == granted_s


@pytest.mark.parametrize(("asked_s", "granted_s"), [(None, 45), (3600, 45), (30, 30)])
def test_a_pbx_behind_nat_gets_45_seconds(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse, asked_s: int | None, granted_s: int
) -> None:
    """R81, R125: its Contact is not where it comes from; it may still ask for less."""
    pbx = Registrant(new_sip_peer(), start_gateway(NOBODY))
    assert granted(pbx.register(pbx.at(ELSEWHERE), asked_s)) == granted_s


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_over_a_connection_only_addresses_tell_of_nat(
    new_stream: NewStream, start_gateway: StartHouse, transport: str
) -> None:
    """R81: a connection's own port says nothing, another address does."""
    house = start_gateway(NOBODY)
    pbx = Registrant(new_stream(house, transport), house)
    assert granted(pbx.register(pbx.at("127.0.0.1:5099"))) == 3600
    answer = pbx.register(pbx.at(ELSEWHERE))
    [other] = [each for each in answer.headers("Contact") if ELSEWHERE in each]
    assert ";expires=45" in other


def test_too_short_an_interval_is_refused_with_the_shortest(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R81: 423 with Min-Expires, and nothing is bound; with that interval it works."""
    house = start_gateway(NOBODY)
    pbx = Registrant(new_sip_peer(), house)
    answer = pbx.register(expires_s=29)
    assert (answer.status, answer.header("Min-Expires")) == (423, "30")
    assert house.gateway.metrics()["sipgw_bindings"] == 0
    assert granted(pbx.register(expires_s=30)) == 30


def test_a_query_lists_what_is_left(new_sip_peer: NewSipPeer, start_gateway: StartHouse) -> None:
    """R76: REGISTER without a Contact changes nothing and tells the binding."""
    house = start_gateway(NOBODY)
    pbx = Registrant(new_sip_peer(), house)
    assert pbx.register("").headers("Contact") == []
    pbx.register(expires_s=600)
    answer = pbx.register("")
    assert 595 <= granted(answer) <= 600
    assert answer.header("Contact").startswith(pbx.here)


def test_a_star_takes_all_bindings_back(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R76: only with Expires 0; afterwards the number is not delivered any more."""
    carrier = new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    pbx = Registrant(new_sip_peer(), house)
    pbx.register()
    assert pbx.register("*", 600).status == 400
    assert granted(pbx.register("")) > 3500
    answer = pbx.register("*", 0)
    assert (answer.status, answer.headers("Contact")) == (200, [])
    assert incoming(carrier, house).final().status == 480
    house.assert_nothing_held()


def test_a_binding_ends_with_its_time(new_sip_peer: NewSipPeer, start_gateway: StartHouse) -> None:
    """R81: a PBX that does not come back in time is temporarily unavailable."""
    carrier = new_sip_peer()
    house = start_gateway((carrier.host, carrier.port), tables=SHORT)
    pbx = Registrant(new_sip_peer(), house)
    assert granted(pbx.register(expires_s=1)) == 1
    call = incoming(carrier, house)
    pbx.peer.reply(pbx.peer.wait_request("INVITE"), "486 Busy Here")
    assert call.final().status == 486
    wait_bindings(house, 0)
    assert incoming(carrier, house).final().status == 480
    assert pbx.peer.stays_silent(lambda message: message.method == "INVITE", 0.3)
    house.assert_nothing_held()


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_call_arrives_by_the_connection_of_the_registration(
    new_sip_peer: NewSipPeer, new_stream: NewStream, start_gateway: StartHouse, transport: str
) -> None:
    """R76, R109: behind NAT there is no other way in; the request line keeps the Contact's host."""
    carrier = new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    pbx = Registrant(new_stream(house, transport), house)
    assert granted(pbx.register(pbx.at(ELSEWHERE))) == 45
    call = incoming(carrier, house)
    invite = pbx.peer.wait_request("INVITE")
    number = NUMBER.removeprefix("+")
    assert invite.request_uri == f"sip:{number}@{ELSEWHERE};transport={transport}"
    pbx.peer.reply(invite, "486 Busy Here")
    assert call.final().status == 486
    house.assert_nothing_held()


def test_a_lost_connection_takes_the_binding_behind_nat_with_it(
    new_sip_peer: NewSipPeer, new_stream: NewStream, start_gateway: StartHouse
) -> None:
    """R13: nobody can reach that PBX any more: 480 at once instead of a caller who waits."""
    carrier = new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    pbx = Registrant(new_stream(house, "tls"), house)
    pbx.register(pbx.at(ELSEWHERE))
    wait_bindings(house, 1)
    pbx.peer.close()
    wait_bindings(house, 0)
    assert incoming(carrier, house).final().status == 480
    house.assert_nothing_held()


def test_a_pbx_that_is_reached_directly_is_dialled_when_its_connection_is_gone(
    new_sip_peer: NewSipPeer, new_stream: NewStream, start_gateway: StartHouse
) -> None:
    """R76: the gateway connects to the Contact; when nobody listens there any more, it is 480."""
    carrier = new_sip_peer()
    house = start_gateway((carrier.host, carrier.port))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        pbx = Registrant(new_stream(house, "tcp"), house)
        pbx.register(pbx.at(f"127.0.0.1:{listener.getsockname()[1]}"))
        pbx.peer.close()
        call = incoming(carrier, house)
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(5)
            assert connection.recv(65536).startswith(f"INVITE sip:{NUMBER[1:]}@".encode())
    assert call.final().status == 480
    assert incoming(carrier, house).final().status == 480
    house.assert_nothing_held()


def test_a_digest_without_qop_is_accepted(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R78: agents of RFC 2069 sign without qop, cnonce and count; each nonce serves them once."""
    house = start_gateway(NOBODY)
    pbx = Registrant(new_sip_peer(), house, without_qop=True)
    assert granted(pbx.register()) == 3600
    assert granted(pbx.register()) == 3600
