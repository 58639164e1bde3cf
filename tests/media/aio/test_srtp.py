"""SRTP contexts against the specification's own numbers (RFC 3711 appendix B.3)."""

import hmac
from hashlib import sha1

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from media.aio.srtp import MAX_SOURCES, RESTART, SUITES, WINDOW, SrtpReceiver, SrtpSender
from media.plane import SrtpKey
from media.rtp import packet, ssrc, with_ssrc
from media.sdp.crypto import SHA1_32, SHA1_80

# RFC 3711 B.3: master key and salt, and the session keys derived from them.
MASTER = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6")
CIPHER_KEY = bytes.fromhex("C61E7A93744F39EE10734AFE3FF7A087")
CIPHER_SALT = bytes.fromhex("30CBBC08863D8C85D49DB34A9AE1")
AUTH_KEY = bytes.fromhex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
TAGS = {SHA1_80: 10, SHA1_32: 4}


def by_the_book(plain: bytes, tag_octets: int, rollover: int = 0) -> bytes:
    """RFC 3711 §4.1.1 and §4.2.1, with the derived keys of B.3."""
    ssrc, sequence = int.from_bytes(plain[8:12], "big"), int.from_bytes(plain[2:4], "big")
    index = rollover << 16 | sequence
    iv = int.from_bytes(CIPHER_SALT, "big") << 16 ^ ssrc << 64 ^ index << 16
    stream = Cipher(algorithms.AES(CIPHER_KEY), modes.CTR(iv.to_bytes(16, "big"))).encryptor()
    body = plain[:12] + stream.update(plain[12:])
    tag = hmac.new(AUTH_KEY, body + rollover.to_bytes(4, "big"), sha1).digest()
    return body + tag[:tag_octets]


@pytest.mark.parametrize("suite", [SHA1_80, SHA1_32])
def test_packets_are_protected_as_rfc_3711_computes_them(suite):
    """RFC 3711 B.3, over the wrap of the sequence number."""
    sender, receiver = SrtpSender(SrtpKey(suite, MASTER)), SrtpReceiver(SrtpKey(suite, MASTER))
    for at in range(65530, 65545):
        plain = packet(0, at & 0xFFFF, at * 160, 0xDECAFBAD, bytes([at & 0xFF]) * 160)
        wire = by_the_book(plain, TAGS[suite], at >> 16)
        assert sender.rtp(plain) == wire
        assert receiver.rtp(wire) == plain


def test_the_known_packet_of_the_reference_implementation():
    plain = bytes.fromhex("800f1234decafbadcafebabe" + "ab" * 16)
    wire = bytes.fromhex(
        "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb"
    )
    assert SrtpSender(SrtpKey(SHA1_80, MASTER)).rtp(plain) == wire


def test_both_suites_of_the_sdp_are_known():
    assert {SHA1_80, SHA1_32} == SUITES


@pytest.mark.parametrize("suite", [SHA1_80, SHA1_32])
def test_rtcp_is_protected_with_the_long_tag(suite):
    """RFC 4568 §6.2.2: the 32-bit suite uses 80 bits for RTCP."""
    report = bytes.fromhex("80c90001cafebabe")
    wire = SrtpSender(SrtpKey(suite, MASTER)).rtcp(report)
    assert wire is not None
    assert len(wire) == len(report) + 4 + 10
    assert SrtpReceiver(SrtpKey(suite, MASTER)).rtcp(wire) == report


@pytest.mark.parametrize("suite", [SHA1_80, SHA1_32])
def test_what_was_tampered_with_is_nothing(suite):
    receiver = SrtpReceiver(SrtpKey(suite, MASTER))
    wire = by_the_book(packet(0, 1, 1, 1, b"x" * 20), TAGS[suite])
    for at in range(2, len(wire)):
        forged = bytearray(wire)
        forged[at] ^= 1
        assert receiver.rtp(bytes(forged)) is None
    assert receiver.rtp(wire) is not None


@pytest.mark.parametrize("data", [b"", b"\x80" * 12, bytes(2000)])
def test_no_octets_raise(data):
    key = SrtpKey(SHA1_80, MASTER)
    assert SrtpReceiver(key).rtp(data) is None
    assert SrtpReceiver(key).rtcp(data) is None
    assert SrtpSender(key).rtp(bytes(2000)) is None


def test_a_packet_may_be_late_by_the_window_but_come_once():
    sender, receiver = SrtpSender(SrtpKey(SHA1_80, MASTER)), SrtpReceiver(SrtpKey(SHA1_80, MASTER))
    wires = [sender.rtp(packet(0, at, at, 1, b"x")) for at in range(WINDOW)]
    assert all(wire is not None and receiver.rtp(wire) is not None for wire in wires[1:])
    assert wires[0] is not None
    assert receiver.rtp(wires[0]) is not None
    assert receiver.rtp(wires[0]) is None


def test_a_sequence_number_is_never_used_twice():
    """RFC 3711 §9.1: the same keystream must not cover two packets."""
    sender = SrtpSender(SrtpKey(SHA1_80, MASTER))
    assert sender.rtp(packet(0, 1, 1, 1, b"one")) is not None
    assert sender.rtp(packet(0, 1, 1, 1, b"two")) is None


def test_the_sources_of_one_sender_are_bounded():
    sender = SrtpSender(SrtpKey(SHA1_80, MASTER))
    plain = packet(0, 1, 1, 1, b"x")
    for each in range(MAX_SOURCES):
        assert sender.rtp(with_ssrc(plain, each)) is not None
    assert sender.rtp(with_ssrc(plain, MAX_SOURCES)) is None
    assert sender.rtp(packet(0, 2, 2, 0, b"x")) is not None


def test_a_source_that_numbers_anew_goes_on_under_another_ssrc():
    """Pain 9: a carrier's media server is exchanged behind its SSRC."""
    key = SrtpKey(SHA1_80, MASTER)
    sender, receiver = SrtpSender(key), SrtpReceiver(key)
    seen = set()
    for start in (30000, 5000, 1000):
        through = 0
        for at in range(start, start + 50):
            wire = sender.rtp(packet(0, at, at, 7, b"x"))
            if wire is not None:
                plain = receiver.rtp(wire)
                assert plain is not None
                seen.add(ssrc(plain))
                through += 1
        assert through >= 50 - RESTART
    assert len(seen) == 3


def test_single_duplicates_do_not_change_the_ssrc():
    sender, receiver = SrtpSender(SrtpKey(SHA1_80, MASTER)), SrtpReceiver(SrtpKey(SHA1_80, MASTER))
    for at in range(1, 100):
        plain = packet(0, at, at, 7, b"x")
        wire = sender.rtp(plain)
        assert wire is not None
        assert receiver.rtp(wire) == plain
        if at % 2:
            assert sender.rtp(plain) is None
