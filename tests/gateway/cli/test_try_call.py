"""`sipgw try` where no gateway answers: what it says, and its exit status.

Its way through a running gateway is in tests/interop.
"""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from gateway.cli.try_call import app


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def status_of(*words: str) -> int:
    """As the door calls it: the return value is the exit status."""
    command = typer.main.get_command(app)
    result = command.main(args=list(words), prog_name="sipgw try", standalone_mode=False)
    assert isinstance(result, int)
    return result


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.toml"
    path.write_text(f'[paths]\nvar = "{tmp_path}"\n')
    return path


def test_without_a_gateway_the_cure_is_told(settings_file: Path) -> None:
    result = run("--config", str(settings_file))
    assert "start it with: make run" in result.output
    assert status_of("--config", str(settings_file)) == 1


def test_json_is_one_object(settings_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("--config", str(settings_file), "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert "make run" in told["steps"][0]["text"]


def test_a_stranger_needs_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("127.0.0.1:1") == 1
    assert "--user" in capsys.readouterr().out


def test_a_closed_port_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("127.0.0.1:1", "--transport", "tcp", "--user", "u", "--password", "p")
    assert status_of(*words) == 1
    out = capsys.readouterr().out
    assert out.startswith("FAIL  register u at 127.0.0.1:1 over tcp")
    assert "check that the gateway runs there" in out


def test_a_missing_authority_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("127.0.0.1:1", "--user", "u", "--password", "p", "--ca", "/nowhere.pem")
    assert status_of(*words) == 1
    assert "give --ca FILE" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [("--transport", "sctp"), ("--transport", "udp", "--break-srtp"), ("--seconds", "0")]
)
def test_misuse_is_a_usage_error(words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == 2


@pytest.mark.parametrize("place", ["host:port", "[::1]:x"])
def test_a_place_that_is_none_is_told(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(place, "--user", "u", "--password", "p") == 1
    assert "is not HOST or HOST:PORT" in capsys.readouterr().out
