"""Defaults and bounds of the settings."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from config.settings import Settings, default_listeners
from config.version import VERSION


def make(**values: object) -> Settings:
    return Settings.model_validate(values)


def listener(**values: object) -> dict[str, object]:
    return {"name": "x", "transport": "udp", "bind": "127.0.0.1:0", **values}


def test_the_defaults_listen_on_the_ports_of_sip_on_both_families() -> None:
    assert [(each.transport, each.bind, each.optional) for each in Settings().listeners] == [
        ("udp", "0.0.0.0:5060", False),
        ("tcp", "0.0.0.0:5060", False),
        ("tls", "0.0.0.0:5061", False),
        ("udp", "[::]:5060", True),
        ("tcp", "[::]:5060", True),
        ("tls", "[::]:5061", True),
    ]
    assert [each.family for each in default_listeners()] == [4, 4, 4, 6, 6, 6]


def test_the_defaults_follow_the_rules_of_registration_and_calls() -> None:
    """R47, R81, R121: 12 hours, 30/45/3600 seconds, the echo number."""
    settings = Settings()
    assert settings.calls.max_duration_s == 12 * 3600
    registrar = settings.registrar
    assert registrar.min_expires_s == 30
    assert registrar.nat_expires_s == 45
    assert registrar.default_expires_s == 3600
    assert settings.echo_numbers == ("+17606604690",)
    assert not settings.allow_private_peers
    assert settings.user_agent == f"sipgw-{VERSION}"


def test_settings_are_frozen() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.realms = ("other.example",)  # type: ignore[misc]
    with pytest.raises(ValidationError):
        settings.media.port_min = 20000  # type: ignore[misc]


def test_files_lie_under_var_unless_they_are_named() -> None:
    moved = make(paths={"var": "/srv/gw"})
    assert moved.store_path == Path("/srv/gw/sipgw.db")
    assert moved.secret_key_path == Path("/srv/gw/secret.key")
    assert moved.cert_path == Path("/srv/gw/certs/server.pem")
    assert moved.key_path == Path("/srv/gw/certs/server.key")
    named = make(
        store={"path": "/db/x.db"}, certs={"dir": "/c", "cert": "/tls/a.pem", "key": "/tls/a.key"}
    )
    assert named.store_path == Path("/db/x.db")
    assert named.certs_dir == Path("/c")
    assert named.cert_path == Path("/tls/a.pem")
    assert named.key_path == Path("/tls/a.key")


def test_addresses_are_given_split() -> None:
    settings = make(
        listeners=[listener(bind="[::1]:0", advertise="sip.example.com:5070")],
        http={"bind": "127.0.0.1:0"},
        simulator={"bind": "127.0.0.2:5080"},
    )
    assert settings.listeners[0].address == ("::1", 0)
    assert settings.listeners[0].advertised == ("sip.example.com", 5070)
    assert settings.http.address == ("127.0.0.1", 0)
    assert settings.simulator.address == ("127.0.0.2", 5080)


def test_realms_are_lower_case_and_the_first_is_ours() -> None:
    settings = make(realms=["SIP.Example.COM", "192.0.2.1"])
    assert settings.realms == ("sip.example.com", "192.0.2.1")
    assert settings.realm == "sip.example.com"


@pytest.mark.parametrize(
    "values",
    [
        {"realm": "x"},
        {"realms": []},
        {"realms": ["a b"]},
        {"user_agent": "two\r\nlines"},
        {"echo_numbers": ["17606604690"]},
        {"listeners": []},
        {"listeners": [listener(transport="sctp")]},
        {"listeners": [listener(name="Ünknown")]},
        {"listeners": [listener(bind="localhost:5060")]},
        {"listeners": [listener(advertise="a b")]},
        {"listeners": [listener(), listener()]},
        {"listeners": [listener(bind="[::]:5060"), listener(name="y", bind="[::]:5060")]},
        {"media": {"bind": ""}},
        {"media": {"bind": "::"}},
        {"media": {"bind6": "0.0.0.0"}},
        {"media": {"advertise": "media.example.com"}},
        {"media": {"port_min": 80}},
        {"media": {"port_min": 20000, "port_max": 20002}},
        {"certs": {"cert": "only.pem"}},
        {"log": {"level": "loud"}},
        {"registrar": {"min_expires_s": 60}},
        {"registrar": {"min_expires_s": 0}},
        {"limits": {"write_buffer_octets": 1}},
        {"timers": {"t1_s": 5, "t2_s": 4}},
    ],
)
def test_what_cannot_work_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make(**values)


def test_tls_and_tcp_share_their_ports_but_udp_does_not() -> None:
    udp, tcp, tls = (
        listener(name=transport, transport=transport, bind="127.0.0.1:5060")
        for transport in ("udp", "tcp", "tls")
    )
    assert len(make(listeners=[udp, tcp]).listeners) == 2
    with pytest.raises(ValidationError, match="'tls' and 'tcp' both bind"):
        make(listeners=[tcp, tls])


def test_any_number_of_listeners_may_leave_the_port_to_the_system() -> None:
    assert len(make(listeners=[listener(), listener(name="y")]).listeners) == 2
