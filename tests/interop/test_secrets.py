"""No secret in anything the gateway writes or serves (R17, R91).

The exceptions are said: the key file and private keys, and the banner of a demonstration.
"""

import hashlib
import re
import secrets
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.conftest import House, NewSipPeer, StartHouse
from tests.support.registrant import REALM, Registrant
from tests.support.rotation import rotate_in_store
from tests.support.seed import CALLER, PBX, POOR_PBX, SMALL_PBX, carrier_at
from tests.support.sip_peer import Message, SipPeer, UacCall, sdp

pytestmark = pytest.mark.interop

CALLED = "+442079460123"
ECHO = "+17606604690"
CARRIER_LOGIN = ("us-at-the-carrier", "secret-of-the-trunk")
PRIVATE = {"secret.key", "server.key", "ca.key"}


class Secrets:
    """What must not be seen, by what it is."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}

    def password(self, username: str, password: str, realm: str = REALM) -> None:
        self.known[f"password of {username}: {password}"] = password.encode()
        a1 = f"{username}:{realm}:{password}".encode()
        for name in ("md5", "sha256"):
            ha1 = hashlib.new(name, a1).hexdigest()
            self.known[f"{name} H(A1) of {username}: {ha1}"] = ha1.encode()

    def inline(self, key: str, whose: str) -> None:
        """An SRTP master key and salt, in base64; raw and in hexadecimal it is no less a key."""
        self.known[f"key of {whose}"] = key.encode()
        self.known[f"raw key of {whose}"] = b64decode(key)
        self.known[f"key of {whose} in hex"] = b64decode(key).hex().encode()

    def inlines_of(self, message: Message, whose: str) -> None:
        found = re.findall(r"inline:([A-Za-z0-9+/=]+)", message.text)
        assert found, f"no key in what {whose} got"
        for index, key in enumerate(found):
            self.inline(key, f"{whose} {index}")

    def responses(self, values: list[str]) -> None:
        for value in values:
            self.known[f"digest response {value}"] = value.encode()

    def found_in(self, where: str, content: bytes) -> Iterator[str]:
        for name, secret in self.known.items():
            if secret in content or secret.upper() in content:
                yield f"{where} holds the {name}"


def new_key() -> str:
    return b64encode(secrets.token_bytes(30)).decode()


def secure_sdp(host: str, key: str, more: str = "") -> str:
    text = sdp(host, 40000).replace("RTP/AVP", "RTP/SAVP")
    return f"{text}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{key}\r\n{more}"


def digest_responses(text: str) -> list[str]:
    return re.findall(r'[ ,]response="?(\w+)', text)


def written(house: House) -> Iterator[tuple[str, bytes]]:
    """Everything in the gateway's folder, its output included, and everything it serves."""
    for path in sorted(house.gateway.var.rglob("*")):
        if path.is_file() and path.name not in PRIVATE:
            yield path.name, path.read_bytes()
    for page in ("/", "/health", "/metrics"):
        with urllib.request.urlopen(f"http://{house.gateway.http}{page}", timeout=5) as answer:
            yield page, answer.read()


def assert_kept(house: House, kept: Secrets) -> None:
    names = set()
    for where, content in written(house):
        names.add(where)
        assert list(kept.found_in(where, content)) == []
    wanted = {"gateway.log", "stderr.txt", "sipgw.db", "run.json", "/health", "/metrics"}
    assert wanted <= names


def secure_call(peer: SipPeer, house: House, password: str, kept: Secrets) -> UacCall:
    """An INVITE with SRTP, signed; the keys and the response are noted."""
    key = new_key()
    kept.inline(key, "caller")
    call = UacCall(peer, house.gateway.address(), CALLED, username=PBX[0], password=password)
    call.body = secure_sdp(peer.host, key)
    call.send_authorized(call.challenged())
    kept.responses(digest_responses(call.invite))
    return call


def answer_as_carrier(carrier: SipPeer, kept: Secrets) -> Message:
    """Challenge our INVITE, take the signed one."""
    invite = carrier.wait_request("INVITE")
    challenge = f'Digest realm="carrier.example", nonce="{secrets.token_hex(8)}", qop="auth"'
    fields = [("Proxy-Authenticate", challenge)]
    carrier.reply(invite, "407 Proxy Authentication Required", fields=fields)
    carrier.wait_request("ACK")
    signed = carrier.wait_request("INVITE")
    answered = digest_responses(signed.header("Proxy-Authorization"))
    assert answered
    kept.responses(answered)
    carrier.reply(
        signed,
        "200 OK",
        fields=[("Contact", f"<sip:carrier@{carrier.address}>")],
        body=sdp(carrier.host, 40100),
    )
    return signed


