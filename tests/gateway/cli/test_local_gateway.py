"""What the test call may know of a gateway on the same machine."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from config.settings import Paths, Settings
from gateway.cli.local_gateway import (
    Credentials,
    NotHere,
    RunningGateway,
    profile_credentials,
    running_gateway,
    wait_for_cdr,
)
from gateway.model.cdr import Cdr
from store.database import Database
from store.tables import cdrs
from tests.support.factories import AT
from tests.support.seed import PBX, carrier_at, seed


def write_run_file(var: Path, pid: int) -> None:
    listeners = [
        {"name": "tls6", "transport": "tls", "host": "::1", "port": 5071},
        {"name": "tls", "transport": "tls", "host": "0.0.0.0", "port": 5061},
    ]
    told = {"pid": pid, "realm": "sipgw.local", "listeners": listeners}
    (var / "run.json").write_text(json.dumps(told))


def settings(var: Path) -> Settings:
    return Settings(paths=Paths(var=var))


def test_a_running_gateway_is_found_with_its_ports(tmp_path: Path) -> None:
    write_run_file(tmp_path, os.getpid())
    running = running_gateway(tmp_path)
    assert running.realm == "sipgw.local"
    assert running.listener("tls") == ("127.0.0.1", 5061)


def test_a_missing_listener_is_told_with_those_there_are() -> None:
    running = RunningGateway(1, "sipgw.local", (("udp", "127.0.0.1", 5060),))
    with pytest.raises(NotHere, match="no tls listener; it has: udp"):
        running.listener("tls")


def test_without_run_file_the_cure_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotHere, match="make run"):
        running_gateway(tmp_path)


def test_a_dead_gateway_is_noticed(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    write_run_file(tmp_path, child.pid)
    with pytest.raises(NotHere, match=f"pid {child.pid}"):
        running_gateway(tmp_path)


def test_the_first_profile_that_may_call_is_borrowed(tmp_path: Path) -> None:
    """R17: credentials can be read again, through the vault."""
    seed(tmp_path, carrier_at("127.0.0.1", 9), ip_pbx=("127.0.0.1", 5070))
    assert profile_credentials(settings(tmp_path)) == Credentials(*PBX)


def test_an_empty_store_asks_for_credentials(tmp_path: Path) -> None:
    with pytest.raises(NotHere, match="--user"):
        profile_credentials(settings(tmp_path))
    Database(tmp_path / "sipgw.db").close()
    with pytest.raises(NotHere, match="--user"):
        profile_credentials(settings(tmp_path))


def test_a_cdr_is_found_by_our_call_id(tmp_path: Path) -> None:
    cdr = Cdr(
        call_id="c-1",
        profile_id=1,
        kind="echo",
        direction="outgoing",
        caller="anonymous",
        called="+17606604690",
        started_at=AT,
        answered_at=AT,
        ended_at=AT + timedelta(seconds=3),
        duration_s=3.0,
        billed_s=0,
        charge_micros=0,
        currency="USD",
        rate_prefix="",
        rate_per_min_micros=0,
        derivation="free",
        cause="caller-hung-up",
        sip_status=200,
        refusal="",
        target="echo",
        a_sip_call_id="our-call",
    )
    row = asdict(cdr)
    row["duration_us"] = int(row.pop("duration_s") * 1_000_000)
    database = Database(tmp_path / "sipgw.db")
    with database.editor() as connection:
        connection.execute(insert(cdrs).values(row))
    database.close()
    assert wait_for_cdr(settings(tmp_path), "our-call") == cdr
    assert wait_for_cdr(settings(tmp_path), "another", timeout_s=0.0) is None
