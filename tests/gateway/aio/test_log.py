"""One JSON line per decision."""

import io
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TextIO, cast

from gateway.aio.log import LogFile, log_stream, open_log
from tests.support.factories import carrier, onnet_account, profile


def test_a_line_is_one_json_object_with_time_level_and_facts(tmp_path: Path) -> None:
    """R133"""
    path = tmp_path / "log" / "sipgw.log"
    with log_stream(str(path)) as stream:
        log = open_log(stream, "info", "auto")
        log.info("call refused", call="c-1", code="CREDIT")
        log.debug("not at this level")
    (line,) = path.read_text().splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["call"]) == ("call refused", "info", "c-1")
    assert told["at"].endswith("Z")


def test_an_exception_is_told_with_its_stack(tmp_path: Path) -> None:
    path = tmp_path / "sipgw.log"
    with log_stream(str(path)) as stream:
        log = open_log(stream, "error", "json")
        try:
            raise ValueError("broken")
        except ValueError as error:
            log.error("call broke", exc_info=error)
    assert "ValueError: broken" in json.loads(path.read_text())["exception"]


def test_what_holds_a_password_does_not_show_it(tmp_path: Path) -> None:
    """R17: even a whole noun thrown at the log gives nothing away."""
    path = tmp_path / "sipgw.log"
    secret = "0123456789abcdef0123456789abcdef"
    with log_stream(str(path)) as stream:
        log = open_log(stream, "info", "json")
        for noun in (
            profile(password=secret),
            replace(onnet_account(), password=secret),
            carrier(password=secret, username="we"),
        ):
            log.info("noun", noun=noun, text=repr(noun))
    assert secret not in path.read_text()


def test_a_full_disk_loses_lines_and_says_so_afterwards(tmp_path: Path) -> None:
    """R73: a call must not fail because its log line cannot be written."""
    full = LogFile(Path("/dev/full"))
    log = open_log(cast(TextIO, full), "info", "json")
    log.info("call ended")
    log.info("call ended")
    assert full.lost == 2
    full.close()
    path = tmp_path / "sipgw.log"
    later = LogFile(path)
    later.lost = full.lost
    later.write("back\n")
    later.close()
    assert path.read_text() == "2 log lines could not be written\nback\n"


def test_a_text_line_keeps_its_facts_apart_and_stays_one_line() -> None:
    """R133"""
    stream = io.StringIO()
    log = open_log(stream, "info", "text")
    log.info("call refused", code="CREDIT", called="1 2", agent="a\nb=c", target="", at_once=None)
    (line,) = stream.getvalue().splitlines()
    at, rest = line.split(" ", 1)
    assert datetime.fromisoformat(at).tzinfo is not None
    told = "call refused agent='a\\nb=c' at_once=None called='1 2' code=CREDIT target="
    assert " ".join(rest.split()) == f"[info ] {told}"


def test_an_exception_follows_its_text_line() -> None:
    stream = io.StringIO()
    try:
        raise ValueError("broken")
    except ValueError as error:
        open_log(stream, "error", "text").error("call broke", call="c-1", exc_info=error)
    first, *stack = stream.getvalue().splitlines()
    assert first.endswith("call broke                     call=c-1")
    assert stack[-1] == "ValueError: broken"
