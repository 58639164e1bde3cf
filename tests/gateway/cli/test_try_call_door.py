"""The door to `sipgw try` leaves every word to the command behind it."""

import subprocess
import sys

from typer.testing import CliRunner

from gateway.cli.main import app


def test_help_is_the_commands_own() -> None:
    result = CliRunner().invoke(app, ["try", "--help"])
    assert result.exit_code == 0
    assert "sipgw try --transport udp" in result.stdout


def test_an_unknown_option_is_a_misuse() -> None:
    result = CliRunner().invoke(app, ["try", "--no-such-option"])
    assert result.exit_code == 2
    assert "--no-such-option" in result.stderr


def test_the_call_agent_is_not_loaded_by_other_commands() -> None:
    code = "import sys, gateway.cli.main; print('gateway.cli.try_call' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr
