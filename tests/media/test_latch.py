"""Which source is believed, and when it may change (RFC 4961; pain 8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.latch import EMBARGO_S, MAX_CANDIDATES, RELATCH_S, Latch

SDP = ("10.0.0.1", 4000)
NAT = ("198.51.100.7", 41000)
STRANGER = ("203.0.113.66", 6666)


def described() -> Latch:
    latch = Latch()
    latch.describe(SDP, 0.0)
    return latch


def heard(latch: Latch, source, now=0.0, first=1, packets=3, ssrc=9) -> None:
    for sequence in range(first, first + packets):
        assert latch.admits(source, now)
        assert latch.believe(source, now, ssrc=ssrc, sequence=sequence)


def test_packets_go_to_the_described_address_until_one_is_locked():
    latch = described()
    assert latch.destination == SDP
    heard(latch, NAT, packets=2)
    assert latch.destination == SDP
    assert latch.locked is None


def test_three_consistent_packets_lock_a_source():
    latch = described()
    heard(latch, NAT)
    assert latch.locked == latch.destination == NAT


def test_the_described_address_and_an_authenticated_source_lock_at_once():
    latch = described()
    assert latch.believe(SDP, 0.0)
    assert latch.locked == SDP
    latch = described()
    assert latch.believe(NAT, 0.0, trusted=True)
    assert latch.locked == NAT


@pytest.mark.parametrize("sequences", [(1, 1, 2), (5, 4, 3), (1, 200, 400)])
def test_inconsistent_packets_do_not_lock(sequences):
    latch = described()
    for each in sequences:
        latch.believe(NAT, 0.0, ssrc=9, sequence=each)
    assert latch.locked is None


def test_a_change_of_ssrc_starts_the_count_again():
    latch = described()
    heard(latch, NAT, packets=2, ssrc=1)
    heard(latch, NAT, first=3, packets=2, ssrc=2)
    assert latch.locked is None


def test_sequence_numbers_may_wrap():
    latch = described()
    for each in (65535, 0, 1):
        latch.believe(NAT, 0.0, ssrc=9, sequence=each)
    assert latch.locked == NAT


def test_a_spammer_does_not_reset_the_count_of_another_source():
    latch = described()
    for each in range(3):
        heard(latch, NAT, first=each + 1, packets=1)
        if latch.locked is None:
            latch.believe(STRANGER, 0.0, ssrc=each, sequence=0)
    assert latch.locked == NAT


def test_candidates_are_bounded():
    latch = described()
    for each in range(MAX_CANDIDATES):
        assert latch.believe(("192.0.2.1", each + 1), 0.0, ssrc=1, sequence=1)
    assert not latch.believe(STRANGER, 0.0, ssrc=1, sequence=1)
    assert latch.believe(SDP, 0.0)


def test_a_locked_source_keeps_strangers_out_until_it_is_silent():
    latch = described()
    heard(latch, NAT, now=10.0)
    assert not latch.admits(STRANGER, 10.0 + RELATCH_S - 0.1)
    latch.heard_at = 12.0
    assert not latch.admits(STRANGER, 12.0 + RELATCH_S - 0.1)
    assert latch.admits(STRANGER, 12.0 + RELATCH_S)


def test_the_described_address_replaces_a_guess_once():
    latch = described()
    heard(latch, NAT)
    assert latch.admits(SDP, 0.0)
    assert latch.believe(SDP, 0.0)
    assert latch.locked == SDP
    assert not latch.admits(NAT, 0.0)


def test_the_same_description_again_keeps_the_lock():
    latch = described()
    heard(latch, NAT)
    latch.describe(SDP, 5.0)
    assert latch.locked == NAT


def test_a_hold_without_an_address_keeps_the_lock():
    latch = described()
    heard(latch, NAT)
    latch.describe(None, 5.0)
    latch.describe(SDP, 6.0)
    assert latch.locked == latch.destination == NAT


def test_a_new_address_opens_the_latch_and_the_old_source_waits():
    latch = described()
    heard(latch, NAT)
    new = ("10.0.0.2", 5000)
    latch.describe(new, 5.0)
    assert latch.destination == new
    assert not latch.admits(NAT, 5.0)
    assert latch.admits(STRANGER, 5.0)
    assert latch.admits(NAT, 5.0 + EMBARGO_S)


def test_renewed_keys_open_the_latch_for_the_described_address_at_once():
    latch = described()
    latch.believe(SDP, 0.0)
    latch.describe(SDP, 5.0, renewed=True)
    assert latch.locked is None
    assert latch.admits(SDP, 5.0)


def test_without_a_description_of_an_address_only_a_source_gives_one():
    latch = Latch()
    latch.describe(None, 0.0)
    assert latch.destination is None
    heard(latch, NAT)
    assert latch.destination == NAT


@given(
    st.lists(st.tuples(st.sampled_from([SDP, NAT, STRANGER]), st.integers(0, 65535)), max_size=60)
)
def test_while_the_locked_source_speaks_nobody_but_the_described_address_takes_over(packets):
    latch = described()
    heard(latch, NAT)
    for source, sequence in packets:
        latch.heard_at = 1.0
        if source != latch.locked and latch.admits(source, 1.0):
            latch.believe(source, 1.0, ssrc=1, sequence=sequence)
        assert latch.locked in (NAT, SDP)
