"""CPU of the Python media engine: CPU seconds per million relayed packets, plain and SRTP.

    python -m tests.bench.media_bench [--seconds 5] [--calls 100]

The engine runs in a process of its own on uvloop where it is installed; this process paces 50
packets a second and call in each direction and counts what comes back. A packet is one that went
in and out.
"""

import argparse
import asyncio
import json
import os
import resource
import select
import socket
import subprocess
import sys
import time

from pylibsrtp import Policy, Session

from media.aio.relay import PythonRelay, RelaySettings
from media.plane import MediaOpened, Side, SrtpKey, StreamEnd
from media.rtp import packet
from media.sdp.crypto import SHA1_80

HOST = "127.0.0.1"
KEY = SrtpKey(SHA1_80, bytes(range(30)))
PTIME_S = 0.02


def serve(ports: list[tuple[int, int]], srtp: bool) -> None:
    """The engine: one session per pair of peer ports; prints its addresses, then its CPU time."""
    loop = _loop()
    settings = RelaySettings({4: HOST}, {4: HOST}, 20000, 32000)
    relay = PythonRelay(settings, clock=time.monotonic, octets=os.urandom)

    async def run() -> None:
        found: list[tuple[int, int]] = []
        for number, (a, b) in enumerate(ports):
            name = str(number)

            def opened(answer: object) -> None:
                assert isinstance(answer, MediaOpened), answer
                found.append((answer.a[0][1], answer.b[0][1]))

            relay.open(name, 1, opened)
            keys = (KEY, KEY) if srtp else (None, None)
            relay.update(
                name,
                Side.A,
                (StreamEnd((HOST, a), receive_key=keys[0], send_key=keys[1]),),
            )
            relay.update(name, Side.B, (StreamEnd((HOST, b)),))
        print(json.dumps(found), flush=True)
        before = _cpu_s()
        await loop.run_in_executor(None, sys.stdin.readline)
        used_s = _cpu_s() - before
        reports = [relay.report(str(number)) for number in range(len(ports))]
        sent = sum(report.a[0].sent + report.b[0].sent for report in reports)
        print(json.dumps({"cpu_s": used_s, "packets": sent}), flush=True)
        await relay.aclose()

    loop.run_until_complete(run())


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(calls: int, seconds: float, srtp: bool) -> str:
    """Drive the engine for `seconds` and describe what it cost."""
    pairs = [(_peer(), _peer()) for _ in range(calls)]
    numbers = [(a.getsockname()[1], b.getsockname()[1]) for a, b in pairs]
    command = [sys.executable, "-m", "tests.bench.media_bench", "--serve", json.dumps(numbers)]
    engine = subprocess.Popen(
        [*command, *(["--srtp"] if srtp else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert engine.stdin is not None
    assert engine.stdout is not None
    targets = json.loads(engine.stdout.readline())
    rounds = round(seconds / PTIME_S)
    plain = [packet(0, at, at * 160, 7, b"\xff" * 160) for at in range(rounds)]
    towards_b = _protected(plain) if srtp else plain
    started = time.monotonic()
    for at in range(rounds):
        for (a, b), (port_a, port_b) in zip(pairs, targets, strict=True):
            a.sendto(towards_b[at], (HOST, port_a))
            b.sendto(plain[at], (HOST, port_b))
        time.sleep(max(0.0, started + (at + 1) * PTIME_S - time.monotonic()))
    heard = _drained(pairs)
    engine.stdin.write("stop\n")
    engine.stdin.flush()
    found = json.loads(engine.stdout.readline())
    engine.wait()
    for a, b in pairs:
        a.close()
        b.close()
    sent = 2 * calls * rounds
    per_million_s = found["cpu_s"] / max(found["packets"], 1) * 1e6
    return (
        f"{'SRTP<->RTP' if srtp else 'RTP<->RTP'}: {per_million_s:.2f} CPU-s per million packets "
        f"({found['packets']} relayed of {sent} sent at {sent / seconds:.0f}/s, {heard} heard)"
    )


def _peer() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    made.bind((HOST, 0))
    made.setblocking(False)
    return made


def _protected(plain: list[bytes]) -> list[bytes]:
    session = Session(Policy(key=KEY.key_salt, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    return [session.protect(each) for each in plain]


def _drained(pairs: list[tuple[socket.socket, socket.socket]]) -> int:
    """How many packets lie in the peers' sockets; waits until no more come."""
    heard = 0
    sockets = [each for pair in pairs for each in pair]
    watch = select.poll()
    by_number = {each.fileno(): each for each in sockets}
    for each in sockets:
        watch.register(each, select.POLLIN)
    while ready := watch.poll(300):
        for number, _ in ready:
            try:
                while True:
                    by_number[number].recv(2048)
                    heard += 1
            except BlockingIOError:
                continue
    return heard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--serve", default="")
    parser.add_argument("--srtp", action="store_true")
    chosen = parser.parse_args()
    if chosen.serve:
        serve(json.loads(chosen.serve), chosen.srtp)
        return
    for srtp in (False, True):
        print(measure(chosen.calls, chosen.seconds, srtp))


if __name__ == "__main__":
    main()
