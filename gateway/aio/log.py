"""Owns the log: one JSON line per decision (R133), with the call id, the profile and the refusal
code.

Nothing secret may reach it: passwords never leave `repr=False` fields, SIP messages are not logged.
"""

import logging
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Protocol, TextIO

import orjson
import structlog


class Log(Protocol):
    """What the shell needs of a logger: an event and its facts."""

    def debug(self, event: str, **facts: Any) -> Any: ...

    def info(self, event: str, **facts: Any) -> Any: ...

    def warning(self, event: str, **facts: Any) -> Any: ...

    def error(self, event: str, **facts: Any) -> Any: ...


def log_stream(path: str) -> TextIO:
    """Where log lines go: `path`, appended to, or standard error for "-"."""
    if path == "-":
        return sys.stderr
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return Path(path).open("a", encoding="utf-8", buffering=1)


def open_log(stream: TextIO, level: str, form: str) -> Log:
    """A logger writing `form` to `stream`: "json", "text", or "auto" (text on a terminal).

    Closing the stream is the caller's.
    """
    processors: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.format_exc_info,
    ]
    if form == "json" or (form == "auto" and not stream.isatty()):
        processors.append(structlog.processors.JSONRenderer(serializer=_dumps))
    elif stream.isatty():
        processors.append(structlog.dev.ConsoleRenderer())
    else:
        processors.append(_plain)
    lazy = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
    )
    # Bound once: the lazy one would put itself together for every line, those not written too.
    logger: Log = lazy.bind()
    return logger


def _plain(_: Any, __: str, line: MutableMapping[str, Any]) -> str:
    """The look of structlog's console without its colours, at a third of its cost."""
    at, level, event = line.pop("at"), line.pop("level"), line.pop("event")
    exception = line.pop("exception", None)
    facts = " ".join([f"{name}={_shown(line[name])}" for name in sorted(line)])
    text = f"{at} [{level:<9}] {event:<30} {facts}".rstrip()
    return text if exception is None else f"{text}\n{exception}"


def _shown(value: Any) -> str:
    """What could be taken for more than one fact, or for more than one line, stands in quotes."""
    plain = isinstance(value, str) and value.isprintable() and _QUOTED.isdisjoint(value)
    return value if plain else repr(value)


_QUOTED = frozenset(" =\"'\\")


def _dumps(value: Any, default: Any = None, **_: Any) -> str:
    # By itself orjson would write out every field of a dataclass, those hidden from repr too.
    return orjson.dumps(value, default=str, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
