"""Owns the way of a command to its gateway: the running one by its control socket, else the store.

With no gateway running a command takes the store's lock itself and makes the same change by the
same functions; there is never a second process that changes what a gateway decides on.
"""

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gateway.cli import tell
from gateway.cli.common import settings_or_exit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.settings import Settings
    from gateway.commands.base import Json
    from gateway.control_client import ControlClient

NOT_RUNNING = (
    "no gateway is running here: start it with make run, or name its settings with --config"
)


class Office(Protocol):
    """Where commands are answered."""

    def ask(self, verb: str, args: "Mapping[str, object]") -> "Json":
        """The answer; raises CommandError."""
        ...

    def load_deck(
        self, lines: str, args: "Mapping[str, object]", progress: Callable[[int], None]
    ) -> "Json":
        """Load a rate deck; `progress` is told the characters that were taken."""
        ...


def ask(
    config: Path | None,
    json_wanted: bool,
    verb: str,
    args: "Mapping[str, object]",
    *,
    live: bool = False,
    hint: str = "",
) -> "Json":
    """One question, asked and answered; None among the arguments was not given.

    `live`: only a running gateway knows. `hint` stands below an error that leaves the outcome open.
    """
    given = {name: value for name, value in args.items() if value is not None}
    with office(config, json_wanted, live=live, hint=hint) as found:
        return found.ask(verb, given)


def ask_all(
    config: Path | None, json_wanted: bool, verb: str, args: "Mapping[str, object]", part: str
) -> "Json":
    """A list that comes in pages, as one answer."""
    given = {name: value for name, value in args.items() if value is not None}
    with office(config, json_wanted) as found:
        told = found.ask(verb, given)
        items = told[part]
        assert isinstance(items, list)
        while len(items) < int(str(told["total"])):
            more = found.ask(verb, {**given, "offset": len(items)})[part]
            if not isinstance(more, list) or not more:
                break  # it became shorter meanwhile
            items += more
        return told


@contextmanager
def office(
    config: Path | None, json_wanted: bool, *, live: bool = False, hint: str = ""
) -> "Iterator[Office]":
    """The running gateway or the store; whatever goes wrong ends the command with a sentence."""
    from gateway.commands.base import CommandError
    from gateway.control_client import ControlClient, NotRunning, Unanswered
    from store.errors import StoreBusy, StoreError

    settings = settings_or_exit(config).settings
    path = settings.control_path
    try:
        try:
            client = ControlClient(path)
        except NotRunning as error:
            if live:
                tell.fail(f"{NOT_RUNNING} ({error})")
            yield _store(settings)
            return
        with client:
            yield RunningOffice(client)
    except CommandError as error:
        tell.refused(error, json_wanted)
    except Unanswered as error:
        tell.fail(f"{error}.{' ' + hint if hint else ''}")
    except StoreBusy as error:
        tell.fail(
            f"{error}, and nobody answers at {path}. Is a gateway just starting, or another "
            "command at work? Try again; or name the settings of that gateway with --config"
        )
    except (StoreError, OSError) as error:
        tell.fail(str(error))


def store_path(settings: "Settings") -> Path:
    """The database; a missing one ends the command and is not made."""
    path = settings.store_path
    if not path.exists():
        tell.fail(f"there is no store at {path}. {NOT_RUNNING[0].upper()}{NOT_RUNNING[1:]}")
    return path


def _store(settings: "Settings") -> Office:
    from gateway.cli.stopped import StoppedOffice

    store_path(settings)
    if not settings.secret_key_path.exists():  # a new key would not open what is stored
        tell.fail(
            f"{settings.secret_key_path} is missing: the store's passwords need that very key"
        )
    return StoppedOffice(settings)


class RunningOffice:
    """Asks by the control socket."""

    PIECE = 32_000  # characters of a deck in one message; as JSON they stay below its limit

    def __init__(self, client: "ControlClient") -> None:
        self._client = client

    def ask(self, verb: str, args: "Mapping[str, object]") -> "Json":
        return self._client.ask(verb, args)

    def load_deck(
        self, lines: str, args: "Mapping[str, object]", progress: Callable[[int], None]
    ) -> "Json":
        for start in range(0, len(lines), self.PIECE) or (0,):
            piece = lines[start : start + self.PIECE]
            self._client.ask("deck.lines", {"text": piece, "first": start == 0})
            progress(len(piece))
        return self._client.ask("deck.load", args)
