"""Owns parameter lists and quoted strings, shared by every field (RFC 3261 §7.3.1, §25.1)."""

from sip.errors import RemoteProtocolError
from sip.grammar import GEN_VALUE, TOKEN, split_list, split_outside
from sip.uri import Params

__all__ = ["format_params", "parse_params", "quote", "split_list", "split_outside", "unquote"]


def parse_params(text: str) -> Params:
    """Parse `;name=value;flag`. Values stay raw, a quoted one keeps its quotes."""
    if not text:
        return ()
    parts = split_outside(text, ";") if '"' in text else text.split(";")
    if parts[0] and parts[0].strip(" \t"):
        raise RemoteProtocolError("text before parameters")
    params: list[tuple[str, str | None]] = []
    for part in parts[1:]:
        name, equals, value = part.partition("=")
        name = name.strip(" \t")
        if not name and not equals:
            continue  # an empty parameter, ";;": harmless, and seen in the field
        if not (name.isalnum() or TOKEN.fullmatch(name)):
            raise RemoteProtocolError("malformed parameter name")
        if not equals:
            params.append((name, None))
            continue
        value = value.strip(" \t")
        if not value.isalnum() and GEN_VALUE.fullmatch(value) is None:
            raise RemoteProtocolError("malformed parameter value")
        params.append((name, value))
    return tuple(params)


def format_params(params: Params) -> str:
    """The opposite of `parse_params`."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in params)


def quote(text: str) -> str:
    """Make a quoted-string."""
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def unquote(text: str) -> str:
    """Undo a quoted-string; other text comes back as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    text = text[1:-1]
    if "\\" not in text:
        return text
    out: list[str] = []
    chars = iter(text)
    for char in chars:
        out.append(next(chars, "") if char == "\\" else char)
    return "".join(out)
