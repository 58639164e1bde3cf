"""Owns `Carrier`: an upstream trunk to the telephone network."""

from dataclasses import dataclass, field

from gateway.model.call import SrtpPolicy


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier. `host` is an address literal; name look-ups happen before it gets here."""

    id: int
    name: str
    host: str
    port: int
    transport: str = "udp"
    priority: int = 0  # lower is tried first
    username: str = ""  # empty: the carrier knows us by address
    password: str = field(default="", repr=False)
    srtp: SrtpPolicy = SrtpPolicy.NONE
    plus: bool = True  # called numbers with a leading "+"
    match_port: bool = True  # incoming calls match ip:port, else ip alone
    enabled: bool = True
