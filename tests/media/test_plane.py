"""The values that cross `MediaPlane`."""

from media.plane import Side, SrtpKey, StreamEnd


def test_the_sides_are_each_others_other():
    assert Side.A.other is Side.B
    assert Side.B.other is Side.A


def test_key_material_is_never_printed():
    key = SrtpKey("AES_CM_128_HMAC_SHA1_80", b"topsecret" * 3 + b"abc")
    assert "topsecret" not in repr(StreamEnd(None, receive_key=key, send_key=key))
