"""Owns the log: one JSON line per decision (R133), with the call id, the profile and the refusal
code.

Nothing secret may reach it: passwords never leave `repr=False` fields, SIP messages are not logged.
"""

import errno
import io
import logging
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

import orjson
import structlog


class Log(Protocol):
    """What the shell needs of a logger: an event and its facts."""

    def debug(self, event: str, **facts: Any) -> Any: ...

    def info(self, event: str, **facts: Any) -> Any: ...

    def warning(self, event: str, **facts: Any) -> Any: ...

    def error(self, event: str, **facts: Any) -> Any: ...


class LogFile(io.TextIOBase):
    """Whole lines, appended. On a full disk they are lost and counted, and nobody else fails."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        self.lost = 0

    def write(self, text: str) -> int:
        told = f"{self.lost} log lines could not be written\n" if self.lost else ""
        data = (told + text).encode("utf-8", "backslashreplace")
        try:
            if os.write(self._fd, data) < len(data):  # cut off where the disk ended
                raise OSError(errno.ENOSPC, "no space left")
            self.lost = 0
        except OSError:
            self.lost += 1
        return len(text)

    def close(self) -> None:
        if not self.closed:
            os.close(self._fd)
        super().close()


def log_stream(path: str) -> TextIO:
    """Where log lines go: `path`, appended to, or standard error for "-"."""
    return sys.stderr if path == "-" else cast(TextIO, LogFile(Path(path)))


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
