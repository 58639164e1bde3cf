"""Owns `Headers`: ordered, case-blind, aware of compact forms, raw text (RFC 3261 §7.3).

It knows nothing of what a field means: typed values are made by `sip.fields` and kept by the
message.
"""

from collections.abc import Iterable, Iterator
from typing import Final, Self

from sip.errors import LocalProtocolError
from sip.grammar import TOKEN, split_list

_KNOWN: Final = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow", "Allow-Events"),
    *("Authentication-Info", "Authorization", "Call-ID", "Call-Info", "Contact"),
    *("Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length"),
    *("Content-Type", "CSeq", "Date", "Diversion", "Error-Info", "Event", "Expires", "From"),
    *("History-Info", "Identity", "In-Reply-To", "Max-Forwards", "MIME-Version", "Min-Expires"),
    *("Min-SE", "Organization", "P-Asserted-Identity", "P-Preferred-Identity", "Path", "Priority"),
    *("Privacy", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Require", "RAck", "Reason"),
    *("Record-Route", "Refer-To", "Referred-By", "Replaces", "Reply-To", "Require", "Retry-After"),
    *("Remote-Party-ID", "Route", "RSeq", "Server", "Service-Route", "Session-Expires", "SIP-ETag"),
    *("SIP-If-Match", "Subject", "Subscription-State", "Supported", "Timestamp", "To"),
    *("Unsupported", "User-Agent", "Via", "Warning", "WWW-Authenticate"),
)

# RFC 3261 §7.3.3 and the compact forms registered since.
COMPACT_FORMS: Final[dict[str, str]] = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}


def _key_table() -> dict[str, str]:
    """Every usual spelling of a known name to its one lower-case key."""
    table: dict[str, str] = {}
    for name in _KNOWN:
        key = name.lower()
        table.update({name: key, key: key, name.upper(): key, name.title(): key})
    for letter, name in COMPACT_FORMS.items():
        key = table.get(name, name.lower())
        table.update({letter: key, letter.upper(): key})
    return table


KEYS: Final[dict[str, str]] = _key_table()


def key_of(name: str) -> str:
    """The lower-case long form of a header name."""
    return KEYS.get(name) or KEYS.get(lowered := name.lower()) or lowered


class Headers:
    """The header fields of one message, as lines in their order. Treat as immutable.

    Names are kept and printed as given; every look-up takes any spelling or compact form.
    """

    __slots__ = ("_keys", "_names", "_values")

    _names: tuple[str, ...] | list[str]
    _keys: tuple[str, ...] | list[str]
    _values: tuple[str, ...] | list[str]

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        """Raise LocalProtocolError for a name that is no token."""
        pairs = [*fields]
        self._names = names = [name for name, _ in pairs]
        self._values = [value for _, value in pairs]
        known = KEYS
        self._keys = [known.get(name) or key_of(_checked(name)) for name in names]

    @classmethod
    def of_lists(cls, names: list[str], keys: list[str], values: list[str]) -> Self:
        """Take over three parallel lists: names as printed, their keys (`key_of`), values."""
        headers = cls.__new__(cls)
        headers._names = names
        headers._keys = keys
        headers._values = values
        return headers

    def keys(self) -> tuple[str, ...] | list[str]:
        """The lower-case long form of the name of each line."""
        return self._keys

    def get(self, name: str) -> str | None:
        """The value of the first line of that name."""
        key = KEYS.get(name) or key_of(name)
        keys = self._keys
        return self._values[keys.index(key)] if key in keys else None

    def first(self, key: str) -> str | None:
        """As `get`, for a name that is spelt as its key."""
        keys = self._keys
        return self._values[keys.index(key)] if key in keys else None

    def all(self, name: str) -> list[str]:
        """The values of all lines of that name, one per line."""
        return self.of_key(KEYS.get(name) or key_of(name))

    def of_key(self, key: str) -> list[str]:
        """As `all`, for a name that is spelt as its key."""
        keys = self._keys
        if key not in keys:
            return []
        found = keys.count(key)
        if found == 1:
            return [self._values[keys.index(key)]]
        return [value for k, value in zip(keys, self._values, strict=True) if k == key]

    def values(self, name: str) -> list[str]:
        """All elements of a comma list, over all its lines (RFC 3261 §7.3.1)."""
        return [element for line in self.all(name) for element in split_list(line)]

    def count(self, name: str) -> int:
        """How many lines have that name."""
        return self._keys.count(KEYS.get(name) or key_of(name))

    def items(self) -> Iterator[tuple[str, str]]:
        return zip(self._names, self._values, strict=True)

    def with_field(self, name: str, value: str) -> "Headers":
        """A copy with exactly one line of that name: in the place of the first, else at the end."""
        key = key_of(name)
        keys = self._keys
        found = keys.count(key)
        if found == 1:
            values = [*self._values]
            values[keys.index(key)] = value
            return Headers.of_lists([*self._names], [*keys], values)
        if found == 0:
            return self.with_last(name, value)
        at = keys.index(key)
        rest = self.without(name)
        return Headers.of_lists(
            [*rest._names[:at], name, *rest._names[at:]],
            [*rest._keys[:at], key, *rest._keys[at:]],
            [*rest._values[:at], value, *rest._values[at:]],
        )

    def with_first(self, name: str, value: str) -> "Headers":
        """A copy with one more line, before all others (Via, Route)."""
        return Headers.of_lists(
            [_checked(name), *self._names], [key_of(name), *self._keys], [value, *self._values]
        )

    def with_last(self, name: str, value: str) -> "Headers":
        """A copy with one more line, after all others."""
        return Headers.of_lists(
            [*self._names, _checked(name)], [*self._keys, key_of(name)], [*self._values, value]
        )

    def with_top(self, name: str, value: str) -> "Headers":
        """A copy in which the first element of that name has another value (our Via stamp)."""
        key = key_of(name)
        at = self._keys.index(key)
        elements = split_list(self._values[at])
        values = [*self._values]
        values[at] = ", ".join([value, *elements[1:]])
        return Headers.of_lists([*self._names], [*self._keys], values)

    def without(self, name: str) -> "Headers":
        """A copy with no line of that name."""
        key = key_of(name)
        keys = self._keys
        if key not in keys:
            return self
        kept = [i for i, k in enumerate(keys) if k != key]
        names, values = self._names, self._values
        return Headers.of_lists(
            [names[i] for i in kept], [keys[i] for i in kept], [values[i] for i in kept]
        )

    def lines(self, content_length: int) -> list[str]:
        """The printed lines, with the one true Content-Length in its place or at the end."""
        lines = [f"{name}: {value}" for name, value in zip(self._names, self._values, strict=True)]
        keys = self._keys
        found = keys.count("content-length")
        if found == 1:
            lines[keys.index("content-length")] = f"Content-Length: {content_length}"
        elif found == 0:
            lines.append(f"Content-Length: {content_length}")
        else:
            return self.without("content-length").lines(content_length)
        return lines

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and key_of(name) in self._keys

    def __len__(self) -> int:
        return len(self._names)

    def __eq__(self, other: object) -> bool:
        """Same fields in the same order with the same text, however the names are spelt."""
        if not isinstance(other, Headers):
            return NotImplemented
        return [*self._keys] == [*other._keys] and [*self._values] == [*other._values]

    def __hash__(self) -> int:
        return hash((tuple(self._keys), tuple(self._values)))

    def __repr__(self) -> str:
        return f"Headers({list(self.items())!r})"


def _checked(name: str) -> str:
    if name not in KEYS and TOKEN.fullmatch(name) is None:
        raise LocalProtocolError(f"malformed header name {name!r}")
    return name
