"""`Carrier`: by what its incoming calls are known."""

import pytest

from tests.support import factories as make


@pytest.mark.parametrize(
    ("transport", "match_port", "port"),
    [("udp", True, 5060), ("udp", False, 0), ("tcp", True, 0), ("tls", False, 0)],
)
def test_calls_are_known_by_port_only_over_udp_and_when_it_is_fixed(
    transport: str, match_port: bool, port: int
) -> None:
    carrier = make.carrier(transport=transport, match_port=match_port)
    assert carrier.sends_from == (make.CARRIER[0], port)
    assert "secret" not in repr(make.carrier(password="secret"))
