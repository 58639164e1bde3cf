"""What stands in no tracked file: package registries, paths of one machine, secrets."""

import re
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT, named, tracked

# Spelled apart, so that this file does not hold what it looks for.
REGISTRIES = tuple(
    f"{name}.{top}"
    for name, top in (("pypi", "org"), ("pythonhosted", "org"), ("crates", "io"), ("npmjs", "org"))
)
INDEX = re.compile(r"--(?:extra-)?index[-]url|--find[-]links|trusted[-]host")
MACHINE = re.compile(r"(?<![\w.<>:/-])/(?:home|root|work|Users)/[\w.-]+")
PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE[ ]KEY-----")
BINARY = {".wav", ".dat", ".png", ".raw", ".pcap"}

TEXTS = [path for path in tracked() if path.suffix not in BINARY]


def lines(path: Path) -> list[tuple[int, str]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return list(enumerate(text.splitlines(), 1))


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_no_package_registry_is_named(path: Path) -> None:
    """Where packages come from is the machine's to say."""
    for number, line in lines(path):
        hosts = [host for host in REGISTRIES if host in line]
        assert not hosts, f"{named(path)}:{number} names {hosts}"
        assert not INDEX.search(line), f"{named(path)}:{number} names a package index"


@pytest.mark.parametrize("path", TEXTS, ids=named)
def test_no_path_of_one_machine_and_no_private_key(path: Path) -> None:
    for number, line in lines(path):
        found = MACHINE.search(line)
        assert not found, f"{named(path)}:{number} names {found and found[0]}"
        assert not PRIVATE_KEY.search(line), f"{named(path)}:{number} holds a private key"


def test_versions_are_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for number, line in lines(ROOT / name):
            if line and not line.startswith(("#", "-r ")):
                assert re.match(r"[a-z0-9-]+==[\w.]+(;|$)", line), f"{name}:{number} {line}"


def test_the_two_lists_of_packages_agree() -> None:
    """What pyproject.toml pins, the requirement files pin to the same version."""
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    direct = set(re.findall(r'^    "([a-z0-9-]+==[\w.]+)', project, re.MULTILINE))
    pinned = {
        line.partition(";")[0]
        for name in ("requirements.txt", "requirements-dev.txt")
        for _, line in lines(ROOT / name)
    }
    assert direct
    assert direct - pinned == set()
