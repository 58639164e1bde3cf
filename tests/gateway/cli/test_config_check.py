"""`sipgw config check` as an operator sees it."""

from pathlib import Path

from typer.testing import CliRunner

from gateway.cli.main import app

NO_VARIABLES = {"SIPGW_CONFIG": ""}


def write(directory: Path, text: str) -> str:
    file = directory / "gateway.toml"
    file.write_text(text)
    return str(file)


def test_a_good_file_is_ok_and_its_listeners_are_shown(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """\
realms = ["sip.example.com"]
[[listeners]]
name = "inside"
transport = "udp"
bind = "192.0.2.1:5060"
[[listeners]]
name = "outside"
transport = "tls"
bind = "[::]:5061"
advertise = "sip.example.com"
optional = true
""",
    )
    result = CliRunner().invoke(app, ["config", "check", file], env=NO_VARIABLES)
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == f"OK: {file}"
    assert "inside udp 192.0.2.1:5060 (as bound) no start" in lines
    assert "outside tls [::]:5061 sip.example.com logged" in lines
    assert "realms sip.example.com" in lines


def test_a_bad_file_is_explained_on_standard_error(tmp_path: Path) -> None:
    file = write(tmp_path, "[media]\nport_mix = 1\n")
    result = CliRunner().invoke(app, ["config", "check", file], env=NO_VARIABLES)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{file}:2: media.port_mix: unknown key; did you mean 'port_min'?",
        "1 fault in the settings",
    ]


def test_the_file_may_come_from_the_environment(tmp_path: Path) -> None:
    file = write(tmp_path, 'realms = ["a.example"]\n')
    result = CliRunner().invoke(app, ["config", "check"], env={"SIPGW_CONFIG": file})
    assert result.stdout.startswith(f"OK: {file}\n")


def test_a_variable_that_sets_nothing_is_noted(tmp_path: Path) -> None:
    file = write(tmp_path, "")
    result = CliRunner().invoke(app, ["config", "check", file], env={"SIPGW_RELAMS": "x"})
    assert result.exit_code == 0
    assert result.stderr == "note: SIPGW_RELAMS sets nothing\n"
