"""`store.vault`: secrets at rest (R17)."""

import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.errors import VaultError
from store.vault import Vault, _create


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.text(alphabet="ab:1"))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_secret_comes_back(vault: Vault, secret: str, owner: str) -> None:
    assert vault.unseal(vault.seal(secret, owner), owner) == secret


def test_the_same_secret_never_looks_the_same_twice(vault: Vault) -> None:
    assert vault.seal("pw", "profile:1") != vault.seal("pw", "profile:1")


def test_a_secret_is_bound_to_its_owner(vault: Vault) -> None:
    with pytest.raises(VaultError, match="profile:2"):
        vault.unseal(vault.seal("pw", "profile:1"), "profile:2")


def test_another_key_opens_nothing_and_the_error_keeps_the_secret(
    vault: Vault, tmp_path: Path
) -> None:
    sealed = vault.seal("pw-in-clear", "profile:1")
    with pytest.raises(VaultError) as caught:
        Vault.open(tmp_path / "other.key").unseal(sealed, "profile:1")
    assert "pw-in-clear" not in str(caught.value)


@pytest.mark.parametrize("sealed", [b"", b"\x02" + b"x" * 40, b"\x01short", b"\x01" + b"x" * 12])
def test_what_was_never_sealed_is_not_readable(vault: Vault, sealed: bytes) -> None:
    with pytest.raises(VaultError):
        vault.unseal(sealed, "profile:1")


def test_any_changed_octet_is_noticed(vault: Vault) -> None:
    sealed = vault.seal("pw", "profile:1")
    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(VaultError):
            vault.unseal(bytes(changed), "profile:1")


def test_the_key_file_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret.key"
    sealed = Vault.open(path).seal("pw", "profile:1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Vault.open(path).unseal(sealed, "profile:1") == "pw"
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_of_two_gateways_that_make_the_key_at_once_the_second_takes_the_firsts(
    tmp_path: Path,
) -> None:
    path = tmp_path / "secret.key"
    Vault.open(path)
    key = path.read_bytes()
    assert _create(path) == key == path.read_bytes()
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    Vault.open(path)
    path.chmod(0o640)
    with pytest.raises(VaultError, match="chmod 600"):
        Vault.open(path)


def test_a_key_file_of_the_wrong_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.touch(mode=0o600)
    with pytest.raises(VaultError, match="32 octets"):
        Vault.open(path)
    assert path.read_bytes() == b""


def test_the_key_is_in_no_repr(tmp_path: Path) -> None:
    vault = Vault.open(tmp_path / "secret.key")
    assert "AESGCM" not in repr(vault)
    assert not hasattr(vault, "__dict__")
