"""The errors of media carry a stable reason."""

from media.errors import MediaError, SdpError


def test_an_sdp_error_tells_reason_and_detail():
    error = SdpError("srtp-required", "plain RTP offered")
    assert isinstance(error, MediaError)
    assert error.reason == "srtp-required"
    assert str(error) == "srtp-required: plain RTP offered"
    assert str(SdpError("no-offer")) == "no-offer"
