"""Owns `sipgw status`, `sipgw calls` and `sipgw registrations`: what a running gateway is doing."""

from typing import Annotated

import typer

from gateway.cli import tell
from gateway.cli.common import ConfigOption, JsonOption
from gateway.cli.office import ask

calls_app = typer.Typer(help="Live calls: list them, end one.", no_args_is_help=True)


def status(config: ConfigOption = None, json: JsonOption = False) -> None:
    """What the running gateway is, where it listens and what goes through it.

    \b
    Examples:
      sipgw status
      sipgw status --json
    """
    told = ask(config, json, "status", {}, live=True)
    if json:
        return tell.as_json(told)
    tell.fields(
        [
            ("version", told["version"]),
            ("status", told["status"]),
            ("up for", tell.duration(told["uptime_s"])),
            *(
                (f"listener {each['name']}", f"{each['transport']} {each['address']}")
                for each in tell.parts(told, "listeners")
            ),
            ("live calls", told["live_calls"]),
            ("registrations", told["registrations"]),
            *(_carrier(name, each) for name, each in tell.part(told, "carriers").items()),
            ("unsettled", told["unsettled"]),
        ]
    )


@calls_app.command("list")
def list_calls(
    profile: Annotated[str | None, typer.Option(help="Only calls of this SIP Profile.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Live calls, the oldest first: parties, state, seconds, what they cost by now, packets.

    \b
    Examples:
      sipgw calls list
      sipgw calls list --profile Sales.Architects
      sipgw calls list --json
    """
    told = ask(config, json, "calls", {"profile": profile}, live=True)
    if json:
        return tell.as_json(told)
    columns = ("CALL", "PROFILE", "KIND", "DIRECTION", "CALLER", "CALLED", "STATE", ">TIME",
               ">COST", "TARGET", "RTP a in/out", "b in/out")  # fmt: skip
    rows = [
        (each["call"], each["profile"], each["kind"], each["direction"], each["caller"],
         each["called"], each["state"], tell.duration(each["seconds"]), each["cost"] or "free",
         each["target"], _packets(each, "a"), _packets(each, "b"))
        for each in tell.parts(told, "calls")
    ]  # fmt: skip
    tell.table(columns, rows, "no calls")
    if told["total"] != len(rows):
        print(f"{len(rows)} of {told['total']}")


@calls_app.command("hangup")
def hang_up(
    call: Annotated[str, typer.Argument(help="The call's id, or enough of its beginning.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """End one call on both sides; it is billed to this moment.

    \b
    Example:
      sipgw calls hangup c-4f1b2a
    """
    told = ask(config, json, "calls.hangup", {"call": call}, live=True)
    tell.as_json(told) if json else print(told["sentence"])


def registrations(config: ConfigOption = None, json: JsonOption = False) -> None:
    """Who is registered: contact, transport, source address, NAT, seconds left, user agent.

    \b
    Examples:
      sipgw registrations
      sipgw registrations --json
    """
    told = ask(config, json, "registrations", {}, live=True)
    if json:
        return tell.as_json(told)
    columns = ("OWNER", "NAME", "CONTACT", "TRANSPORT", "SOURCE", "NAT", ">EXPIRES IN",
               "USER AGENT")  # fmt: skip
    rows = [
        (each["owner"], each["name"], each["contact"], each["transport"], each["source"],
         each["nat"], f"{each['expires_in_s']} s", each["user_agent"])
        for each in tell.parts(told, "registrations")
    ]  # fmt: skip
    tell.table(columns, rows, "nobody is registered")
    if told["total"] != len(rows):
        print(f"{len(rows)} of {told['total']}")


def _carrier(name: str, standing: object) -> tuple[str, str]:
    assert isinstance(standing, dict)
    reason = f" ({standing['reason']})" if standing["reason"] else ""
    return f"carrier {name}", f"{standing['health']}{reason}, {standing['calls']} calls"


def _packets(call: dict[str, object], side: str) -> str:
    if call["packets"] is None:
        return "-"
    counted = tell.part(tell.part(call, "packets"), side)
    return f"{counted['received']}/{counted['sent']}"
