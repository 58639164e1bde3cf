"""Owns the exceptions of the store."""


class StoreError(Exception):
    """Base of everything the store raises on purpose."""


class StoreBusy(StoreError):
    """Another gateway serves from this database; `pid` is its process, 0 when unknown."""

    def __init__(self, path: str, pid: int) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(f"{path} is in use by {holder}: one gateway per database")
        self.pid = pid


class SchemaMismatch(StoreError):
    """The database was written by another version of the schema."""


class Conflict(StoreError):
    """A name, number or address is taken already, or a reference points nowhere."""


class VaultError(StoreError):
    """The key file is missing, unsafe or does not fit the database."""


class NotEmpty(StoreError):
    """The store holds a company already."""


class Unwritable(StoreError):
    """A journal record contradicts what is stored; its batch is refused."""
