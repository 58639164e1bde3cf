"""Owns running Debian's sipp (3.6.1, UDP and TCP) with a scenario, bounded in calls and time."""

import csv
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

SCENARIOS = Path(__file__).resolve().parents[1] / "interop" / "scenarios"
AVAILABLE = shutil.which("sipp") is not None


def free_port(host: str = "127.0.0.1") -> int:
    """A UDP port that was free a moment ago: sipp cannot report one the kernel chose."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class SippResult:
    """What one run did. `errors` is the head of sipp's own error log."""

    exit_code: int
    calls: int
    successful: int
    failed: int
    retransmissions: int
    errors: str

    @property
    def ok(self) -> bool:
        return self.exit_code == 0 and self.failed == 0 and self.calls == self.successful

    def __str__(self) -> str:
        return (
            f"sipp exit {self.exit_code}: {self.successful}/{self.calls} calls, "
            f"{self.failed} failed, {self.retransmissions} retransmissions\n{self.errors}"
        )


class Sipp:
    """One sipp process. Give `target` for a UAC; without one it serves as UAS."""

    def __init__(
        self,
        scenario: str,
        directory: Path,
        *,
        target: str = "",
        calls: int = 1,
        rate: float = 10,
        timeout_s: int = 20,
        hold_ms: int = 0,
        host: str = "127.0.0.1",
        port: int = 0,
        keys: Mapping[str, str] | None = None,
        credentials: tuple[str, str] | None = None,
        users: Sequence[tuple[str, str]] = (),
        called: str = "",
        transport: str = "udp",
    ) -> None:
        self.port = port or free_port(host)
        self.host = host
        self._calls = calls
        self._timeout_s = timeout_s
        self._directory = directory / f"sipp-{scenario}-{self.port}"
        self._directory.mkdir(parents=True)
        command = [
            "sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"),
            "-i", host, "-p", str(self.port), "-t", f"{transport[0]}1", "-nostdin",
            "-m", str(calls), "-timeout", f"{timeout_s}s", "-timeout_error",
            "-trace_stat", "-stf", "stat.csv", "-fd", "1",
            "-trace_err", "-error_file", "errors.log",
            "-trace_msg", "-message_file", "messages.log",
            "-cp", str(free_port()),
        ]  # fmt: skip
        if called:
            command += ["-s", called]
        if target:
            command += ["-r", str(rate), "-d", str(hold_ms), "-max_retrans", "5"]
        if credentials:
            command += ["-au", credentials[0], "-ap", credentials[1]]
        if users:
            command += ["-inf", str(self._write_users(users))]
        for name, value in (keys or {}).items():
            command += ["-key", name, value]
        command.append(target or host)
        self._process = subprocess.Popen(
            command,
            cwd=self._directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"TERM": "dumb"},
        )

    def _write_users(self, users: Sequence[tuple[str, str]]) -> Path:
        path = self._directory / "users.csv"
        lines = [f"{name};[authentication username={name} password={word}]" for name, word in users]
        path.write_text("SEQUENTIAL\n" + "\n".join(lines) + "\n")
        return path

    @property
    def messages(self) -> str:
        """sipp's own log of every message sent and received."""
        path = self._directory / "messages.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait(self) -> SippResult:
        """Wait for the end (it bounds itself) and read its statistics."""
        try:
            self._process.wait(self._timeout_s + 10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        return self._result()

    def stop(self) -> None:
        """End a serving sipp whose calls are not counted."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _result(self) -> SippResult:
        row: dict[str, str] = {}
        statistics = self._directory / "stat.csv"
        if statistics.exists():
            with statistics.open(newline="") as file:
                rows = list(csv.DictReader(file, delimiter=";"))
            row = rows[-1] if rows else {}
        log = self._directory / "errors.log"
        return SippResult(
            exit_code=self._process.returncode,
            calls=int(row.get("TotalCallCreated") or 0),
            successful=int(row.get("SuccessfulCall(C)") or 0),
            failed=int(row.get("FailedCall(C)") or 0),
            retransmissions=int(row.get("Retransmissions(C)") or 0),
            errors=log.read_text(errors="replace")[:2000] if log.exists() else "",
        )

    def __enter__(self) -> "Sipp":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
