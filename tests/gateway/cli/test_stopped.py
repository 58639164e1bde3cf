"""Commands while no gateway runs: the store's lock is taken and the same change is made (R12, R17,
R20, R55, R56, R105)."""

import csv
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.model.online_number import OnlineNumber
from gateway.model.record import CallAdmitted, CallRefused, NumberSaved
from rating.tariff import Rate
from store.database import Database
from store.vault import Vault
from tests.store.samples import CDR
from tests.support.seed import NUMBER, PBX, carrier_at, seed
from tests.support.store_reader import StoreReader


@dataclass(frozen=True, slots=True)
class Desk:
    """`sipgw` with the settings of a folder of its own."""

    folder: Path

    @property
    def var(self) -> Path:
        return self.folder / "var"

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--config", str(self.folder / "gateway.toml")])

    def told(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 0, result.output + result.stderr
        return result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.told(*words, "--json"))

    def refused(self, *words: str) -> str:
        result = self.run(*words)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        return result.stderr

    @property
    def store(self) -> StoreReader:
        return StoreReader(self.var / "sipgw.db")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    found = Desk(tmp_path)
    found.var.mkdir()
    (tmp_path / "gateway.toml").write_text(f'[paths]\nvar = "{found.var}"\n')
    seed(found.var, carrier_at("192.0.2.50", 5060))
    return found


def test_profiles_are_made_changed_and_shown(desk: Desk) -> None:
    told = desk.told("profile", "new", "Support", "--channels", "105")
    assert "105 channels were rounded to 110." in told
    made = desk.json("profile", "show", "Support")["profile"]
    assert (made["channels"], made["subscription"]) == (110, "active")
    desk.told("profile", "set", "Support", "--name", "Help", "--require-tls", "--srtp", "required")
    shown = desk.told("profile", "show", "Help")
    assert "require TLS      yes" in shown
    assert "Help" in desk.told("profile", "list")
    sign_in = desk.json("password", "show", "Help")["sign_in"]
    assert sign_in["password"] in told
    assert sign_in["password"] not in shown
    assert "301 channels cannot be had" in desk.refused("profile", "set", "1", "--channels", "301")
    assert desk.run("profile", "set", "1").exit_code == 2


def test_credit_is_added_allocated_and_taken_back(desk: Desk) -> None:
    """R20, R55, R56."""
    poor = desk.json("profile", "show", "pbx-without-credit")["profile"]
    account = poor["credit"]["account"]
    before = desk.store.balance("profile:1")
    desk.told("credit", "add", "20.00", "--note", "transfer 4711")
    assert "got 5.00 USD." in desk.told("credit", "allocate", "pbx-without-credit", "5.00")
    assert desk.store.balance(account) == 5_000_000
    first = desk.json("credit", "take-back", "pbx-without-credit", "--key", "key-000001")
    again = desk.json("credit", "take-back", "pbx-without-credit", "--key", "key-000001")
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert desk.store.balance(account) == 0
    assert desk.store.balance("profile:1") == before
    assert desk.store.postings_sum() == 0
    assert "[INSUFFICIENT_CREDIT]" in desk.refused("credit", "allocate", PBX[0], "9999.00")
    assert "Architects" in desk.told("credit", "show")


def test_what_calls_of_a_killed_gateway_reserved_is_not_taken_back(desk: Desk) -> None:
    """R56, R63: the next start bills them."""
    rate = Rate("1", "United States", 6_000)
    started = datetime(2026, 3, 1, tzinfo=UTC)
    call = CallAdmitted(
        "c-1", 1, "pstn", "outgoing", "", "+12025550123", started, "a", 3_000, "USD", rate
    )
    database = Database(desk.var / "sipgw.db")
    database.write([call], Vault.open(desk.var / "secret.key"))
    database.close()
    told = desk.told("credit", "take-back", PBX[0])
    assert "0.003 USD stay reserved for running calls" in told
    assert desk.store.balance("profile:1") == 3_000


def test_numbers_accounts_and_carriers_are_changed(desk: Desk) -> None:
    """R96, R98, R105."""
    assert "in stock" in desk.told("number", "assign", NUMBER, "--stock")
    assert desk.store.rows("select profile_id from numbers")[0]["profile_id"] is None
    desk.told("number", "add", "+12026555399", "--profile", PBX[0])
    assert "+12026555399" in desk.told("number", "list", "--profile", PBX[0])
    assert desk.run("number", "assign", NUMBER).exit_code == 2
    told = desk.told("account", "attach", "Claude.Morel", PBX[0], "--extension", "300")
    assert "cannot sign in" in told
    refusal = desk.refused("account", "attach", "Claude.Morel", "pbx-with-one-channel")
    assert "could not be attributed" in refusal
    assert "regular account again" in desk.told("account", "detach", "Claude.Morel")
    assert "password" in desk.told("account", "add", "Vanessa.Lombardi")
    assert "Vanessa.Lombardi" in desk.told("account", "list")
    desk.told("carrier", "add", "backup", "192.0.2.60", "--priority", "5", "--any-port")
    assert "[AMBIGUOUS]" in desk.refused("carrier", "add", "twin", "192.0.2.50")
    assert "switched off" in desk.told("carrier", "set", "backup", "--disable")
    assert [each["name"] for each in desk.json("carrier", "list")["carriers"]] == ["main", "backup"]
    desk.told("carrier", "remove", "backup")
    assert "backup" not in desk.told("carrier", "list")


