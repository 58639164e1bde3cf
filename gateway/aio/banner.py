"""Owns what `sipgw serve` says to a person: where it listens, how to connect, what to type next;
and `run.json`, the same for programs (R133).
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Listening:
    """One open listener, with its real port."""

    name: str
    transport: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Running:
    """What is up, for the banner and for run.json."""

    version: str
    realm: str
    listeners: tuple[Listening, ...]
    rtp_ports: tuple[int, int]
    http: tuple[str, int]
    echo_number: str
    carriers: tuple[str, ...]


def place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def write_run_file(path: Path, running: Running) -> None:
    """Replace run.json in one step, so that a reader never sees half of it."""
    told = {
        "pid": os.getpid(),
        "version": running.version,
        "realm": running.realm,
        "listeners": [asdict(listener) for listener in running.listeners],
        "rtp": list(running.rtp_ports),
        "http": place(*running.http),
    }
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    draft.replace(path)


def banner(running: Running, credentials: tuple[str, str, str] | None) -> str:
    """A short page for the terminal. `credentials`: the demo profile's name, username, password."""
    lines = [f"sipgw {running.version} is up", ""]
    for listener in running.listeners:
        told = f"{listener.transport.upper():<4} {place(listener.host, listener.port)}"
        lines.append(f"  SIP   {told}")
    first, last = running.rtp_ports
    lines.append(f"  RTP   {first}-{last}")
    lines.append(f"  HTTP  http://{place(*running.http)}/  (health, metrics)")
    lines.append(f"  Out   {', '.join(running.carriers)}")
    if credentials is not None:
        name, username, password = credentials
        lines += [
            "",
            f"Connect a PBX or a softphone as the SIP Profile {name}:",
            f"  Realm     {running.realm}   (registrar: this machine)",
            f"  Username  {username}",
            f"  Password  {password}",
        ]
    lines += [
        "",
        f"Hear yourself: dial {running.echo_number}, the echo test.",
        "Next, in a second terminal:  .venv/bin/sipgw try",
        "Ctrl-C stops the gateway.",
    ]
    return "\n".join(lines)
