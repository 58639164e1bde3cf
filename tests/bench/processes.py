"""Owns weighing a server from /proc: CPU seconds and memory of a process and its descendants."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """RSS counts a shared page once per process, PSS once in all."""

    rss_mib: float
    pss_mib: float
    processes: int


def _stat(pid: int) -> tuple[int, float] | None:
    """(parent, CPU seconds with those of its reaped children), or None when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The command name may hold anything, brackets and blanks too: count from its last bracket.
    values = text[text.rindex(")") + 2 :].split()
    return int(values[1]), sum(int(value) for value in values[11:15]) / TICKS_PER_S


def descendants(root: int) -> list[int]:
    """`root` and everything below it."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := _stat(int(name))):
            children.setdefault(found[0], []).append(int(name))
    all_of_them, todo = [], [root]
    while todo:
        pid = todo.pop()
        all_of_them.append(pid)
        todo += children.get(pid, [])
    return all_of_them


def cpu_s(root: int) -> float:
    """CPU seconds so far. A child's own time moves to its parent when it ends: none is lost."""
    return sum(found[1] for pid in descendants(root) if (found := _stat(pid)))


def memory(root: int) -> Memory:
    totals = {"Rss:": 0, "Pss:": 0}
    pids = descendants(root)
    for pid in pids:
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                name, *rest = line.split()
                if name in totals:
                    totals[name] += int(rest[0])
    return Memory(round(totals["Rss:"] / 1024, 1), round(totals["Pss:"] / 1024, 1), len(pids))