def test_a_deck_is_loaded_whole_or_its_bad_rows_are_told(desk: Desk, tmp_path: Path) -> None:
    """R67."""
    deck = tmp_path / "deck.csv"
    deck.write_text("prefix,destination,per_minute\n1,United States,0.01\n49,Germany,0.02\n")
    assert "2 rates of new" in desk.told("deck", "load", str(deck), "--name", "new")
    assert "0.01 USD" in desk.told("deck", "show", "+12026555376")
    assert "2 rates in USD" in desk.told("deck", "show")
    deck.write_text("1,United States,0.03\nx,Bad,1\n49,,0.02\n")
    said = desk.refused("deck", "load", str(deck), "--name", "bad")
    assert "line 2: " in said
    assert "line 3: the destination has no name" in said
    assert "2 bad rows: nothing was loaded [BAD_DECK]" in said
    result = desk.run("deck", "load", str(deck), "--name", "bad", "--json")
    assert json.loads(result.stderr)["error"]["details"][0]["line"] == 2
    assert "0.01 USD" in desk.told("deck", "show", "1")
    deck.write_bytes(b"1,\xff,0.03\n")
    assert "not UTF-8" in desk.refused("deck", "load", str(deck), "--name", "bad")
    missing = str(tmp_path / "no.csv")
    assert "cannot be read" in desk.refused("deck", "load", missing, "--name", "bad")


def test_call_records_are_searched_and_exported(desk: Desk) -> None:
    """R72."""
    database = Database(desk.var / "sipgw.db")
    database.write([CallRefused(CDR)], Vault.open(desk.var / "secret.key"))
    database.close()
    told = desk.told("cdr", "list")
    assert "0.0078 USD" in told
    assert "caller-hung-up" in told
    assert desk.json("cdr", "list", "--number", "2079")["cdrs"][0]["profile"] == PBX[0]
    rows = list(csv.DictReader(io.StringIO(desk.told("cdr", "list", "--csv"))))
    assert (rows[0]["called"], rows[0]["charge"]) == ("+442079460123", "0.0078 USD")
    assert "no call records match" in desk.told("cdr", "list", "--until", "2026-02-01")
    assert "no call records match" in desk.told("cdr", "list", "--refusal", "CREDIT")
    assert "c-1" in desk.told("cdr", "list", "--since", "2026-03-01", "--profile", PBX[0])
    assert "76 s -> 78 s billed" in desk.told("cdr", "show", "c-1")
    assert desk.json("cdr", "show", "c-1")["charge_micros"] == 7800
    assert "there is no record of c-9" in desk.refused("cdr", "show", "c-9")
    assert "no SIP Profile nobody" in desk.refused("cdr", "list", "--profile", "nobody")
    assert desk.run("cdr", "list", "--since", "yesterday").exit_code == 2


def test_a_long_list_is_told_whole(desk: Desk) -> None:
    """It comes in pages, so that nobody who asks holds up calls."""
    numbers = [OnlineNumber(f"+1202555{i:04}", None) for i in range(1, 1201)]
    database = Database(desk.var / "sipgw.db")
    database.write([NumberSaved(each) for each in numbers], Vault.open(desk.var / "secret.key"))
    database.close()
    told = [each["number"] for each in desk.json("number", "list")["numbers"]]
    assert told == sorted({*(each.number for each in numbers), NUMBER, *told})
    assert len(told) >= 1200


@pytest.mark.parametrize("words", [("status",), ("calls", "list"), ("registrations",)])
def test_what_only_a_running_gateway_knows_names_the_fix(
    desk: Desk, words: tuple[str, ...]
) -> None:
    said = desk.refused(*words)
    assert "no gateway is running here: start it with make run" in said
    assert "--config" in said


def test_a_command_does_not_wait_for_the_lock_of_another(desk: Desk) -> None:
    """One decider: looking is allowed, changing is not."""
    other = Database.open(desk.var / "sipgw.db")
    try:
        said = desk.refused("profile", "set", "1", "--channels", "3")
        assert "is in use by process" in said
        assert "nobody answers at" in said
        assert "channels in use" in desk.told("profile", "show", "1")
    finally:
        other.close()
    desk.told("profile", "set", "1", "--channels", "3")


def test_where_no_store_is_none_is_made(tmp_path: Path) -> None:
    empty = Desk(tmp_path)
    (tmp_path / "gateway.toml").write_text(f'[paths]\nvar = "{empty.var}"\n')
    assert "there is no store at" in empty.refused("profile", "list")
    assert "there is no store at" in empty.refused("cdr", "list")
    assert not empty.var.exists()


def test_without_its_key_a_store_is_left_alone(desk: Desk) -> None:
    """R17: a new key would open nothing."""
    key = desk.var / "secret.key"
    key.rename(desk.var / "kept.key")
    assert "need that very key" in desk.refused("profile", "list")
    assert not key.exists()
