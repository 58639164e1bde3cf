"""Owns what the gateway's shell needs of the SIP shell; bootstrap plugs the real driver in."""

from collections.abc import Iterable
from typing import Protocol

from sip.effects import Effect
from sip.endpoint import Endpoint
from sip.flow import Flow


class SipPort(Protocol):
    endpoint: Endpoint

    def execute(self, effects: Iterable[Effect]) -> None:
        """Carry the core's effects out, in order, without recursion."""
        ...


class Names(Protocol):
    """By which address a peer reaches us."""

    def sent_by(self, flow: Flow) -> tuple[str, int]:
        """Host and port for Via and Contact on this flow."""
        ...

    def media_host(self, flow: Flow, family: int) -> str:
        """The address for SDP when the RTP range is bound to a wildcard."""
        ...
