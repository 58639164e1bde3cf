"""Owns `sipgw carrier`: the trunks to the telephone network."""

from typing import Annotated

import typer

from gateway.cli import tell
from gateway.cli.common import ConfigOption, JsonOption
from gateway.cli.office import ask

app = typer.Typer(help="Carriers: list, add, change, remove.", no_args_is_help=True)

CarrierArgument = Annotated[
    str, typer.Argument(metavar="CARRIER", help="Its name: letters, digits and . _ -")
]
Port = Annotated[int | None, typer.Option(help="Default: 5060, for TLS 5061.")]
Transport = Annotated[str | None, typer.Option(help="udp, tcp or tls. Default: udp.")]
Priority = Annotated[int | None, typer.Option(help="Lower is tried first. Default: 0.")]
Weight = Annotated[
    int | None, typer.Option(help="Its share among carriers of one priority. Default: 1.")
]
MaxCalls = Annotated[int | None, typer.Option(help="Calls towards it at once; 0: no limit.")]
OptionsInterval = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="How often it is asked whether it lives; 0: never."),
]
ResponseTimeout = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="How long it may leave a call unanswered by anything."),
]
Username = Annotated[str | None, typer.Option(help="For digest; empty: it knows our address.")]
Password = Annotated[
    str | None, typer.Option(envvar="SIPGW_CARRIER_PASSWORD", help="Better by the environment.")
]
Srtp = Annotated[str | None, typer.Option(help="none, optional or required. Default: none.")]
Plus = Annotated[
    bool | None, typer.Option("--plus/--no-plus", help="Called numbers with a leading plus.")
]
MatchPort = Annotated[
    bool | None,
    typer.Option("--match-port/--any-port", help="Know its calls by address and port."),
]
Enabled = Annotated[bool | None, typer.Option("--enable/--disable")]


@app.command("list")
def list_carriers(config: ConfigOption = None, json: JsonOption = False) -> None:
    """All carriers, in the order they are tried.

    \b
    Examples:
      sipgw carrier list
      sipgw carrier list --json
    """
    told = ask(config, json, "carrier.list", {})
    if json:
        return tell.as_json(told)
    rows = [_row(each) for each in tell.parts(told, "carriers")]
    columns = (
        "NAME",
        "ADDRESS",
        "TRANSPORT",
        ">PRIORITY",
        ">WEIGHT",
        "USER NAME",
        "SRTP",
        "ENABLED",
        "NOTE",
    )
    tell.table(columns, rows, "no carriers: add one with sipgw carrier add NAME HOST")


@app.command("add")
def add(
    carrier: CarrierArgument,
    host: Annotated[str, typer.Argument(help="Its IP address.")],
    port: Port = None,
    transport: Transport = None,
    priority: Priority = None,
    weight: Weight = None,
    max_calls: MaxCalls = None,
    options_interval: OptionsInterval = None,
    response_timeout: ResponseTimeout = None,
    username: Username = None,
    password: Password = None,
    srtp: Srtp = None,
    plus: Plus = None,
    match_port: MatchPort = None,
    enabled: Enabled = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Add a carrier; the next call may use it. The built-in one makes room.

    \b
    Examples:
      sipgw carrier add main 192.0.2.50
      sipgw carrier add backup 192.0.2.60 --port 5080 --priority 10 --any-port
    """
    given = {
        "carrier": carrier, "host": host, "port": port, "transport": transport,
        "priority": priority, "username": username, "password": password, "srtp": srtp,
        "plus": plus, "match_port": match_port, "enabled": enabled,
        "weight": weight, "max_calls": max_calls, "options_interval_s": options_interval,
        "response_timeout_s": response_timeout,
    }  # fmt: skip
    _tell(ask(config, json, "carrier.add", given), json)


@app.command("set")
def set_(
    carrier: CarrierArgument,
    host: Annotated[str | None, typer.Option(help="Its IP address.")] = None,
    port: Port = None,
    transport: Transport = None,
    priority: Priority = None,
    weight: Weight = None,
    max_calls: MaxCalls = None,
    options_interval: OptionsInterval = None,
    response_timeout: ResponseTimeout = None,
    username: Username = None,
    password: Password = None,
    srtp: Srtp = None,
    plus: Plus = None,
    match_port: MatchPort = None,
    enabled: Enabled = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Change what is named; running calls go on as they are.

    \b
    Examples:
      sipgw carrier set main --priority 5
      sipgw carrier set main --disable
    """
    changes = {
        "host": host, "port": port, "transport": transport, "priority": priority,
        "username": username, "password": password, "srtp": srtp, "plus": plus,
        "match_port": match_port, "enabled": enabled,
    }  # fmt: skip
    if all(value is None for value in changes.values()):
        raise typer.BadParameter("say what to change: see --help")
    _tell(ask(config, json, "carrier.set", {"carrier": carrier, **changes}), json)


@app.command("remove")
def remove(carrier: CarrierArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """Remove a carrier; calls that run over it go on.

    \b
    Example:
      sipgw carrier remove backup
    """
    told = ask(config, json, "carrier.remove", {"carrier": carrier})
    tell.as_json(told) if json else print(f"Carrier {told['removed']} was removed.")


def _tell(told: dict[str, object], json: bool) -> None:
    if json:
        return tell.as_json(told)
    each = tell.part(told, "carrier")
    state = "is in use" if each["enabled"] else "is switched off"
    print(f"Carrier {each['name']} at {_place(each)} {state}.")


def _row(each: dict[str, object]) -> tuple[object, ...]:
    notes = ["built-in"] * bool(each["built_in"]) + ["any port"] * (not each["match_port"])
    notes += ["no plus"] * (not each["plus"])
    notes += [f"at most {each['max_calls']} calls"] * bool(each["max_calls"])
    return (
        each["name"], _place(each), each["transport"], each["priority"], each["weight"],
        each["username"], each["srtp"], each["enabled"], notes,
    )  # fmt: skip


def _place(each: dict[str, object]) -> str:
    host = str(each["host"])
    return f"[{host}]:{each['port']}" if ":" in host else f"{host}:{each['port']}"
