"""Owns looking into a running gateway's database from outside: plain SQLite, read only."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

POLL_S = 0.05
Row = dict[str, Any]


class StoreReader:
    """Every question opens its own connection: what it answers is committed."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, statement: str, *values: object) -> list[Row]:
        connection = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(statement, values)]
        finally:
            connection.close()

    def balance(self, account: str) -> int:
        """Micro-units; 0 for an account nothing was ever posted to."""
        found = self.rows("select balance from accounts where name = ?", account)
        return int(found[0]["balance"]) if found else 0

    def cdrs(self) -> list[Row]:
        return self.rows("select * from cdrs order by ended_at")

    def open_calls(self) -> list[Row]:
        return self.rows("select * from open_calls")

    def postings_sum(self) -> int:
        """Zero whenever every entry is balanced."""
        return int(self.rows("select coalesce(sum(micros), 0) as total from postings")[0]["total"])

    def wait(self, happened: Callable[[], bool], timeout_s: float = 15.0) -> None:
        """Until the store says so."""
        deadline = time.monotonic() + timeout_s
        while not happened():
            assert time.monotonic() < deadline, f"not within {timeout_s} s"
            time.sleep(POLL_S)

    def wait_cdr(
        self, matching: Callable[[Row], bool] = lambda row: True, timeout_s: float = 5.0
    ) -> Row:
        """The first matching CDR, as soon as it is committed."""
        deadline = time.monotonic() + timeout_s
        while True:
            for row in self.cdrs():
                if matching(row):
                    return row
            if time.monotonic() > deadline:
                raise AssertionError(f"no such CDR; there are: {self.cdrs()}")
            time.sleep(POLL_S)

    def cdr_of(self, sip_call_id: str, timeout_s: float = 5.0) -> Row:
        return self.wait_cdr(lambda row: bool(row["a_sip_call_id"] == sip_call_id), timeout_s)
