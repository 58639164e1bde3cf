"""The state of one relayed call: legs, counters, silence (R73, R93)."""

from media.plane import Side, SrtpKey, StreamEnd
from media.session import MediaSession

NEAR = ("192.0.2.1", 4000)
KEY = SrtpKey("AES_CM_128_HMAC_SHA1_80", bytes(30))


def session(streams: int = 1) -> MediaSession:
    made = MediaSession("m", streams)
    for side in Side:
        for leg in made.legs(side):
            leg.describe(StreamEnd(NEAR), 0.0)
    return made


def test_an_echo_has_no_side_b():
    made = MediaSession("m", 2, echo=True)
    assert len(made.legs(Side.A)) == 2
    assert made.legs(Side.B) == ()
    assert made.report().b == ()


def test_a_report_carries_the_counters_of_each_leg():
    made = session()
    leg = made.a[0]
    leg.received, leg.sent, leg.octets_received = 1, 2, 3
    leg.dropped_auth, leg.dropped_source, leg.dropped_malformed = 4, 5, 6
    leg.latch.believe(NEAR, 0.0)
    found = made.report().a[0]
    assert (found.received, found.sent, found.octets_received) == (1, 2, 3)
    assert (found.dropped_auth, found.dropped_source, found.dropped_malformed) == (4, 5, 6)
    assert found.latched == NEAR


def test_rtcp_goes_to_the_next_port_unless_told_otherwise():
    leg = session().a[0]
    assert leg.rtcp_latch.destination == ("192.0.2.1", 4001)
    leg.describe(StreamEnd(NEAR, ("192.0.2.1", 4009)), 1.0)
    assert leg.rtcp_latch.destination == ("192.0.2.1", 4009)


def test_a_description_that_is_the_same_changes_nothing():
    leg = session().a[0]
    leg.describe(StreamEnd(NEAR), 50.0)
    assert leg.quiet_since == 0.0


def test_a_changed_receiving_key_opens_the_latch():
    leg = session().a[0]
    leg.latch.believe(NEAR, 0.0)
    leg.describe(StreamEnd(NEAR, receive_key=KEY), 1.0)
    assert leg.latch.locked is None


def test_silence_is_reported_once_until_the_side_is_heard():
    made = session()
    made.b[0].latch.heard_at = 9.0
    assert made.fallen_silent(9.9, 10.0) == []
    assert made.fallen_silent(10.0, 10.0) == [(Side.A, 10.0)]
    assert made.fallen_silent(11.0, 10.0) == []
    made.a[0].latch.heard_at = 12.0
    assert made.fallen_silent(18.0, 10.0) == []
    assert made.fallen_silent(22.0, 10.0) == [(Side.A, 10.0), (Side.B, 13.0)]


def test_one_stream_that_speaks_keeps_the_side_alive():
    made = session(2)
    for leg in (made.a[1], made.b[0]):
        leg.latch.heard_at = 100.0
    assert made.fallen_silent(100.0, 10.0) == []


def test_a_stream_that_need_not_send_is_never_silent():
    made = session()
    for leg in (made.a[0], made.b[0]):
        leg.describe(StreamEnd(NEAR, expect_media=False), 1.0)
    assert made.fallen_silent(1000.0, 10.0) == []
    for leg in (made.a[0], made.b[0]):
        leg.describe(StreamEnd(NEAR, active=False), 2.0)
    assert made.fallen_silent(1000.0, 10.0) == []
