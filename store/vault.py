"""Owns secrets at rest (R17): AES-256-GCM under a key in a file of its own.

Each ciphertext is bound to what it is the secret of, so rows cannot trade passwords. Secrets never
appear in an exception or a repr.
"""

import os
from pathlib import Path
from tempfile import mkstemp

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.errors import VaultError

_KEY_OCTETS = 32
_NONCE_OCTETS = 12
_VERSION = b"\x01"


class Vault:
    """Seals and opens secrets; `owner` names whose secret it is, e.g. "profile:99051000100001"."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_OCTETS:
            raise VaultError(f"a key has {_KEY_OCTETS} octets")
        self._cipher = AESGCM(key)

    @classmethod
    def open(cls, path: Path) -> "Vault":
        """The vault of a key file, which is made, private to its owner, when there is none."""
        try:
            return cls(_read(path))
        except FileNotFoundError:
            pass
        path.parent.mkdir(parents=True, exist_ok=True)
        return cls(_create(path))

    def seal(self, secret: str, owner: str) -> bytes:
        nonce = os.urandom(_NONCE_OCTETS)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret.encode(), owner.encode())

    def unseal(self, sealed: bytes, owner: str) -> str:
        """The secret; raises VaultError when the key or the owner is another."""
        nonce, ciphertext = sealed[1 : 1 + _NONCE_OCTETS], sealed[1 + _NONCE_OCTETS :]
        if sealed[:1] != _VERSION or len(nonce) != _NONCE_OCTETS:
            raise VaultError(f"the secret of {owner} is not readable")
        try:
            return self._cipher.decrypt(nonce, ciphertext, owner.encode()).decode()
        except InvalidTag:
            raise VaultError(f"the key file does not open the secret of {owner}") from None


def _read(path: Path) -> bytes:
    key_fd = os.open(path, os.O_RDONLY)
    with open(key_fd, "rb") as file:
        if os.fstat(key_fd).st_mode & 0o077:
            raise VaultError(f"{path} is open to others: chmod 600 it")
        return file.read()


def _create(path: Path) -> bytes:
    """Write a new key whole or not at all; of two processes at once, one wins and both read it."""
    key = os.urandom(_KEY_OCTETS)
    draft_fd, draft = mkstemp(dir=path.parent, prefix=f"{path.name}.")  # private from the start
    with open(draft_fd, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(draft_fd)
    try:
        os.link(draft, path)
    except FileExistsError:
        return _read(path)
    finally:
        os.unlink(draft)
    directory = os.open(path.parent, os.O_RDONLY)
    os.fsync(directory)  # a lost key is the loss of every password
    os.close(directory)
    return key
