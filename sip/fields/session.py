"""Owns Session-Expires, Min-SE (RFC 4028), Reason (RFC 3326), option tags and method lists."""

from typing import NamedTuple

from sip.errors import RemoteProtocolError
from sip.fields.params import parse_params, quote, unquote
from sip.grammar import TOKEN, digits, split_list
from sip.uri import Params, find_param


class SessionExpires(NamedTuple):
    """The session interval in seconds, and who refreshes: "uac", "uas" or "" while undecided."""

    interval_s: int
    refresher: str = ""

    @staticmethod
    def parse(text: str) -> "SessionExpires":
        interval_s, params = _delta_with_params(text)
        refresher = (find_param(params, "refresher") or "").lower()
        if refresher not in ("", "uac", "uas"):
            raise RemoteProtocolError("malformed refresher")
        return SessionExpires(interval_s, refresher)

    def __str__(self) -> str:
        return (
            f"{self.interval_s};refresher={self.refresher}"
            if self.refresher
            else str(self.interval_s)
        )


def parse_min_se(text: str) -> int:
    """Min-SE in seconds (RFC 4028 §5)."""
    return _delta_with_params(text)[0]


class Reason(NamedTuple):
    """Why a request was sent: `SIP;cause=200;text="..."` or `Q.850;cause=16` (RFC 3326)."""

    protocol: str
    cause: int | None = None
    text: str = ""

    @staticmethod
    def parse(text: str) -> "Reason":
        protocol, semicolon, tail = text.strip(" \t").partition(";")
        protocol = protocol.rstrip(" \t")
        if TOKEN.fullmatch(protocol) is None:
            raise RemoteProtocolError("malformed Reason")
        params = parse_params(semicolon + tail)
        cause = find_param(params, "cause")
        return Reason(
            protocol,
            None if cause is None else digits(cause),
            unquote(find_param(params, "text") or ""),
        )

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        text = f";text={quote(self.text)}" if self.text else ""
        return f"{self.protocol}{cause}{text}"


def parse_option_tags(lines: list[str]) -> frozenset[str]:
    """The tags of Supported, Require or Proxy-Require lines, in lower case."""
    return frozenset(tag.lower() for line in lines for tag in split_list(line))


def parse_methods(lines: list[str]) -> frozenset[str]:
    """The methods of Allow lines; methods are case-sensitive (RFC 3261 §7.1)."""
    return frozenset(method for line in lines for method in split_list(line))


def format_tokens(tokens: tuple[str, ...]) -> str:
    """One comma list, as we print Allow, Supported and Require."""
    return ", ".join(tokens)


def _delta_with_params(text: str) -> tuple[int, Params]:
    delta, semicolon, tail = text.strip(" \t").partition(";")
    seconds = digits(delta.rstrip(" \t"))
    if seconds is None:
        raise RemoteProtocolError("malformed delta-seconds")
    return seconds, parse_params(semicolon + tail)
