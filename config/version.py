"""Owns the version of the product, as the installed distribution states it."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("sipgw")
except PackageNotFoundError:  # started from a source tree that was never installed
    VERSION = "0+source"
