"""Owns what the layout tests look at: the files of the rooms, and which of them are pure."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("sip", "media", "rating", "config", "certs", "store", "manager", "gateway")
WITH_A_CORE = ("sip", "media", "rating", "gateway")
SHELLS = ("sip/aio", "media/aio", "media/native", "gateway/aio", "gateway/cli")
DOORS = ("gateway/bootstrap.py", "gateway/__main__.py", "gateway/control_client.py")


def named(path: Path) -> str:
    """The path as the repository says it."""
    return path.relative_to(ROOT).as_posix()


def _pure(path: Path) -> bool:
    name = named(path)
    return name not in DOORS and not name.startswith(tuple(f"{shell}/" for shell in SHELLS))


def tracked() -> list[Path]:
    """Every file the repository keeps; without git, every file of the rooms and the tests."""
    command = ["git", "ls-files", "--cached"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


SOURCES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
PURE = [path for path in SOURCES if named(path).startswith(WITH_A_CORE) and _pure(path)]
EVERY_PYTHON = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]
