"""Owns where settings come from: built-in defaults, then the TOML file, then the environment.

`SIPGW_HTTP__BIND=127.0.0.1:9000` sets `http.bind`; lists and tables are written as JSON.
Whatever is wrong is collected and told at once, by line and field.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, SettingsError

from config.settings import Settings
from config.toml_lines import line_of

PREFIX = "SIPGW_"
FILE_VARIABLE = "SIPGW_CONFIG"
DEFAULT_FILE = Path("gateway.toml")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `where` is "file:line", a file, or an environment variable."""

    where: str
    field: str  # "listeners.1.bind", or empty for the whole file
    text: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.where, self.field, self.text) if part)


class ConfigError(Exception):
    """The settings cannot be used; `problems` says why, one entry a fault."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Loaded:
    settings: Settings
    file: Path | None  # none: built-in defaults
    unknown_variables: tuple[str, ...]  # SIPGW_… names that set nothing


def load(file: Path | None, environ: Mapping[str, str]) -> Loaded:
    """Read and check everything. `file` None: SIPGW_CONFIG, then ./gateway.toml if it is there."""
    path = find(file, environ)
    text, values = _read(path) if path else ("", {})
    origin, unknown = _variables(environ)
    try:
        settings = Settings.model_validate(_merged(values, _Environment(environ)()))
    except SettingsError as error:
        raise ConfigError((_undecodable(error),)) from None
    except ValidationError as error:
        problems = [_explain(detail, path, text, origin) for detail in error.errors()]
        raise ConfigError(_ordered(problems)) from None
    return Loaded(settings, path, unknown)


def _merged(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Tables joined key by key; anything else in `above` wins whole."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        if isinstance(value, dict) and isinstance(under, dict):
            value = _merged(under, value)
        merged[name] = value
    return merged


class _Environment(EnvSettingsSource):
    """The library's reading of variables, over a given mapping instead of the process's."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environ.items()}


def find(file: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file that will be read, or None for the built-in defaults."""
    if file is not None:
        return file
    if named := environ.get(FILE_VARIABLE):
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.is_file() else None


def _read(path: Path) -> tuple[str, dict[str, object]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError((Problem(str(path), "", f"cannot be read: {reason}"),)) from None
    except UnicodeDecodeError as error:
        raise ConfigError((Problem(str(path), "", f"is not UTF-8 text: {error.reason}"),)) from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = re.search(r"\(at line (\d+), column (\d+)\)", message)
        where = f"{path}:{at[1]}" if at else f"{path}:{len(text.splitlines())}"
        told = message[: at.start()].strip() if at else message
        raise ConfigError((Problem(where, "", f"not valid TOML: {told}"),)) from None


def _variables(environ: Mapping[str, str]) -> tuple[dict[tuple[str, ...], str], tuple[str, ...]]:
    """Which variable sets which place, and those of our prefix that match no section.

    A stranger is not an error: container platforms add SIPGW_PORT and the like for a service of
    that name.
    """
    known: dict[tuple[str, ...], str] = {}
    unknown: list[str] = []
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == FILE_VARIABLE:
            continue
        place = tuple(name[len(PREFIX) :].lower().split("__"))
        if place[0] in Settings.model_fields:
            known[place] = name
        else:
            unknown.append(name)
    return known, tuple(unknown)


def _undecodable(error: SettingsError) -> Problem:
    field = re.search(r'field "(\w+)"', str(error))
    name = field[1] if field else ""
    return Problem(PREFIX + name.upper(), name, f"is not valid JSON: {error.__cause__}")


def _explain(
    detail: ErrorDetails, path: Path | None, text: str, origin: Mapping[tuple[str, ...], str]
) -> Problem:
    place = detail["loc"]
    field = ".".join(str(part) for part in place)
    message = _message(detail, place)
    names = tuple(str(part) for part in place)
    for length in range(len(names), 0, -1):
        if variable := origin.get(names[:length]):
            return Problem(variable, field, message)
    line = line_of(text, place)
    where = str(path) if path else "settings"
    return Problem(f"{where}:{line}" if line else where, field, message)


def _message(detail: ErrorDetails, place: tuple[int | str, ...]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            section = _model(place[:-1])
            names = list(section.model_fields) if section else []
            close = difflib.get_close_matches(str(place[-1]), names, n=1)
            return "unknown key" + (f"; did you mean {close[0]!r}?" if close else "")
        case "missing":
            return "is missing"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            message = detail["msg"]
            told = message[0].lower() + message[1:]
            return f"{told}, not {detail['input']!r}"


def _model(place: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The section that `place` names, or None when it names a value."""
    model: type[BaseModel] = Settings
    for part in place:
        if isinstance(part, int):
            continue
        if part not in model.model_fields:
            return None
        annotation = model.model_fields[part].annotation
        sections = (
            each
            for each in (annotation, *get_args(annotation))
            if isinstance(each, type) and issubclass(each, BaseModel)
        )
        section = next(sections, None)
        if section is None:
            return None
        model = section
    return model


def _ordered(problems: list[Problem]) -> tuple[Problem, ...]:
    """By line, so that a file is mended from top to bottom; one entry a field."""

    def key(problem: Problem) -> tuple[str, int]:
        name, _, line = problem.where.rpartition(":")
        return (name, int(line)) if line.isdigit() else (problem.where, 0)

    unique = {(problem.where, problem.field): problem for problem in reversed(problems)}
    return tuple(sorted(unique.values(), key=key))
