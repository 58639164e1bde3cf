"""`sipgw try` as an operator types it, against the running gateway."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from tests.interop.conftest import House, StartHouse
from tests.support.gateway_process import ROOT
from tests.support.seed import PBX, carrier_at

pytestmark = pytest.mark.interop

NO_CARRIER = replace(carrier_at("127.0.0.1", 9), enabled=False)


def try_call(house: House, *words: str) -> tuple[int, dict[str, Any]]:
    """Exit status and the JSON it prints."""
    command = [sys.executable, "-m", "gateway", "try", "--json", "--seconds", "1", *words]
    if not any(":" in word for word in words):
        command += ["--config", str(house.gateway.settings_file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("transport", ["tls", "tcp", "udp"])
def test_a_healthy_gateway_passes(start_gateway: StartHouse, transport: str) -> None:
    """R87, R88, R121: register, echo, a number, the tone back, the CDR and its price; exit 0."""
    house = start_gateway(NO_CARRIER)
    status, told = try_call(house, "--transport", transport)
    assert (status, told["ok"]) == (0, True), told
    audio = [step["audio"] for step in told["steps"] if "audio" in step]
    assert len(audio) == 2
    suite = "AES_CM_128_HMAC_SHA1_80" if transport == "tls" else ""
    assert [each["srtp_suite"] for each in audio] == [suite, suite]
    assert all(each["level_db"] > -1 for each in audio)
    echo, number = [step for step in told["steps"] if "billed_s" in step]
    assert (echo["charge_micros"], number["charge_micros"]) == (0, 3000)
    assert (told["steps"][0]["tls"] is not None) is (transport == "tls")
    house.assert_nothing_held()


def test_a_broken_srtp_key_fails(start_gateway: StartHouse) -> None:
    """R88, R91: exit 1, because nothing that we send passes authentication."""
    house = start_gateway(NO_CARRIER)
    status, told = try_call(house, "--break-srtp")
    assert (status, told["ok"]) == (1, False)
    failed = [step for step in told["steps"] if not step["ok"]]
    assert len(failed) == 2
    assert all(step["audio"]["received"] == 0 for step in failed)


def test_a_wrong_password_fails(start_gateway: StartHouse) -> None:
    """R78: told as what it is, exit 1."""
    house = start_gateway(NO_CARRIER)
    status, told = try_call(house, "--user", PBX[0], "--password", "wrong")
    assert status == 1
    assert "wrong username or password" in told["steps"][0]["text"]


def test_a_strange_authority_is_not_trusted(start_gateway: StartHouse) -> None:
    """R88: the certificate is checked."""
    house = start_gateway(NO_CARRIER)
    status, told = try_call(house, "--ca", "/etc/ssl/certs/ca-certificates.crt")
    assert status == 1
    assert "CERTIFICATE_VERIFY_FAILED" in told["steps"][0]["text"]


def test_from_another_machine_the_cdr_is_not_seen(start_gateway: StartHouse) -> None:
    """With a host given, nothing of this machine's store is read."""
    house = start_gateway(NO_CARRIER)
    status, told = try_call(
        house, house.gateway.at("tls"), "--user", PBX[0], "--password", PBX[1],
        "--ca", str(house.gateway.ca_file), "--realm", "sipgw.local",
    )  # fmt: skip
    assert status == 0, told
    assert not any("billed_s" in step for step in told["steps"])
