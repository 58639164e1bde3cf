"""Status codes and their words (RFC 3261 §21)."""

import pytest

from sip.status import is_final, is_provisional, is_success, reason_phrase


@pytest.mark.parametrize(
    ("status", "phrase"),
    [(100, "Trying"), (407, "Proxy Authentication Required"), (487, "Request Terminated")],
)
def test_known_statuses_have_their_phrase(status: int, phrase: str) -> None:
    assert reason_phrase(status) == phrase


def test_an_unknown_status_speaks_for_its_class() -> None:
    assert reason_phrase(499) == "Client Error"
    assert reason_phrase(699) == "Global Failure"
    assert reason_phrase(799) == "Unknown"


def test_classes_do_not_overlap() -> None:
    assert [is_provisional(s) for s in (100, 199, 200)] == [True, True, False]
    assert [is_success(s) for s in (199, 200, 299, 300)] == [False, True, True, False]
    assert [is_final(s) for s in (199, 200, 603)] == [False, True, True]
