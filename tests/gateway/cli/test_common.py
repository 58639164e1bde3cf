"""What the commands share."""

from pathlib import Path

import pytest
import typer

from gateway.cli.common import settings_or_exit


def test_good_settings_are_returned(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('realms = ["a.example"]\n')
    assert settings_or_exit(file).settings.realm == "a.example"


def test_bad_settings_end_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text("realms = []\nnothing = 1\n")
    with pytest.raises(typer.Exit) as caught:
        settings_or_exit(file)
    assert caught.value.exit_code == 1
    assert capsys.readouterr().out == ""