def make_trouble(peer: SipPeer, house: House, kept: Secrets) -> None:
    """Everything that ends in a complaint, with secrets in the very lines complained of."""
    server = house.gateway.address()
    broken = new_key()
    kept.inline(broken, "a broken offer")
    for body in (
        secure_sdp(peer.host, broken).replace("inline:", "inline "),
        secure_sdp(peer.host, broken, f"a=crypto:x AES_CM_256 inline:{broken}|2^77|z\r\n"),
        secure_sdp(peer.host, broken).replace("AES_CM_128_HMAC_SHA1_80", "NO_SUCH_SUITE"),
        f"v=0\r\n{broken}\r\n",
        f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{broken}\r\n",
    ):
        call = UacCall(peer, server, ECHO, username=SMALL_PBX[0], password=SMALL_PBX[1])
        call.body = body
        call.send_authorized(call.challenged())
        kept.responses(digest_responses(call.invite))
        final = call.final()
        if final.status == 200:  # one line of two could be used
            call.answer, call.to = final, final.header("To")
            peer.send(call.request("ACK", uri=final.contact_uri), server)
            call.bye()
    registrant = Registrant(peer, server, PBX[0])
    response = secrets.token_hex(16)
    kept.responses([response])
    for value in (
        f'Digest username="{PBX[0]}", response="{response}", response="{response}"',
        f'Digest username="{PBX[0]}", realm="{REALM}", nonce="x", uri="", response="{response}',
        f"Basic {b64encode(':'.join(PBX).encode()).decode()}",
        f'Digest {PBX[1]} response="{response}"',
        f'Digest username="{PBX[0]}", nc={PBX[1]}, response="{response}"',
    ):
        registrant.send(("Authorization", value))
        peer.wait_final("REGISTER")
    peer.send(f"REGISTER sip:{REALM} SIP/2.0\r\nAuthorization: {PBX[1]}\r\n\r\n", server)
    peer.send(f"{PBX[1]} garbage {response}\r\n\r\n", server)
    peer.send(f"REGISTER {PBX[1]} SIP/3.0\r\nVia: {response}\r\n\r\n", server)


def test_no_secret_is_written_or_served(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R17, R91: logs at debug, output, metrics, health, the database and its companions, while
    calls run, after a crash and after a changed password."""
    pbx, carrier = new_sip_peer(), new_sip_peer()
    trunk = carrier_at(
        carrier.host, carrier.port, username=CARRIER_LOGIN[0], password=CARRIER_LOGIN[1]
    )
    house = start_gateway(trunk)
    kept = Secrets()
    for username, password in (PBX, POOR_PBX, SMALL_PBX, CALLER):
        kept.password(username, password)
    kept.password(*CARRIER_LOGIN, realm="carrier.example")
    kept.password(PBX[0], "a wrong guess")
    registrant = Registrant(pbx, house.gateway.address(), PBX[0])
    assert registrant.register("a wrong guess").status == 401
    assert registrant.register(PBX[1]).status == 200
    make_trouble(new_sip_peer(), house, kept)
    call = secure_call(pbx, house, PBX[1], kept)
    answer_as_carrier(carrier, kept)
    kept.inlines_of(call.confirm(), "the gateway's answer")
    house.store.wait(lambda: bool(house.store.open_calls()[0]["b_dialog"]))
    kept.responses(registrant.responses)
    assert_kept(house, kept)

    house.gateway.kill()  # a crash with a call up
    rotation = rotate_in_store(house.gateway.var, PBX[0])
    kept.password(PBX[0], rotation.profile.password)
    house.gateway.start()
    registrant = Registrant(pbx, house.gateway.address(), PBX[0])
    assert registrant.register(PBX[1]).status == 401
    assert registrant.register(rotation.profile.password).status == 200
    kept.responses(registrant.responses)
    again = secure_call(pbx, house, rotation.profile.password, kept)
    answer_as_carrier(carrier, kept)
    kept.inlines_of(again.confirm(), "the second answer")
    again.bye()
    carrier.reply(carrier.wait_request("BYE"), "200 OK")
    house.store.cdr_of(again.sip_call_id)
    assert_kept(house, kept)
    assert PBX[0].encode() in (house.gateway.var / "sipgw.db").read_bytes()


def test_the_search_finds_what_is_there(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse, tmp_path: Path
) -> None:
    """The test above can fail: a secret in any of the files is found."""
    house = start_gateway(("127.0.0.1", 9))
    kept = Secrets()
    kept.password(*PBX)
    for name, text in (
        ("core", PBX[1]),
        ("trace", hashlib.md5(f"{PBX[0]}:{REALM}:{PBX[1]}".encode()).hexdigest().upper()),
    ):
        (house.gateway.var / name).write_text(f"... {text} ...")
        with pytest.raises(AssertionError, match=f"{name} holds"):
            assert_kept(house, kept)
        (house.gateway.var / name).unlink()
    assert_kept(house, kept)
