"""The door `python -m gateway`."""

import subprocess
import sys

from config.version import VERSION


def test_the_package_runs_as_the_command() -> None:
    command = [sys.executable, "-m", "gateway", "version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"sipgw {VERSION}\n"
