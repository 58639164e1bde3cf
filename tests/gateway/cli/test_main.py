"""The command as a whole."""

import pytest
from typer.testing import CliRunner

from config.version import VERSION
from gateway.cli.main import app

GROUPS = {
    "calls": "list hangup",
    "profile": "list show new set",
    "password": "show",
    "credit": "show add allocate take-back",
    "number": "list add assign",
    "account": "list add attach detach",
    "carrier": "list add set remove",
    "deck": "load show",
    "cdr": "list show",
}


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["version"])
    assert result.stdout == f"sipgw {VERSION}\n"


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in (*GROUPS, "serve", "try", "config", "version", "status", "registrations"):
        assert f"\n  {command} " in result.stdout


@pytest.mark.parametrize(
    "command",
    [["serve"], ["config", "check"], ["version"], ["status"], ["registrations"]]
    + [[group, command] for group, commands in GROUPS.items() for command in commands.split()],
)
def test_every_command_has_examples(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert f"\n    sipgw {' '.join(command)}" in result.stdout


def test_an_unknown_command_is_a_misuse() -> None:
    assert CliRunner().invoke(app, ["sreve"]).exit_code == 2
