"""Changes a password in the store of a gateway that does not run, as the running one would."""

from datetime import UTC, datetime
from pathlib import Path

from gateway.aio.clock import SystemIds
from gateway.credentials import Rotation, rotate
from gateway.location import Location
from store import bindings, journal, profiles
from store.database import Database
from store.engine import driver_of
from store.vault import Vault


def rotate_in_store(var: Path, username: str) -> Rotation:
    database = Database(var / "sipgw.db")
    vault = Vault.open(var / "secret.key")
    try:
        with database.editor() as connection:
            profile = profiles.by_username(connection, vault, username)
            assert profile is not None
            at = datetime.now(UTC)
            location = Location(bindings.living(connection, now=0.0, at=at))
            rotation = rotate(profile, SystemIds(), location, at)
            for record in rotation.records:
                journal.apply(driver_of(connection).cursor(), record, vault)
    finally:
        database.close()
    return rotation
