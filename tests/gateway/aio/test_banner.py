"""What a person and a program are told at start."""

import json
from pathlib import Path

from gateway.aio.banner import Listening, Running, banner, write_run_file

RUNNING = Running(
    version="1.0.0",
    realm="sipgw.test",
    listeners=(Listening("udp", "udp", "0.0.0.0", 5060), Listening("tls6", "tls", "::", 5061)),
    rtp_ports=(16384, 32767),
    http=("127.0.0.1", 8080),
    echo_number="+17606604690",
    carriers=("simulator",),
)


def test_the_banner_says_where_who_and_what_next() -> None:
    text = banner(RUNNING, ("Sales.Architects", "99051000100001", "secret-word"))
    for told in ("0.0.0.0:5060", "[::]:5061", "99051000100001", "secret-word", "+17606604690"):
        assert told in text
    assert "sipgw try" in text


def test_without_a_demonstration_no_credentials_are_shown() -> None:
    assert "Password" not in banner(RUNNING, None)


def test_the_run_file_names_the_real_ports(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    write_run_file(path, RUNNING)
    told = json.loads(path.read_text())
    assert [(x["transport"], x["port"]) for x in told["listeners"]] == [
        ("udp", 5060),
        ("tls", 5061),
    ]
    assert (told["realm"], told["http"]) == ("sipgw.test", "127.0.0.1:8080")
    assert list(tmp_path.iterdir()) == [path]
