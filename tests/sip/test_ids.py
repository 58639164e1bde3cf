"""The promise about entropy."""

from sip.ids import Ids
from tests.support.ids import SequenceIds


def test_a_deterministic_source_keeps_the_promise() -> None:
    ids: Ids = SequenceIds("one")
    assert len(ids.octets(12)) == 12
    token = ids.token(8)
    assert len(token) == 16
    assert token == token.lower()
    assert ids.token(8) != token
    assert SequenceIds("one").octets(12) == SequenceIds("one").octets(12)
