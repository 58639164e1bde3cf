"""The a=crypto attribute: what is honoured, skipped and chosen (RFC 4568)."""

from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.plane import SrtpKey
from media.sdp.crypto import SHA1_32, SHA1_80, CryptoAttribute, choose, parse_crypto, read_all

KEY = bytes(range(30))
INLINE = "inline:" + b64encode(KEY).decode()


def test_a_line_is_read_and_printed_alike():
    text = f"1 {SHA1_80} {INLINE}"
    found = parse_crypto(text)
    assert found == CryptoAttribute(1, SrtpKey(SHA1_80, KEY))
    assert str(found) == text


@pytest.mark.parametrize(
    "value",
    [
        f"1 {SHA1_32} {INLINE}|2^31",
        f"7 {SHA1_32} {INLINE} WSH=128",
        f"7 {SHA1_32} {INLINE} -UNKNOWN",
        f"7 {SHA1_32} {INLINE} KDR=0",
        f"007 {SHA1_32.lower()} {INLINE}",
    ],
)
def test_what_changes_nothing_for_us_is_accepted(value):
    found = parse_crypto(value)
    assert found is not None
    assert found.key == SrtpKey(SHA1_32, KEY)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        f"1 {SHA1_80}",
        f"x {SHA1_80} {INLINE}",
        f"1234567890 {SHA1_80} {INLINE}",
        f"1 AES_256_CM_HMAC_SHA1_80 {INLINE}",
        f"1 {SHA1_80} {INLINE}|2^31|1:4",
        f"1 {SHA1_80} {INLINE}|1:4",
        f"1 {SHA1_80} {INLINE};{INLINE}",
        f"1 {SHA1_80} {INLINE} UNENCRYPTED_SRTP",
        f"1 {SHA1_80} {INLINE} UNAUTHENTICATED_SRTP",
        f"1 {SHA1_80} {INLINE} KDR=05",
        f"1 {SHA1_80} inline:{b64encode(KEY[:29]).decode()}",
        f"1 {SHA1_80} inline:!!!!",
        f"1 {SHA1_80} inline:",
        f"1 {SHA1_80} uri:{INLINE}",
    ],
)
def test_what_cannot_be_honoured_is_skipped(value):
    assert parse_crypto(value) is None


def test_a_key_is_never_in_a_repr():
    assert b64encode(KEY).decode() not in repr(parse_crypto(f"1 {SHA1_80} {INLINE}"))
    assert str(KEY) not in repr(parse_crypto(f"1 {SHA1_80} {INLINE}"))


def test_the_eighty_bit_tag_is_preferred_then_the_peers_order():
    lines = read_all([f"3 {SHA1_32} {INLINE}", f"5 {SHA1_80} {INLINE}", f"6 {SHA1_80} {INLINE}"])
    chosen = choose(lines)
    assert chosen is not None
    assert chosen.tag == 5
    only = choose(lines[:1])
    assert only is not None
    assert only.tag == 3
    assert choose([]) is None


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_no_text_raises(text):
    parse_crypto(text)
    parse_crypto(f"1 {SHA1_80} inline:{text}")
