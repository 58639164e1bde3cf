"""Where settings come from, and what is said about a bad file."""

from pathlib import Path

import pytest

from config.load import ConfigError, find, load
from config.settings import Settings

EXAMPLE = Path(__file__).parents[2] / "config" / "gateway.toml"


def write(directory: Path, text: str) -> Path:
    file = directory / "gateway.toml"
    file.write_text(text, encoding="utf-8")
    return file


def told(file: Path | None, environ: dict[str, str] | None = None) -> list[str]:
    """What is said, with the file's folder left out."""
    with pytest.raises(ConfigError) as caught:
        load(file, environ or {})
    folder = f"{file.parent}/" if file else ""
    return [str(problem).replace(folder, "") for problem in caught.value.problems]


def test_the_example_is_the_defaults() -> None:
    assert load(EXAMPLE, {}).settings == Settings()


def test_the_example_names_every_setting() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        assert f"{name} =" in text or f"[{name}]" in text or f"[[{name}]]" in text, name
        fields = getattr(field.annotation, "model_fields", {})
        assert [key for key in fields if f"{key} = " not in text] == []


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, '[log]\nlevel = "error"\nformat = "json"\n')
    log = load(file, {"SIPGW_LOG__LEVEL": "debug"}).settings.log
    assert (log.level, log.format) == ("debug", "json")


def test_the_environment_sets_lists_and_tables_as_json() -> None:
    environ = {
        "SIPGW_REALMS": '["a.example", "b.example"]',
        "SIPGW_LISTENERS": '[{"name": "x", "transport": "tcp", "bind": "[::1]:0"}]',
        "SIPGW_HTTP__BIND": "[::1]:0",
    }
    settings = load(None, environ).settings
    assert settings.realms == ("a.example", "b.example")
    assert [each.name for each in settings.listeners] == ["x"]
    assert settings.http.address == ("::1", 0)


def test_the_file_is_the_named_one_then_the_variables_then_the_local_one(tmp_path: Path) -> None:
    named = tmp_path / "a.toml"
    assert find(named, {"SIPGW_CONFIG": "b.toml"}) == named
    assert find(None, {"SIPGW_CONFIG": "b.toml"}) == Path("b.toml")
    assert find(None, {}) in (None, Path("gateway.toml"))


def test_variables_that_a_platform_adds_are_told_but_harmless() -> None:
    loaded = load(None, {"SIPGW_PORT": "tcp://10.0.0.1:5060", "HOME": "/root"})
    assert loaded.unknown_variables == ("SIPGW_PORT",)


def test_every_fault_is_told_with_line_and_field(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """\
realm = ["sip.example.com"]
[media]
port_mix = 3
port_max = 99999
[[listeners]]
name = "udp"
transport = "udp"
bind = "0.0.0.0"
[timer]
t1_s = 5
[certs]
cert = "x"
[[listeners]]
name = "tls"
bind = "0.0.0.0:5061"
""",
    )
    assert told(file) == [
        "gateway.toml:1: realm: unknown key; did you mean 'realms'?",
        "gateway.toml:3: media.port_mix: unknown key; did you mean 'port_min'?",
        "gateway.toml:4: media.port_max: input should be less than or equal to 65535, not 99999",
        "gateway.toml:8: listeners.0.bind: '0.0.0.0' has no port; "
        "write it as host:port, e.g. 0.0.0.0:5060",
        "gateway.toml:9: timer: unknown key; did you mean 'timers'?",
        "gateway.toml:11: certs: cert and key belong together: give both or neither",
        "gateway.toml:13: listeners.1.transport: is missing",
    ]


def test_a_key_like_no_other_gets_no_advice(tmp_path: Path) -> None:
    file = write(tmp_path, "[http]\nxyzzy = 1\n")
    assert told(file) == ["gateway.toml:2: http.xyzzy: unknown key"]


def test_a_table_that_should_be_a_value_is_told(tmp_path: Path) -> None:
    file = write(tmp_path, "[realms]\na = 1\n")
    assert told(file) == ["gateway.toml:1: realms: input should be a valid tuple, not {'a': 1}"]


def test_a_fault_in_the_environment_names_the_variable() -> None:
    environ = {"SIPGW_LOG__LEVEL": "loud", "SIPGW_HTTP__BINT": "x"}
    assert told(None, environ) == [
        "SIPGW_HTTP__BINT: http.bint: unknown key; did you mean 'bind'?",
        "SIPGW_LOG__LEVEL: log.level: "
        "input should be 'debug', 'info', 'warning' or 'error', not 'loud'",
    ]


def test_bad_json_in_the_environment_names_the_variable() -> None:
    (line,) = told(None, {"SIPGW_REALMS": "["})
    assert line.startswith("SIPGW_REALMS: realms: is not valid JSON: ")


def test_broken_toml_is_told_with_its_line(tmp_path: Path) -> None:
    file = write(tmp_path, "a = 1\nb = = 2\n")
    assert told(file) == ["gateway.toml:2: not valid TOML: Invalid value"]


def test_an_unfinished_file_is_told_with_its_last_line(tmp_path: Path) -> None:
    (line,) = told(write(tmp_path, 'a = 1\nb = """\n'))
    assert line.startswith("gateway.toml:2: not valid TOML: ")


def test_a_file_that_is_missing_or_no_text_is_told(tmp_path: Path) -> None:
    assert told(tmp_path / "no.toml") == ["no.toml: cannot be read: No such file or directory"]
    file = tmp_path / "gateway.toml"
    file.write_bytes(b"\xff\xfe")
    (line,) = told(file)
    assert line.startswith("gateway.toml: is not UTF-8 text")
