"""The way a message came."""

import pytest

from sip.flow import Flow


@pytest.mark.parametrize(
    ("transport", "reliable", "secure"),
    [("udp", False, False), ("tcp", True, False), ("tls", True, True)],
)
def test_a_flow_knows_what_its_transport_gives(
    transport: str, reliable: bool, secure: bool
) -> None:
    """RFC 3261 §17: streams need no retransmission."""
    flow = Flow(transport, ("192.0.2.1", 5060), ("192.0.2.2", 5060))
    assert (flow.reliable, flow.secure) == (reliable, secure)


def test_flows_are_keys() -> None:
    one = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))
    assert {one: 1}[Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))] == 1
