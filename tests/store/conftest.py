"""A real database and a vault in a directory of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database
from store.vault import Vault


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sipgw.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(path)
    yield database
    database.close()


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "secret.key")
