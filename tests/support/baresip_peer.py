"""Owns `BaresipPeer`: Debian's baresip 1.0.0 as the tests' PBX, with a configuration of its own.

Commands go to its `ctrl_tcp` module as netstrings of JSON; what it did is told by that module's
events, by its SIP trace, and by what its `sndfile` module recorded. It needs no audio device.
"""

import json
import re
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.tone import RATE_HZ, Heard, heard, write_tone

MODULES = Path("/usr/lib/baresip/modules")  # Debian's; its own default is the current folder
AVAILABLE = bool(shutil.which("baresip") and shutil.which("stdbuf")) and MODULES.is_dir()
POLL_S = 0.05
START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0
TONE_S = 60.0
SIP_HOST = "127.0.0.1"
CONTROL_HOST = "127.0.0.2"  # its listener is told from the SIP ones by this address
WAV_HEADER_OCTETS = 44
SAMPLE = struct.Struct("<h")
LISTENING = "0A"  # /proc/net/tcp

CONFIG = """\
poll_method          epoll
module_path          {modules}
net_interface        {sip_host}
sip_listen           {sip_host}:0
{ca}audio_source         aufile,{tone}
audio_player         aubridge,sink
audio_alert          aubridge,alert
ringback_disabled    yes
statmode_default     off
snd_path             {folder}
ctrl_tcp_listen      {control_host}:0

module               g711.so
module               sndfile.so
module               aufile.so
module               aubridge.so
module               srtp.so
module_tmp           account.so
module_app           menu.so
module_app           ctrl_tcp.so
"""


@dataclass(frozen=True, slots=True)
class Trunk:
    """One SIP trunk as baresip is told of it. `numbers` are the Online Numbers it answers."""

    directory: Path
    server: str  # host:port of the gateway
    username: str
    password: str
    transport: str = "udp"
    realm: str = "sipgw.local"
    srtp: bool = False
    ca_file: Path | None = None
    numbers: tuple[str, ...] = ()
    expires_s: int = 600
    tone_hz: int = 440

    def config(self) -> str:
        return CONFIG.format(
            modules=MODULES,
            sip_host=SIP_HOST,
            control_host=CONTROL_HOST,
            ca=f"sip_cafile           {self.ca_file}\n" if self.ca_file else "",
            tone=self.directory / "tone.wav",
            folder=self.directory,
        )

    def accounts(self) -> str:
        """The trunk, and an account without registration for each number it is called at."""
        common = f'outbound="sip:{self.server};transport={self.transport}";answermode=auto'
        if self.srtp:
            common += ";mediaenc=srtp-mand"
        trunk = (
            f"<sip:{self.username}@{self.realm};transport={self.transport}>"
            f";auth_user={self.username};auth_pass={self.password}"
            f";regint={self.expires_s};{common}"
        )
        numbers = (
            f"<sip:{number.removeprefix('+')}@{self.realm};transport={self.transport}>"
            f";regint=0;{common}"
            for number in self.numbers
        )
        return "\n".join([trunk, *numbers, ""])


class BaresipFailed(AssertionError):
    """baresip did not do, or did not see, what the test waited for."""


