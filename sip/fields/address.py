"""Owns `NameAddr`: From, To, Contact, Route, P-Asserted-Identity (RFC 3261 §20.10, RFC 3325)."""

from typing import Final, NamedTuple

from sip.errors import RemoteProtocolError
from sip.fields.params import format_params, parse_params, quote, unquote
from sip.grammar import PLAIN_ADDRESS, QUOTED_STRING
from sip.uri import Params, Uri, find_param, set_param

_NOT_IN_DISPLAY: Final = frozenset('",;:')


class NameAddr(NamedTuple):
    """A display name (unquoted), a URI, and the parameters of the field (not of the URI)."""

    display: str
    uri: Uri
    params: Params = ()

    @staticmethod
    def parse(text: str) -> "NameAddr":
        """Parse `"Name" <uri>;params` or `uri;params`."""
        plain = PLAIN_ADDRESS.fullmatch(text)
        if plain is not None:
            display, uri, tag = plain.groups("")
            return NameAddr(display, Uri.parse(uri), (("tag", tag),) if tag else ())
        return _parse(text)

    @property
    def tag(self) -> str:
        """The tag, "" when there is none (RFC 3261 §19.3)."""
        return find_param(self.params, "tag") or ""

    def param(self, name: str) -> str | None:
        """The raw value of a field parameter; "" for a flag, None when absent."""
        return find_param(self.params, name)

    def with_param(self, name: str, value: str | None = None) -> "NameAddr":
        """A copy with the parameter set: replaced in place, else appended."""
        return NameAddr(self.display, self.uri, set_param(self.params, name, value))

    def with_tag(self, tag: str) -> "NameAddr":
        return self.with_param("tag", tag)

    def __str__(self) -> str:
        name = f"{quote(self.display)} " if self.display else ""
        return f"{name}<{self.uri}>{format_params(self.params)}"


def _parse(text: str) -> NameAddr:
    text = text.strip(" \t")
    if text[:1] == '"':
        quoted = QUOTED_STRING.match(text)
        if quoted is None:
            raise RemoteProtocolError("unbalanced quotes in an address")
        display = unquote(quoted[0])
        rest = text[quoted.end() :].lstrip(" \t")
        if rest[:1] != "<":
            raise RemoteProtocolError("display name without a URI in brackets")
    else:
        before, bracket, rest = text.partition("<")
        if not bracket:
            return _parse_addr_spec(text)
        display = before.rstrip(" \t")
        if display and not _NOT_IN_DISPLAY.isdisjoint(display):
            raise RemoteProtocolError("malformed display name")
        rest = "<" + rest
    uri, closed, tail = rest[1:].partition(">")
    if not closed:
        raise RemoteProtocolError("URI bracket never closed")
    return NameAddr(display, Uri.parse(uri), parse_params(tail))


def _parse_addr_spec(text: str) -> NameAddr:
    uri, semicolon, tail = text.partition(";")
    # RFC 3261 §20: a URI with a comma, question mark or semicolon must stand in brackets.
    if "?" in uri or "," in uri:
        raise RemoteProtocolError("URI needs angle brackets")
    return NameAddr("", Uri.parse(uri.rstrip(" \t")), parse_params(semicolon + tail))
