"""Owns what the test softphone may know of a gateway on this machine: its ports, a SIP Profile to
call as, its certificate authority, and the CDRs.

Reads only. Away from home (another host) none of it is known, and the command says so.
"""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.settings import Settings
    from gateway.model.cdr import Cdr

CDR_TIMEOUT_S = 5.0  # R120b asks for two; a busy disk gets some more
POLL_S = 0.1
NEWEST = 50  # our call is among the last of them
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class NotHere(Exception):
    """Something is missing; the text says what, and how to get it."""


@dataclass(frozen=True, slots=True)
class RunningGateway:
    """What run.json says."""

    pid: int
    realm: str
    listeners: tuple[tuple[str, str, int], ...]  # transport, host, port

    def listener(self, transport: str) -> tuple[str, int]:
        """Where to connect from this machine; IPv4 first. Raises NotHere."""
        found = [(host, port) for name, host, port in self.listeners if name == transport]
        if not found:
            offered = ", ".join(sorted({name for name, _, _ in self.listeners}))
            raise NotHere(f"the gateway has no {transport} listener; it has: {offered}")
        host, port = min(found, key=lambda place: ":" in place[0])
        return WILDCARDS.get(host, host), port


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str


def running_gateway(var: Path) -> RunningGateway:
    """The gateway that runs from this folder; raises NotHere."""
    path = var / "run.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotHere(
            f"no gateway is running ({path} is missing); start it with: make run"
        ) from None
    pid = int(told["pid"])
    if not _alive(pid):
        raise NotHere(f"the gateway of {path} is gone (pid {pid}); start it with: make run")
    listeners = tuple(
        (each["transport"], each["host"], int(each["port"])) for each in told["listeners"]
    )
    return RunningGateway(pid, told["realm"], listeners)


def profile_credentials(settings: "Settings") -> Credentials:
    """The first SIP Profile in registration mode that may call; raises NotHere."""
    from gateway.model.profile import AuthMode, Subscription
    from store.database import Database
    from store.profiles import every
    from store.vault import Vault

    if not settings.store_path.exists():
        raise NotHere(f"no store at {settings.store_path}: give --user and --password")
    database = Database(settings.store_path)
    try:
        with database.reader() as connection:
            profiles = every(connection, Vault.open(settings.secret_key_path))
    finally:
        database.close()
    for profile in profiles:
        active = profile.subscription is Subscription.ACTIVE and profile.channels > 0
        if profile.mode is AuthMode.REGISTRATION and active:
            return Credentials(profile.username, profile.password)
    raise NotHere(
        "no SIP Profile with channels in the store: give --user and --password, "
        "or start the gateway with its demo data: make run"
    )


def wait_for_cdr(
    settings: "Settings", sip_call_id: str, timeout_s: float = CDR_TIMEOUT_S
) -> "Cdr | None":
    """The CDR of the call with our Call-ID; None when it does not come in time."""
    from store.cdrs import CdrFilter, search
    from store.database import Database

    database = Database(settings.store_path)
    try:
        deadline = time.monotonic() + timeout_s
        while True:
            with database.reader() as connection:
                newest = search(connection, CdrFilter(), limit=NEWEST)
            found = next((cdr for cdr in newest if cdr.a_sip_call_id == sip_call_id), None)
            if found is not None or time.monotonic() > deadline:
                return found
            time.sleep(POLL_S)
    finally:
        database.close()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # it runs under another account
    return True
