"""Owns one bench run: SIPp offers registrations, calls or pings; the server is weighed.

UDP on loopback. Accounts are `u0`..`u9999` with passwords `pw0`..`pw9999`; calls end at a SIPp
carrier that rings, answers after 50 ms and waits for the BYE.
"""

import csv
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import cpu_s, memory

SCENARIO_FILES = {
    "register": "register.xml",
    "call": "call_auth.xml",
    "call-noauth": "call_noauth.xml",
    "options": "options.xml",
}
SCENARIOS = Path(__file__).parent / "scenarios"
DOMAIN = "bench.invalid"
DNIS_PREFIX = "493010"  # with SIPp's running number behind it, every called number is a valid one
TAIL_S = 6  # what SIPp may take beyond load and hold before it is stopped
SHARE_OF_FAILURES = 0.001
SHARE_OF_RETRANSMISSIONS = 0.01
SHARE_OF_RATE = 0.95


@dataclass(frozen=True, slots=True)
class Load:
    """What is offered: `rate` a second for `duration_s`, each call held `hold_ms`."""

    scenario: str
    rate: float
    duration_s: float = 12.0
    hold_ms: int = 1000
    users: int = 10000
    calling_accounts: int = 200
    warmup_s: float = 2.0

    @property
    def is_call(self) -> bool:
        return self.scenario.startswith("call")

    @property
    def hold_s(self) -> float:
        return self.hold_ms / 1000 if self.is_call else 0.0

    @property
    def count(self) -> int:
        return max(1, int(self.rate * self.duration_s))


@dataclass(frozen=True, slots=True)
class Target:
    """The server under load: where it listens, its root process, and the ports round it."""

    host: str
    port: int
    pid: int
    pbx_port: int = 15070
    carrier_port: int = 15090


@dataclass(frozen=True, slots=True)
class Result:
    """One measured window. CPU is the server's alone; SIPp's own is told beside it."""

    label: str
    scenario: str
    rate_asked: float
    rate_got: float
    calls: int
    ok: int
    failed: int  # refused, lost, or unfinished when time was up
    retransmissions: int
    udp_drops: int
    cpu_s_per_1000: float
    cores: float
    sipp_cores: float
    rss_mib: float
    pss_mib: float
    response_ms: float
    sustained: bool
    errors: str = ""


def measure(label: str, load: Load, target: Target) -> Result:
    """Warm up, offer the load once, weigh."""
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        _write_users(directory / "users.csv", load.calling_accounts if load.is_call else load.users)
        with _carrier(load, target, directory):
            if load.warmup_s:
                _warm_up(load, target, directory)
            return _window(label, load, target, directory)


def _window(label: str, load: Load, target: Target, directory: Path) -> Result:
    drops, before, started = _udp_drops(), cpu_s(target.pid), time.monotonic()
    process = _uac(load, target, directory, load.rate, load.count, load.duration_s)
    weighed = None
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.1)
        if weighed is None and time.monotonic() - started > load.duration_s * 0.9:
            weighed = memory(target.pid)  # once, near the end of the offered load
    sipp_cpu = _reap(process)
    wall_s = time.monotonic() - started
    used = cpu_s(target.pid) - before
    weighed = weighed or memory(target.pid)
    row = _last_row(directory / "uac.csv")
    good = int(row.get("SuccessfulCall(C)") or 0)
    retransmissions = int(row.get("Retransmissions(C)") or 0)
    # SIPp ends when the last call does, one hold after the last start.
    rate_got = good / max(wall_s - load.hold_s, 0.001)
    failed = load.count - good
    sustained = (
        failed < SHARE_OF_FAILURES * load.count
        and retransmissions <= SHARE_OF_RETRANSMISSIONS * load.count
        and rate_got >= SHARE_OF_RATE * load.rate
    )
    return Result(
        label=label,
        scenario=load.scenario,
        rate_asked=load.rate,
        rate_got=round(rate_got, 1),
        calls=load.count,
        ok=good,
        failed=failed,
        retransmissions=retransmissions,
        udp_drops=_udp_drops() - drops,
        cpu_s_per_1000=round(1000 * used / good, 3) if good else 0.0,
        cores=round(used / wall_s, 3),
        sipp_cores=round(sipp_cpu / wall_s, 3),
        rss_mib=weighed.rss_mib,
        pss_mib=weighed.pss_mib,
        response_ms=_milliseconds(row.get("ResponseTime1(C)", "")),
        sustained=sustained,
        errors="" if sustained else _head(directory / "uac_errors.log"),
    )


