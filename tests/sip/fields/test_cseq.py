"""Numbers in header fields (RFC 3261 §20.16, §20.19, §20.22; RFC 3262 §7.2)."""

import pytest

from sip.errors import RemoteProtocolError
from sip.fields.cseq import CSeq, RAck, parse_delta_seconds, parse_max_forwards


def test_cseq_takes_leading_zeros_and_blanks() -> None:
    assert CSeq.parse(" 0009\t INVITE ") == CSeq(9, "INVITE")
    assert str(CSeq(4711, "BYE")) == "4711 BYE"


@pytest.mark.parametrize(
    "text",
    ["", "1", "INVITE 1", "1 INVITE x", "-1 BYE", "2147483648 BYE", "1 BY/E", "9" * 40 + " BYE"],
)
def test_malformed_cseqs_are_refused(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        CSeq.parse(text)


def test_rack_names_response_and_request() -> None:
    assert RAck.parse("776656 1 INVITE") == RAck(776656, 1, "INVITE")
    assert str(RAck(3, 1, "INVITE")) == "3 1 INVITE"
    with pytest.raises(RemoteProtocolError):
        RAck.parse("x 1 INVITE")


def test_max_forwards_lies_between_0_and_255() -> None:
    assert [parse_max_forwards(t) for t in ("0", "0068", "255")] == [0, 68, 255]
    for text in ("", "256", "-1", "seventy"):
        with pytest.raises(RemoteProtocolError):
            parse_max_forwards(text)


def test_seconds_are_capped_and_nonsense_counts_as_absent() -> None:
    assert parse_delta_seconds("3600") == 3600
    assert parse_delta_seconds("9" * 5_000) == 2**32 - 1
    assert [parse_delta_seconds(t) for t in ("", "-1", "1e3", "soon")] == [None] * 4
