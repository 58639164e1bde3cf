"""The README keeps its promises: packages, commands and links."""

import re

import pytest

from tests.tidy.tree import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "package",
    ["asyncio", "uvloop", "pydantic", "prometheus-client", "cryptography", "pjsua2", "aiosip"],
)
def test_each_package_of_the_design_is_named_with_its_place(package: str) -> None:
    """R130: none is dropped silently."""
    rows = [line for line in README.splitlines() if line.startswith("| **")]
    row = next(line for line in rows if package in line.split("|")[1])
    assert len(row.split("|")[2].strip()) > 20


def test_what_stands_in_for_aiosip_is_said() -> None:
    """R130: why it is not there, and why the gateway is more than a proxy."""
    text = " ".join(README.split())
    assert "**aiosip** cannot be imported on Python 3.11" in text
    assert "Why a registrar and B2BUA, and not a bare proxy" in text


def test_every_file_it_names_exists() -> None:
    links = re.findall(r"\]\(([\w./-]+)\)", README)
    named = re.findall(
        r"`((?:sip|media|rating|config|certs|store|manager|gateway|tests|docs)/[\w./]*)`", README
    )
    assert links
    assert named
    assert [path for path in (*links, *named) if not (ROOT / path).exists()] == []


def test_every_make_target_it_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE)) <= targets
