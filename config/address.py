"""Owns the spelling of addresses in the settings: `host:port`, with IPv6 literals in brackets.

Resolves nothing: a bind address is an address literal of this machine.
"""

import ipaddress
import re

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")


def parse_bind(text: str) -> tuple[str, int]:
    """Split `"0.0.0.0:5060"` or `"[::]:5060"`; port 0 lets the system choose. Raises ValueError."""
    host, port = _split(text)
    if port is None:
        raise ValueError(f"{text!r} has no port; write it as host:port, e.g. 0.0.0.0:5060")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"{host!r} is not an IP address of this machine") from None
    if address.version == 6 and not text.startswith("["):
        raise ValueError(f"write an IPv6 address in brackets, e.g. [{address}]:{port}")
    return host, port


def parse_advertise(text: str) -> tuple[str, int | None]:
    """Split `"host"` or `"host:port"`; an empty text is ("", None). Raises ValueError."""
    if not text:
        return "", None
    host, port = _split(text)
    if port == 0:
        raise ValueError("port 0 cannot be advertised")
    if not is_host(host):
        raise ValueError(f"{host!r} is neither a host name nor an IP address")
    return host, port


def is_host(text: str) -> bool:
    """True for a host name or an address literal without brackets."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return len(text) <= 253 and _HOST.fullmatch(text) is not None
    return True


def is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def join(host: str, port: int) -> str:
    """Print an address the way it is written in the settings."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _split(text: str) -> tuple[str, int | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not is_address(host, 6):
            raise ValueError(f"{text!r} is not an IPv6 address in brackets")
        if not rest:
            return host, None
        if not rest.startswith(":"):
            raise ValueError(f"{text!r}: expected a colon and a port after the bracket")
        return host, _port(rest[1:])
    if is_address(text, 6):
        return text, None
    host, colon, port = text.rpartition(":")
    return (host, _port(port)) if colon else (text, None)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):
        raise ValueError(f"{text!r} is not a port; a port is a number from 0 to 65535")
    return int(text)
