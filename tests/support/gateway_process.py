"""Owns `GatewayProcess`: the real `sipgw serve` as a child, on loopback, in a folder of its own.

What is in the store before it starts is the test's business (`tests/support/seed.py`).
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
REALM = "sipgw.local"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
POLL_S = 0.05
MEDIA_PORTS_FIRST = 16384
MEDIA_PORTS_EACH = 400
EPHEMERAL_FIRST = 32768  # from here on the kernel hands ports to other sockets


class GatewayFailed(AssertionError):
    """The gateway did not start, stop or answer; carries the end of its log."""


def media_ports() -> tuple[int, int]:
    """A range that other test processes of this machine hardly share."""
    slots = (EPHEMERAL_FIRST - MEDIA_PORTS_FIRST) // MEDIA_PORTS_EACH
    first = MEDIA_PORTS_FIRST + (os.getpid() % slots) * MEDIA_PORTS_EACH
    return first, first + MEDIA_PORTS_EACH - 1


@dataclass(slots=True)
class GatewayProcess:
    """A folder with settings and store; `start` runs the gateway in it, as often as wanted."""

    directory: Path
    extra: Mapping[str, str] = field(default_factory=dict)  # top-level settings, TOML values
    tables: str = ""  # more TOML tables, e.g. "[calls]\nring_timeout_s = 2"
    realm: str = REALM
    log_level: str = "debug"
    media: tuple[int, int] = field(default_factory=media_ports)
    ports: dict[str, int] = field(default_factory=dict)  # by listener name
    http: str = ""
    process: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        self.var.mkdir(parents=True, exist_ok=True)
        self.settings_file.write_text(self._settings())

    def _settings(self) -> str:
        """gateway.toml: every listener on loopback with a port of the kernel's choice."""
        listeners = "".join(
            f'[[listeners]]\nname = "{name}"\ntransport = "{name[:3]}"\nbind = "{bind}"\n\n'
            for bind in ("127.0.0.1:0", "[::1]:0")
            for name in (f"{each}{'6' * ('[' in bind)}" for each in ("udp", "tcp", "tls"))
        )
        top = "".join(f"{name} = {value}\n" for name, value in self.extra.items())
        first, last = self.media
        return (
            f'realms = ["{self.realm}"]\nallow_private_peers = true\n{top}\n'
            f'[paths]\nvar = "{self.var}"\n\n[http]\nbind = "127.0.0.1:0"\n\n'
            f'[log]\npath = "{self.var}/gateway.log"\nlevel = "{self.log_level}"\n\n'
            f'[media]\nbind = "127.0.0.1"\nbind6 = "::1"\n'
            f"port_min = {first}\nport_max = {last}\n\n"
            f"{self.tables}\n{listeners}"
        )

    @property
    def var(self) -> Path:
        return self.directory / "var"

    @property
    def settings_file(self) -> Path:
        return self.directory / "gateway.toml"

    @property
    def store_path(self) -> Path:
        return self.var / "sipgw.db"

    @property
    def ca_file(self) -> Path:
        return self.var / "certs" / "ca.pem"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Run `sipgw serve` and wait until it says where it listens."""
        self.launch()
        self.wait_until_up()

    def launch(self) -> None:
        """Run `sipgw serve`; what becomes of it is the test's to see."""
        (self.var / "run.json").unlink(missing_ok=True)
        environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        with (self.var / "stderr.txt").open("ab") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "serve", "--config", str(self.settings_file)],
                cwd=ROOT,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
            )

    def wait_until_up(self) -> None:
        assert self.process is not None
        run_file = self.var / "run.json"
        deadline = time.monotonic() + START_TIMEOUT_S
        while not run_file.exists():
            if self.process.poll() is not None:
                raise GatewayFailed(self._told(f"ended with {self.process.returncode} at start"))
            if time.monotonic() > deadline:
                self.kill()
                raise GatewayFailed(self._told(f"not up after {START_TIMEOUT_S} s"))
            time.sleep(POLL_S)
        told = json.loads(run_file.read_text())
        self.ports = {each["name"]: each["port"] for each in told["listeners"]}
        self.http = told["http"]

    def address(self, listener: str = "udp") -> tuple[str, int]:
        return ("::1" if listener.endswith("6") else "127.0.0.1"), self.ports[listener]

    def at(self, listener: str = "udp") -> str:
        """host:port as it stands in a URI."""
        host, port = self.address(listener)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    def metrics(self) -> dict[str, float]:
        """Every sample by its name with labels, as /metrics prints it."""
        with urllib.request.urlopen(f"http://{self.http}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def log(self) -> str:
        """Everything the gateway has logged."""
        path = self.var / "gateway.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> int:
        """SIGTERM, wait for the drain; the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.kill()
                told = self._told(f"is still there {STOP_TIMEOUT_S} s after SIGTERM")
                raise GatewayFailed(told) from None
        return self.process.returncode

    def kill(self) -> None:
        """kill -9, as a crash."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def _told(self, what: str) -> str:
        stderr = self.var / "stderr.txt"
        spoken = stderr.read_text(errors="replace") if stderr.exists() else ""
        return f"the gateway {what}\n--- output\n{spoken[-3000:]}\n--- log\n{self.log()[-5000:]}"

    def __enter__(self) -> "GatewayProcess":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            if error is not None:
                error.add_note(self._told("was asked while this failed"))
