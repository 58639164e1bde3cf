"""`sipgw serve` before the gateway takes over."""

from pathlib import Path

from typer.testing import CliRunner

from gateway.cli.main import app


def test_bad_settings_stop_the_start(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[http]\nbind = "nowhere"\n')
    result = CliRunner().invoke(app, ["serve", "--config", str(file)])
    assert result.exit_code == 1
    assert f"{file}:2: http.bind: 'nowhere' has no port" in result.stderr


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["serve", "-c", str(tmp_path / "no.toml")])
    assert result.exit_code == 1
    assert "cannot be read: No such file" in result.stderr
