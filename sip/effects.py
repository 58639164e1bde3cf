"""Owns what the SIP core may ask of its shell: send bytes, tell the TU something, report an oddity.

Effects are values, treated as immutable; they are plain slotted classes because several are made
for every message. Executing them is the driver's work.
"""

from dataclasses import dataclass

from sip.flow import Flow


@dataclass(slots=True)
class Send:
    """Put one complete message on the wire."""

    data: bytes
    flow: Flow


@dataclass(slots=True)
class Deliver:
    """Hand `event` to whoever stands above: a transaction's TU, or the endpoint's."""

    event: object


@dataclass(slots=True)
class Report:
    """Something an operator may want counted: malformed or stray messages, lost ACKs."""

    kind: str
    detail: str
    flow: Flow | None = None


@dataclass(slots=True)
class Ended:
    """A transaction is over: None, "timeout" or "transport". Never leaves the endpoint."""

    cause: str | None = None


Effect = Send | Deliver | Report | Ended
