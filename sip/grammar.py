"""Owns the lexical rules of RFC 3261 §25: expressions under their ABNF names, list splitting.

Every expression is linear: no nested quantifier can match the same text in two ways. Where the
field is known to be looser than the RFC (underscores in host names) the comment says so.
"""

import re
from typing import Final

# token = 1*(alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~")
TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")

# quoted-string = SWS DQUOTE *(qdtext / quoted-pair) DQUOTE
QUOTED_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)

# gen-value = token / host / quoted-string, and looser: anything that cannot end the parameter
GEN_VALUE: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s"<>,;]*', re.DOTALL)

# scheme = ALPHA *(ALPHA / DIGIT / "+" / "-" / "." )
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")

# hostname / IPv4address; underscores are common in private DNS
HOSTNAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_.])?")

# IPv6address, without its brackets; RFC 5118 §4.10 asks to accept the three colons of old grammars
IPV6_ADDRESS: Final = re.compile(r"(?=[^:]*:)[0-9A-Fa-f:]+(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3})?")

# What can never stand inside a URI: space, control characters and the delimiters around it
NOT_IN_URI: Final = re.compile(r'[\x00-\x20\x7f<>"]')

# callid = word [ "@" word ], looser: anything visible
CALL_ID: Final = re.compile(r"[^\x00-\x20\x7f]+")

# escaped = "%" HEXDIG HEXDIG
ESCAPED: Final = re.compile(r"%([0-9A-Fa-f]{2})")

# SIP-Version = "SIP" "/" 1*DIGIT "." 1*DIGIT
SIP_VERSION: Final = re.compile(r"[Ss][Ii][Pp]/[0-9]{1,4}\.[0-9]{1,4}")

# sent-protocol LWS sent-by *( SEMI via-params ), with the optional white space of the slashes
VIA: Final = re.compile(
    r"[Ss][Ii][Pp][ \t]*/[ \t]*[0-9]{1,4}\.[0-9]{1,4}[ \t]*/[ \t]*"
    r"(?P<transport>[A-Za-z0-9\-.!%*_+`'~]+)[ \t]+"
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_.\-]+))"
    r"(?:[ \t]*:[ \t]*(?P<port>[0-9]{1,5}))?[ \t]*(?P<params>;.*)?",
    re.DOTALL,
)

# What nearly everybody writes of the two: read at one go, it costs a third. No other reading than
# that of the full rules.
PLAIN_VIA: Final = re.compile(
    r"SIP/2\.0/(UDP|TCP|TLS) ([A-Za-z0-9][A-Za-z0-9.]*)(?::([0-9]{1,5}))?"
    r";branch=([A-Za-z0-9\-.!%*_+`'~]+)(;rport)?"
)
PLAIN_ADDRESS: Final = re.compile(
    r'(?:"([^"\\]*)"[ \t]*)?<([^>]*)>(?:;tag=([A-Za-z0-9\-.!%*_+`\'~]+))?'
)

# auth-param = token EQUAL ( token / quoted-string ); unquoted values are looser for old peers
AUTH_PARAM: Final = re.compile(
    r"[ \t]*(?P<name>[A-Za-z0-9\-.!%*_+`'~]+)[ \t]*=[ \t]*"
    r'(?:(?P<quoted>"[^"\\]*(?:\\.[^"\\]*)*")|(?P<plain>[^\s",]+))[ \t]*(?:,|$)',
    re.DOTALL,
)

# LWS that folds a header line (obsolete, still to be accepted: RFC 3261 §7.3.1)
FOLD: Final = re.compile(r"\r\n[ \t]+")


def digits(text: str, longest: int = 10) -> int | None:
    """The number, if `text` is 1..`longest` ASCII digits and nothing else."""
    if 0 < len(text) <= longest and text.isascii() and text.isdigit():
        return int(text)
    return None


def split_list(text: str) -> list[str]:
    """Split a comma list outside quotes and angle brackets; empty elements are dropped."""
    if "," not in text:
        stripped = text.strip(" \t")
        return [stripped] if stripped else []
    plain = '"' not in text and "<" not in text
    parts = text.split(",") if plain else split_outside(text, ",")
    return [part for raw in parts if (part := raw.strip(" \t"))]


def split_outside(text: str, separator: str) -> list[str]:
    """Split at `separator` wherever it stands outside quotes and angle brackets.

    After an unbalanced quote nothing is split: the field that reads the part will refuse it.
    """
    parts: list[str] = []
    start = at = 0
    in_brackets = False
    while at < len(text):
        char = text[at]
        if char == '"' and not in_brackets:
            quoted = QUOTED_STRING.match(text, at)
            if quoted is None:
                break
            at = quoted.end()
            continue
        if char == "<":
            in_brackets = True
        elif char == ">":
            in_brackets = False
        elif char == separator and not in_brackets:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    parts.append(text[start:])
    return parts