def _warm_up(load: Load, target: Target, directory: Path) -> None:
    rate = load.rate / 2
    process = _uac(load, target, directory, rate, max(1, int(load.warmup_s * rate)), load.warmup_s)
    _reap(process)
    time.sleep(0.3)  # the server finishes what it does behind the last answer
    (directory / "uac_errors.log").unlink(missing_ok=True)


def _uac(
    load: Load, target: Target, directory: Path, rate: float, count: int, duration_s: float
) -> "subprocess.Popen[bytes]":
    limit_s = duration_s + load.hold_s + TAIL_S
    open_calls = int(rate * (load.hold_s + 8)) + 50
    command = [
        "sipp", f"{target.host}:{target.port}",
        "-sf", str(SCENARIOS / SCENARIO_FILES[load.scenario]),
        "-i", target.host, "-p", str(target.pbx_port), "-t", "u1", "-nostdin",
        "-inf", "users.csv", "-key", "domain", DOMAIN, "-key", "dnis_prefix", DNIS_PREFIX,
        "-m", str(count), "-r", str(rate), "-d", str(int(load.hold_s * 1000)),
        "-l", str(open_calls), "-pause_msg_ign", "-max_retrans", "7",
        "-timeout", f"{limit_s}s", "-timeout_error",
        "-trace_stat", "-stf", "uac.csv", "-fd", "1",
        "-trace_err", "-error_file", "uac_errors.log",
        "-cp", str(target.pbx_port + 1000), "-buff_size", "2097152", "-timer_resol", "1",
    ]  # fmt: skip
    return _start(command, directory)


@contextmanager
def _carrier(load: Load, target: Target, directory: Path) -> Iterator[None]:
    if not load.is_call:
        yield
        return
    command = [
        "sipp", "-sf", str(SCENARIOS / "carrier_uas.xml"),
        "-i", target.host, "-p", str(target.carrier_port), "-t", "u1", "-nostdin",
        "-trace_err", "-error_file", "uas_errors.log",
        "-cp", str(target.carrier_port + 1000), "-buff_size", "2097152", "-timer_resol", "1",
        target.host,
    ]  # fmt: skip
    process = _start(command, directory)
    time.sleep(0.3)  # SIPp does not say when it listens
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _start(command: list[str], directory: Path) -> "subprocess.Popen[bytes]":
    nothing = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=directory, stdin=nothing, stdout=nothing, stderr=nothing)


def _reap(process: "subprocess.Popen[bytes]") -> float:
    """Wait, and give the child's CPU seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def _write_users(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.write("SEQUENTIAL\n")
        for i in range(count):
            file.write(f"u{i};pw{i};[authentication username=u{i} password=pw{i}]\n")


def _last_row(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    return rows[-1] if rows else {}


def _milliseconds(text: str) -> float:
    """SIPp's "00:00:00:123456"."""
    if not text:
        return 0.0
    hours, minutes, seconds, micros = (int(part) for part in text.split(":"))
    return (hours * 3600 + minutes * 60 + seconds) * 1000 + micros / 1000


def _udp_drops() -> int:
    """Datagrams the kernel of this machine dropped because a socket was full."""
    lines = [
        line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if "Udp:" in line
    ]
    names, values = lines[0], lines[1]
    return int(dict(zip(names, values, strict=True))["RcvbufErrors"])


def _head(path: Path) -> str:
    return path.read_text(errors="replace")[:300] if path.exists() else ""
