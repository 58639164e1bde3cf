"""Owns `Via`: sent-by, branch, `received` and `rport` (RFC 3261 §20.42, RFC 3581)."""

from typing import Final, NamedTuple

from sip.errors import RemoteProtocolError
from sip.fields.params import format_params, parse_params
from sip.grammar import HOSTNAME, IPV6_ADDRESS, PLAIN_VIA, VIA, digits
from sip.uri import Params, bracketed, find_param, set_param

MAGIC_COOKIE: Final = "z9hG4bK"  # RFC 3261 §8.1.1.7


class Via(NamedTuple):
    """One hop. An IPv6 `host` has no brackets; `transport` is upper-case."""

    transport: str
    host: str
    port: int | None = None
    params: Params = ()

    @staticmethod
    def parse(text: str) -> "Via":
        plain = PLAIN_VIA.fullmatch(text)
        if plain is not None:
            transport, host, port_text, branch, rport = plain.groups()
            if port_text is None or 0 < int(port_text) < 65536:
                port = None if port_text is None else int(port_text)
                flags: Params = (("rport", None),) if rport else ()
                return Via(transport, host, port, (("branch", branch), *flags))
        match = VIA.fullmatch(text.strip(" \t"))
        if match is None:
            raise RemoteProtocolError("malformed Via")
        transport, ipv6, host, port_text, params = match.groups()
        if ipv6 is not None:
            if IPV6_ADDRESS.fullmatch(ipv6) is None:
                raise RemoteProtocolError("malformed IPv6 address in Via")
            host = ipv6
        elif HOSTNAME.fullmatch(host) is None:
            raise RemoteProtocolError("malformed host in Via")
        port = None if port_text is None else int(port_text)
        if port is not None and not 0 < port < 65536:
            raise RemoteProtocolError("malformed port in Via")
        return Via(transport.upper(), host, port, parse_params(params or ""))

    @property
    def branch(self) -> str:
        """The branch, "" when there is none (RFC 2543 peers)."""
        return find_param(self.params, "branch") or ""

    @property
    def received(self) -> str | None:
        """The address the request came from, without brackets (RFC 5118 §4.5 allows both forms)."""
        value = find_param(self.params, "received")
        return value.strip("[]") if value else None

    @property
    def rport(self) -> int | None:
        """The port the request came from; None while it is absent or only asked for."""
        value = find_param(self.params, "rport")
        return digits(value, 5) if value else None

    @property
    def asks_rport(self) -> bool:
        """True when the sender wants its source port back (RFC 3581 §3)."""
        return find_param(self.params, "rport") is not None

    def param(self, name: str) -> str | None:
        """The raw value of a parameter; "" for a flag, None when absent."""
        return find_param(self.params, name)

    def has(self, name: str) -> bool:
        return find_param(self.params, name) is not None

    def with_param(self, name: str, value: str | None = None) -> "Via":
        """A copy with the parameter set: replaced in place, else appended."""
        return Via(self.transport, self.host, self.port, set_param(self.params, name, value))

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {bracketed(self.host)}{port}{format_params(self.params)}"
