"""Owns the log: one JSON line per decision (R133), with the call id, the profile and the refusal
code.

Nothing secret may reach it: passwords never leave `repr=False` fields, SIP messages are not logged.
"""

import logging
import sys
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
    else:
        processors.append(structlog.dev.ConsoleRenderer(colors=stream.isatty()))
    logger: Log = structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
    )
    return logger


def _dumps(value: Any, default: Any = None, **_: Any) -> str:
    # By itself orjson would write out every field of a dataclass, those hidden from repr too.
    return orjson.dumps(value, default=str, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
