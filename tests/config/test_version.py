"""The version of the product."""

from importlib.metadata import version

from config.version import VERSION


def test_the_version_is_the_installed_one() -> None:
    assert version("sipgw") == VERSION
