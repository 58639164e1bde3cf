"""Owns `PjsuaPeer`: a real softphone (pjsua2) in its own process, as the tests' PBX or carrier."""

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.support.tone import Heard

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ("call", "state", "status", "reason")
CONFIRMED = "CONFIRMED"
DISCONNECTED = "DISCONNECTED"


@dataclass(frozen=True, slots=True)
class AnswerPolicy:
    """What the peer does by itself when it is called. `status` 0 lets it ring."""

    status: int = 200
    ring_status: int = 180
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PeerOptions:
    directory: str
    tone_hz: int = 440
    transport: str = "udp"
    srtp: str = "off"  # "off" | "optional" | "mandatory"
    ca_file: str = ""
    user: str = "peer"
    codecs: tuple[str, ...] = ("PCMU/8000", "PCMA/8000")
    user_agent: str = "test-pbx"
    session_timer: str = "off"
    answer: AnswerPolicy = field(default_factory=AnswerPolicy)
    log_level: int = 0


class PeerFailed(AssertionError):
    """The softphone did not do, or did not see, what the test waited for."""


class PjsuaPeer:
    """Commands go down as JSON lines, events come up as JSON lines and are kept in order."""

    def __init__(self, options: PeerOptions) -> None:
        self.options = options
        self.events: list[dict[str, Any]] = []
        self._incoming: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.pjsua_agent", json.dumps(asdict(options))],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        ready = self.wait("ready", timeout_s=15)
        self.host: str = ready["host"]
        self.port: int = ready["port"]

    @property
    def address(self) -> str:
        """host:port as it stands in a URI."""
        return f"{self.host}:{self.port}"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):
                self._incoming.put(json.loads(line))
        self._incoming.put(None)

    def _next(self, deadline: float) -> dict[str, Any] | None:
        try:
            event = self._incoming.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None
        if event is None:
            assert self._process.stderr is not None
            raise PeerFailed(f"the softphone process ended: {self._process.stderr.read()[-2000:]}")
        self.events.append(event)
        return event

    def wait(
        self,
        name: str,
        timeout_s: float = 10.0,
        matching: Callable[[dict[str, Any]], bool] = lambda event: True,
    ) -> dict[str, Any]:
        """The first not yet taken event of this name that matches."""
        deadline = time.monotonic() + timeout_s
        for event in self.events:
            if event.get("event") == name and not event.get("taken") and matching(event):
                event["taken"] = True
                return event
        while (event_or_none := self._next(deadline)) is not None:
            if event_or_none.get("event") == name and matching(event_or_none):
                event_or_none["taken"] = True
                return event_or_none
        raise PeerFailed(
            f"no {name!r} within {timeout_s} s; seen: "
            + "; ".join(_brief(event) for event in self.events[-12:])
        )

    def forget(self, name: str) -> None:
        """What was told before the reply to a command is no consequence of it."""
        for event in self.events:
            if event.get("event") == name:
                event["taken"] = True

    def _ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        self._count += 1
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": self._count, "do": verb, **arguments}) + "\n")
        self._process.stdin.flush()
        deadline = time.monotonic() + 10
        while (event := self._next(deadline)) is not None:
            if event.get("reply") == self._count:
                if "error" in event:
                    raise PeerFailed(f"{verb}: {event['error']}")
                return event
        raise PeerFailed(f"{verb}: no reply from the softphone process")

    def register(
        self,
        server: str,
        username: str,
        password: str,
        *,
        expect: int = 200,
        expires_s: int = 300,
        aor_host: str = "",
        contact_params: str = "",
    ) -> dict[str, Any]:
        """REGISTER at host:port and wait for the final status; the event carries the response."""
        self._ask(
            "register",
            server=server,
            username=username,
            password=password,
            expires_s=expires_s,
            aor_host=aor_host,
            contact_params=contact_params,
        )
        event = self.wait("registration")
        if event["status"] != expect:
            raise PeerFailed(f"REGISTER got {event['status']} {event['reason']}, not {expect}")
        return event

    def unregister(self) -> dict[str, Any]:
        self._ask("unregister")
        return self.wait("registration")

    def call(self, uri: str, headers: Mapping[str, str] | None = None) -> int:
        reply = self._ask("call", uri=uri, headers=dict(headers or {}))
        return int(reply["call"])

    def policy(self, policy: AnswerPolicy) -> None:
        self._ask("policy", **asdict(policy))

    def answer(self, call: int, status: int = 200) -> None:
        self._ask("answer", call=call, status=status)

    def hold(self, call: int) -> None:
        self._ask("hold", call=call)
        self.forget("media")

    def resume(self, call: int) -> None:
        self._ask("resume", call=call)
        self.forget("media")

    def hang_up(self, call: int, status: int = 603) -> None:
        self._ask("hang_up", call=call, status=status)

    def dtmf(self, call: int, digits: str) -> None:
        self._ask("dtmf", call=call, digits=digits)

    def media(self, call: int) -> dict[str, Any]:
        return self._ask("media", call=call)

    def start_listening(self, call: int, seconds: float = 1.5) -> None:
        self._ask("listen", call=call, seconds=seconds)

    def heard(self, call: int, timeout_s: float = 10.0) -> Heard:
        """What a `start_listening` before this heard."""
        event = self.wait("heard", timeout_s, lambda event: event["call"] == call)
        return Heard(event["frequency_hz"], event["purity"], event["rms"], event["seconds"])

    def listen(self, call: int, seconds: float = 1.5) -> Heard:
        self.start_listening(call, seconds)
        return self.heard(call, seconds + 10)

    def wait_state(self, call: int, state: str, timeout_s: float = 10.0) -> dict[str, Any]:
        """Wait until the call is in pjsip's state; a call that ends instead fails at once."""

        def reached(event: dict[str, Any]) -> bool:
            if event["call"] != call:
                return False
            if event["state"] == DISCONNECTED and state != DISCONNECTED:
                raise PeerFailed(
                    f"the call ended with {event['status']} {event['reason']}, not {state}"
                )
            return bool(event["state"] == state)

        return self.wait("state", timeout_s, reached)

    def wait_ended(self, call: int, timeout_s: float = 10.0) -> dict[str, Any]:
        return self.wait_state(call, DISCONNECTED, timeout_s)

    def wait_incoming(self, timeout_s: float = 10.0) -> "IncomingCall":
        event = self.wait("incoming", timeout_s)
        return IncomingCall(event["call"], event["message"], event["source"])

    def stop(self) -> None:
        """End the process; a softphone that does not go by itself is killed."""
        if self._process.poll() is None:
            try:
                self._ask("quit")
                self._process.wait(5)
            except (PeerFailed, OSError, subprocess.TimeoutExpired):
                self._process.kill()
                self._process.wait()
        self._reader.join(5)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def __enter__(self) -> "PjsuaPeer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """An INVITE as it arrived, byte for byte."""

    call: int
    message: str
    source: str

    @property
    def request_line(self) -> str:
        return self.message.split("\r\n", 1)[0]

    @property
    def request_uri(self) -> str:
        return self.request_line.split(" ")[1]

    def header(self, name: str) -> str:
        """The value of the first header of this name, empty when absent."""
        for line in self.message.split("\r\n\r\n", 1)[0].split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.strip().lower() == name.lower():
                return value.strip()
        return ""


def _brief(event: dict[str, Any]) -> str:
    words = [str(event.get("event", event.get("reply", "")))]
    words += [
        f"{key}={event[key]}" for key in ("call", "state", "status", "reason") if key in event
    ]
    if "message" in event:
        words.append(str(event["message"]).split("\r\n", 1)[0])
    return " ".join(words)
