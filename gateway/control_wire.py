"""Owns the messages of the control socket: one JSON object on each line, both ways.

    {"id": 1, "verb": "profile.show", "args": {"profile": "Sales.Architects"}}
    {"id": 1, "result": {"profile": {...}}}
    {"id": 1, "error": {"code": "NOT_FOUND", "sentence": "...", "details": []}}

Requests of one connection are answered in their order; the id is the asker's. What verbs there are
is not known here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.commands.base import CommandError, Json

MAX_REQUEST = 262_144  # octets, the line's end included
MAX_ANSWER = 16_777_216

MessageId = int | str | None


@dataclass(frozen=True, slots=True)
class Ask:
    id: MessageId
    verb: str
    args: Mapping[str, object]


class BadAsk(Exception):
    """A line that is no request; `id` is the asker's, where it could be read."""

    def __init__(self, sentence: str, id: MessageId = None) -> None:
        super().__init__(sentence)
        self.id = id


def ask_line(id: MessageId, verb: str, args: Mapping[str, object]) -> bytes:
    """A request; raises CommandError when it is longer than a gateway takes."""
    line = _line({"id": id, "verb": verb, "args": dict(args)})
    if len(line) > MAX_REQUEST:
        raise CommandError("TOO_LONG", f"{verb}: a request has at most {MAX_REQUEST} octets")
    return line


def read_ask(line: bytes) -> Ask:
    """A request as it arrived; raises BadAsk."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise BadAsk("a request is one JSON object on one line, in UTF-8") from None
    if not isinstance(message, dict):
        raise BadAsk("a request is a JSON object")
    id = message.get("id")
    if not isinstance(id, int | str) or isinstance(id, bool) or len(str(id)) > 64:
        raise BadAsk("id must be a number or a short text")
    verb, args = message.get("verb"), message.get("args", {})
    if not isinstance(verb, str):
        raise BadAsk("verb must be text", id)
    if not isinstance(args, dict):
        raise BadAsk("args must be an object", id)
    unknown = message.keys() - {"id", "verb", "args"}
    if unknown:
        raise BadAsk(f"unknown: {', '.join(sorted(unknown))}", id)
    return Ask(id, verb, args)


def result_line(id: MessageId, result: Json) -> bytes:
    return _line({"id": id, "result": result})


def error_line(id: MessageId, error: CommandError) -> bytes:
    told = {"code": error.code, "sentence": error.sentence, "details": list(error.details)}
    return _line({"id": id, "error": told})


def read_answer(line: bytes, id: MessageId) -> Json:
    """The result of request `id`; raises CommandError for a refusal, ValueError for nonsense."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("the answer is not an object")
    error = message.get("error")
    if isinstance(error, dict):
        raise _refusal(error)
    result = message.get("result")
    if message.get("id") != id or not isinstance(result, dict):
        raise ValueError("the answer belongs to another request")
    return result


def _refusal(error: Mapping[str, object]) -> CommandError:
    code, details = str(error.get("code")), error.get("details")
    sentence = str(error.get("sentence"))
    try:
        return CommandError(code, sentence, details if isinstance(details, list) else ())
    except AssertionError:  # a newer gateway than this program
        return CommandError("INTERNAL", f"{sentence} ({code})")


def _line(message: Mapping[str, object]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