class BaresipPeer:
    """One baresip process, started at once; `stop` ends it and closes what it left."""

    def __init__(self, trunk: Trunk) -> None:
        self.trunk = trunk
        self.events: list[dict[str, Any]] = []
        self._folder = trunk.directory
        self._replies: dict[str, dict[str, Any]] = {}
        self._taken = 0
        self._count = 0
        self._buffer = b""
        self._control: socket.socket | None = None
        write_tone(self._folder / "tone.wav", trunk.tone_hz, TONE_S)
        (self._folder / "config").write_text(trunk.config())
        (self._folder / "accounts").write_text(trunk.accounts())
        (self._folder / "contacts").write_text("")
        with (self._folder / "log.txt").open("wb") as log:
            self._process = subprocess.Popen(
                ["stdbuf", "-oL", "baresip", "-4", "-s", "-f", str(self._folder)],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._control = socket.create_connection((CONTROL_HOST, self._control_port()))
        except BaseException:
            self.stop()
            raise

    def _control_port(self) -> int:
        """The port the kernel chose for `ctrl_tcp`: baresip itself does not tell."""
        found = self._until(lambda: _listening(self._process.pid, CONTROL_HOST), START_TIMEOUT_S)
        if not found:
            raise BaresipFailed(f"baresip did not start:\n{self.log()[-2000:]}")
        return int(found)

    def _until(self, ask: Callable[[], Any], timeout_s: float) -> Any:
        """Poll until the answer is true, the time is over or the process has ended."""
        deadline = time.monotonic() + timeout_s
        while not (found := ask()):
            if time.monotonic() > deadline or self._process.poll() is not None:
                return None
            time.sleep(POLL_S)
        return found

    def log(self) -> str:
        """Everything it printed, its SIP trace included."""
        return (self._folder / "log.txt").read_text(errors="replace").replace("\r\n", "\n")

    def wait_logged(self, pattern: str, timeout_s: float = 10.0) -> re.Match[str]:
        found: re.Match[str] | None = self._until(
            lambda: re.search(pattern, self.log(), re.MULTILINE), timeout_s
        )
        if found is None:
            raise BaresipFailed(f"not logged: {pattern}\n{self.log()[-3000:]}")
        return found

    def wait_registered(self) -> None:
        self.wait_logged(r"200 OK \(.*\) \[1 binding\]")

    def _receive(self, deadline: float) -> bool:
        """Take one netstring from the control connection; False when none came in time."""
        assert self._control is not None
        while (frame := re.match(rb"(\d+):", self._buffer)) is None or len(
            self._buffer
        ) <= frame.end() + int(frame[1]):
            self._control.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self._control.recv(65536)
            except TimeoutError:
                return False
            if not data:
                raise BaresipFailed(f"baresip ended:\n{self.log()[-2000:]}")
            self._buffer += data
        end = frame.end() + int(frame[1])
        told = json.loads(self._buffer[frame.end() : end])
        self._buffer = self._buffer[end + 1 :]
        if told.get("event"):
            self.events.append(told)
        else:
            self._replies[str(told.get("token", ""))] = told
        return True

    def command(self, command: str, params: str = "") -> str:
        """Run a command of baresip's menu; what it printed."""
        self._count += 1
        token = str(self._count)
        text = json.dumps({"command": command, "params": params, "token": token})
        assert self._control is not None
        self._control.sendall(f"{len(text)}:{text},".encode())
        deadline = time.monotonic() + 10
        while token not in self._replies:
            if not self._receive(deadline):
                raise BaresipFailed(f"{command}: no reply from baresip")
        reply = self._replies.pop(token)
        if not reply.get("ok"):
            raise BaresipFailed(f"{command} {params}: {reply}")
        return str(reply.get("data", ""))

    def wait(self, kind: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """The next event of this type; an ended call fails the wait for another event."""
        deadline = time.monotonic() + timeout_s
        while True:
            while self._taken < len(self.events):
                event = self.events[self._taken]
                self._taken += 1
                if event["type"] == kind:
                    return event
                if event["type"] == "CALL_CLOSED":
                    raise BaresipFailed(f"the call ended: {event.get('param')}, no {kind}")
            if not self._receive(deadline):
                seen = "; ".join(str(event["type"]) for event in self.events[-12:])
                raise BaresipFailed(f"no {kind} within {timeout_s} s; seen: {seen or 'nothing'}")

    def call(self, number: str) -> None:
        """Dial, and wait until it is answered."""
        self.command("dial", f"sip:{number}@{self.trunk.realm}")
        self.wait("CALL_ESTABLISHED")

    def hang_up(self) -> None:
        self.command("hangup")
        self.wait_ended()

    def wait_ended(self) -> dict[str, Any]:
        return self.wait("CALL_CLOSED")

    def hold(self) -> None:
        self.command("hold")

    def resume(self) -> None:
        self.command("resume")

    def dtmf(self, digits: str) -> None:
        """Press and release one key after another."""
        for digit in digits:
            self.command("sndcode", digit)

    def reflect(self) -> None:
        """Send back what is heard instead of the tone, through the bridge of source and player."""
        self.command("ausrc", "aubridge,sink")

    def listen(self, seconds: float = 1.5) -> Heard:
        """What it decodes from now on, by its own recording; a re-INVITE ends the recording."""
        start = len(self._recorded())
        octets = int(seconds * RATE_HZ) * 2
        self._until(lambda: len(self._recorded()) >= start + octets, seconds + 10)
        return heard([each[0] for each in SAMPLE.iter_unpack(self._recorded()[start:])])

    def _recorded(self) -> bytes:
        """The samples so far of the newest recording, which grows while the call lasts."""
        files = sorted(self._folder.glob("dump-*-dec.wav"))
        if not files:
            return b""
        data = files[-1].read_bytes()[WAV_HEADER_OCTETS:]
        return data[: len(data) // 2 * 2]

    def stop(self) -> None:
        """SIGTERM, upon which it un-registers; one that does not go by itself is killed."""
        if self._control is not None:
            self._control.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> "BaresipPeer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _listening(pid: int, host: str) -> int:
    """The TCP port a process listens on at an IPv4 address; 0 when there is none (yet)."""
    wanted = socket.inet_aton(host)[::-1].hex().upper()
    inodes = {
        target.split("[")[1].rstrip("]")
        for each in Path(f"/proc/{pid}/fd").iterdir()
        if (target := _target(each)).startswith("socket:")
    }
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        address, port = words[1].split(":")
        if address == wanted and words[3] == LISTENING and words[9] in inodes:
            return int(port, 16)
    return 0


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""  # closed meanwhile
