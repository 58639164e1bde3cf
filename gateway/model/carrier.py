"""Owns `Carrier`: an upstream trunk to the telephone network."""

from dataclasses import dataclass, field

from gateway.model.call import SrtpPolicy

ANY_PORT = 0


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier. `host` is an address literal; name look-ups happen before it gets here."""

    id: int
    name: str
    host: str
    port: int
    transport: str = "udp"
    priority: int = 0  # lower is tried first
    weight: int = 1  # its share among carriers of one priority (RFC 2782); 0: hardly ever first
    max_calls: int = 0  # calls towards it at the same time; 0: no limit
    options_interval_s: float = 30.0  # how often it is asked whether it lives; 0: never
    response_timeout_s: float = 6.0  # how long it may leave an INVITE unanswered by anything
    username: str = ""  # empty: the carrier knows us by address
    password: str = field(default="", repr=False)
    srtp: SrtpPolicy = SrtpPolicy.NONE
    plus: bool = True  # called numbers with a leading "+"
    match_port: bool = True  # incoming calls match ip:port, else ip alone
    enabled: bool = True

    @property
    def sends_from(self) -> tuple[str, int]:
        """By which address and port its calls are known; streams come from any port."""
        told_by_port = self.match_port and self.transport == "udp"
        return self.host, self.port if told_by_port else ANY_PORT
