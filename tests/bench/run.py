"""`make bench`: the gateway under registrations, calls and pings, beside its peers and its past.

Each scenario runs on a gateway of its own. Usable as a gate: the exit status is 1 when a rate was
not sustained, or when `--compare` finds CPU per 1,000 worse than `--tolerance` allows.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.seed import seed_bench
from tests.bench.signalling import DOMAIN, Load, Result, Target, measure
from tests.support.gateway_process import GatewayProcess
from tests.support.sipp import AVAILABLE, free_port
from tests.support.store_reader import StoreReader

PEERS = Path(__file__).with_name("peers.json")
RATES = {"options": 500.0, "register": 300.0, "call": 50.0}
HIGH_RATES = {"options": 2000.0, "register": 2000.0, "call": 200.0}
MEDIA_PORTS = (16384, 32767)  # as many calls as a live gateway takes by default
Row = dict[str, Any]


def bench(scenario: str, rate: float, arguments: argparse.Namespace) -> Result:
    """One scenario on a fresh gateway; its CDRs are counted afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        gateway = GatewayProcess(Path(folder), realm=DOMAIN, log_level="warning", media=MEDIA_PORTS)
        carrier_port = free_port()
        print(f"seeding {arguments.users} profiles for {scenario} ...", file=sys.stderr)
        seed_bench(gateway.var, arguments.users, carrier_port)
        with gateway:
            host, port = gateway.address()
            target = Target(host, port, gateway.pid, free_port(), carrier_port)
            load = Load(
                scenario,
                rate,
                duration_s=arguments.duration,
                users=arguments.users,
                calling_accounts=min(200, arguments.users),
            )
            result = measure(arguments.label, load, target)
        if load.is_call:
            _count_cdrs(StoreReader(gateway.store_path), load)
    return result


def _count_cdrs(store: StoreReader, load: Load) -> None:
    """SIPp cannot see a lost CDR: every call, warm-up included, has exactly one."""
    warm_up = max(1, int(load.warmup_s * load.rate / 2)) if load.warmup_s else 0
    offered = load.count + warm_up
    written = len(store.cdrs())
    print(f"  CDRs: {written} for {offered} calls offered", file=sys.stderr)
    if store.open_calls() or store.postings_sum():
        print("  WARNING: the books are not closed", file=sys.stderr)


def table(rows: Iterable[Row]) -> str:
    """Aligned text, one line a result."""
    head = (
        "server",
        "scenario",
        "rate/s",
        "CPU-s/1000",
        "cores",
        "RSS MiB",
        "answer ms",
        "retrans",
        "verdict",
    )
    lines = [head]
    for row in rows:
        verdict = {
            True: "sustained",
            False: f"NOT: {row.get('failed')} failed, got {row.get('rate_got')}/s",
        }
        lines.append(
            (
                row["label"],
                row["scenario"],
                f"{row['rate_asked']:g}",
                f"{row['cpu_s_per_1000']:.3f}",
                str(row.get("cores", "")),
                f"{row['rss_mib']:.0f}",
                str(row.get("response_ms", "")),
                str(row.get("retransmissions", "")),
                verdict[row["sustained"]] if "sustained" in row else "",
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def compare(rows: Iterable[Row], before: Iterable[Row], tolerance: float) -> bool:
    """Print the change of CPU per 1,000; False when one grew by more than `tolerance`."""
    past = {(row["scenario"], row["rate_asked"]): row for row in before}
    good = True
    for row in rows:
        old = past.get((row["scenario"], row["rate_asked"]))
        if old is None or not old["cpu_s_per_1000"]:
            continue
        change = row["cpu_s_per_1000"] / old["cpu_s_per_1000"] - 1
        worse = change > tolerance
        good = good and not worse
        mark = "  WORSE" if worse else ""
        print(
            f"{row['scenario']} at {row['rate_asked']:g}/s: {old['cpu_s_per_1000']:.3f} -> "
            f"{row['cpu_s_per_1000']:.3f} CPU-s per 1000 ({change:+.0%}){mark}"
        )
    return good


def arguments_of(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--scenario", choices=list(RATES), action="append", help="default: all of them"
    )
    parser.add_argument("--high", action="store_true", help="the peers' high rates as well")
    parser.add_argument("--rate", type=float, help="this rate in place of the usual ones")
    parser.add_argument("--duration", type=float, default=12.0, help="seconds of offered load")
    parser.add_argument("--users", type=int, default=10000, help="SIP Profiles in the store")
    parser.add_argument("--label", default="sipgw")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    parser.add_argument("--compare", type=Path, help="an earlier --out to measure up to")
    parser.add_argument("--tolerance", type=float, default=0.25, help="growth that is noise")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    arguments = arguments_of(words)
    if not AVAILABLE:
        print("the bench needs sipp: apt-get install sip-tester", file=sys.stderr)
        return 2
    rows: list[Row] = []
    for scenario in arguments.scenario or list(RATES):
        rates = [arguments.rate or RATES[scenario]]
        if arguments.high:
            rates.append(HIGH_RATES[scenario])
        rows += [asdict(bench(scenario, rate, arguments)) for rate in rates]
    peers = json.loads(PEERS.read_text())
    shown = {row["scenario"] for row in rows} | {"call-noauth"}
    print(table(rows + [row for row in peers["rows"] if row["scenario"] in shown]))
    print(f"peers: {peers['measured']}")
    if arguments.out:
        arguments.out.write_text(json.dumps(rows, indent=2) + "\n")
    good = all(row["sustained"] for row in rows)
    for row in rows:
        if row["errors"]:
            print(f"{row['scenario']}: {row['errors']}", file=sys.stderr)
    if arguments.compare:
        earlier = json.loads(arguments.compare.read_text())
        good = compare(rows, earlier, arguments.tolerance) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
