"""The command as a whole."""

import pytest
from typer.testing import CliRunner

from config.version import VERSION
from gateway.cli.main import app


def test_the_version_is_printed() -> None:
    result = CliRunner().invoke(app, ["version"])
    assert result.stdout == f"sipgw {VERSION}\n"


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in ("serve", "try", "config", "version"):
        assert f"\n  {command} " in result.stdout


@pytest.mark.parametrize("command", [["serve"], ["config", "check"], ["version"]])
def test_every_command_has_examples(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert f"\n    sipgw {' '.join(command)}" in result.stdout


def test_an_unknown_command_is_a_misuse() -> None:
    assert CliRunner().invoke(app, ["sreve"]).exit_code == 2
