"""Owns `sipgw profile` and `sipgw password`: SIP Profiles and their sign-in."""

from typing import Annotated

import typer

from gateway.cli import tell
from gateway.cli.common import ConfigOption, JsonOption
from gateway.cli.office import ask, ask_all

app = typer.Typer(help="SIP Profiles: list, show, make, change.", no_args_is_help=True)
password_app = typer.Typer(help="Sign-in details of profiles and accounts.", no_args_is_help=True)


@password_app.callback()
def group() -> None:
    """Keeps `show` a sub-command while it is the only one."""


ProfileArgument = Annotated[
    str, typer.Argument(metavar="PROFILE", help="The profile's name, SIP user name or id.")
]
Channels = Annotated[
    str | None,
    typer.Option(help="1 to 300; above 100 rounded to the nearest 10. Makes the profile active."),
]
CallerId = Annotated[
    str | None, typer.Option(metavar="NUMBER", help='Shown to the called side; "none" for none.')
]
Srtp = Annotated[str | None, typer.Option(help="none, optional or required.")]
Mode = Annotated[str | None, typer.Option(help="registration, or ip for a fixed address.")]
Address = Annotated[
    str | None, typer.Option(metavar="IP:PORT", help="The PBX's fixed address; sets mode ip.")
]
Transport = Annotated[str | None, typer.Option(help="Mode ip: udp, tcp or tls.")]
DialectOption = Annotated[str | None, typer.Option("--dialect", help="classic or modern.")]
RequireTls = Annotated[bool | None, typer.Option("--require-tls/--no-require-tls")]
Sha256 = Annotated[
    bool | None, typer.Option("--sha256/--no-sha256", help="Offer SHA-256 beside MD5.")
]


@app.command("list")
def list_profiles(config: ConfigOption = None, json: JsonOption = False) -> None:
    """All profiles with their channels and credit.

    \b
    Examples:
      sipgw profile list
      sipgw profile list --json
    """
    told = ask_all(config, json, "profile.list", {}, "profiles")
    if json:
        return tell.as_json(told)
    columns = ("ID", "NAME", "USER NAME", "MODE", ">CHANNELS", ">IN USE", "SUBSCRIPTION",
               ">CREDIT", "CALLER ID", "REGISTERED")  # fmt: skip
    rows = [
        (each["id"], each["name"], each["username"], each["address"] or each["mode"],
         each["channels"], each["channels_in_use"], each["subscription"],
         tell.part(each, "credit")["balance"], each["caller_id"] or "none",
         bool(each["registrations"]))
        for each in tell.parts(told, "profiles")
    ]  # fmt: skip
    tell.table(columns, rows, "no profiles: make one with sipgw profile new NAME --channels 10")


@app.command("show")
def show(profile: ProfileArgument, config: ConfigOption = None, json: JsonOption = False) -> None:
    """One profile with all its settings; the password is in: sipgw password show.

    \b
    Examples:
      sipgw profile show Sales.Architects
      sipgw profile show 99051000100001 --json
    """
    told = ask(config, json, "profile.show", {"profile": profile})
    if json:
        return tell.as_json(told)
    _show(tell.part(told, "profile"))


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="For yourselves; PBXs never see it.")],
    manager: Annotated[str | None, typer.Option(help="Needed when there are several.")] = None,
    channels: Channels = None,
    caller_id: CallerId = None,
    srtp: Srtp = None,
    mode: Mode = None,
    address: Address = None,
    transport: Transport = None,
    dialect: DialectOption = None,
    require_tls: RequireTls = None,
    sha256: Sha256 = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make a profile; its user name and password are made for it and printed.

    \b
    Examples:
      sipgw profile new Support.Architects --channels 10
      sipgw profile new Plant --channels 30 --address 203.0.113.7:5060
    """
    given = {
        "name": name, "manager": manager, "channels": channels, "caller_id": caller_id,
        "srtp": srtp, "mode": mode, "address": address, "transport": transport,
        "dialect": dialect, "require_tls": require_tls, "sha256": sha256,
    }  # fmt: skip
    told = ask(config, json, "profile.new", given)
    if json:
        return tell.as_json(told)
    _tell_rounding(channels, tell.part(told, "profile"))
    _show(tell.part(told, "profile"))
    print()
    _sign_in(tell.part(told, "sign_in"))


@app.command("set")
def set_(
    profile: ProfileArgument,
    name: Annotated[str | None, typer.Option(help="A new name; nothing else notices.")] = None,
    channels: Channels = None,
    caller_id: CallerId = None,
    srtp: Srtp = None,
    mode: Mode = None,
    address: Address = None,
    transport: Transport = None,
    dialect: DialectOption = None,
    require_tls: RequireTls = None,
    sha256: Sha256 = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Change what is named; the next call follows, running calls and registrations stay.

    \b
    Examples:
      sipgw profile set Sales.Architects --channels 40
      sipgw profile set Sales.Architects --name Sales.EMEA --caller-id none
      sipgw profile set Plant --address 203.0.113.7:5062
      sipgw profile set Plant --mode registration --require-tls
    """
    changes = {
        "name": name, "channels": channels, "caller_id": caller_id, "srtp": srtp, "mode": mode,
        "address": address, "transport": transport, "dialect": dialect,
        "require_tls": require_tls, "sha256": sha256,
    }  # fmt: skip
    if all(value is None for value in changes.values()):
        raise typer.BadParameter("say what to change: see --help")
    told = ask(config, json, "profile.set", {"profile": profile, **changes})
    if json:
        return tell.as_json(told)
    _tell_rounding(channels, tell.part(told, "profile"))
    _show(tell.part(told, "profile"))


@password_app.command("show")
def show_password(
    profile: Annotated[
        str | None, typer.Argument(metavar="[PROFILE]", help="Name, SIP user name or id.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="An on-net account instead.")] = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Authentication details: realm, user name and password, in clear.

    \b
    Examples:
      sipgw password show Sales.Architects
      sipgw password show --account Hiroshi.Tanaka
    """
    if (profile is None) == (account is None):
        raise typer.BadParameter("name a profile, or an account with --account")
    told = ask(config, json, "password.show", {"profile": profile, "account": account})
    if json:
        return tell.as_json(told)
    _sign_in(tell.part(told, "sign_in"))


@password_app.command("new")
def new_password(
    profile: ProfileArgument, config: ConfigOption = None, json: JsonOption = False
) -> None:
    """Generate a new password. Nobody is disconnected: calls go on until the registration ends.

    Choose a quiet hour, and have whoever configures the PBX at hand: before the time that is
    printed the PBX must register with the new password.

    \b
    Examples:
      sipgw password new Sales.Architects
      sipgw password new 99051000100001 --json
    """
    told = ask(config, json, "password.new", {"profile": profile})
    if json:
        return tell.as_json(told)
    _sign_in(tell.part(told, "sign_in"))
    print(told["sentence"])


def _show(profile: dict[str, object]) -> None:
    credit = tell.part(profile, "credit")
    used = f"{profile['channels_in_use']} of {profile['channels']}"
    tell.fields(
        [
            ("name", profile["name"]),
            ("id", profile["id"]),
            ("manager", profile["manager"]),
            ("user name", profile["username"]),
            ("mode", profile["mode"]),
            ("address", profile["address"] and f"{profile['transport']} {profile['address']}"),
            ("channels in use", used),
            ("subscription", profile["subscription"]),
            ("credit", credit["balance"]),
            ("reserved", credit["reserved"]),
            ("caller ID", profile["caller_id"] or "none"),
            ("Online Numbers", profile["numbers"]),
            ("accounts", profile["accounts"]),
            ("registrations", profile["registrations"]),
            ("SRTP", profile["srtp"]),
            ("require TLS", profile["require_tls"]),
            ("SHA-256", profile["sha256"]),
            ("dialect", profile["dialect"]),
        ]
    )


def _sign_in(sign_in: dict[str, object]) -> None:
    tell.fields(
        [
            ("realm", sign_in["realm"]),
            ("user name", sign_in["username"]),
            ("password", sign_in["password"]),
        ]
    )


def _tell_rounding(asked: str | None, profile: dict[str, object]) -> None:
    """R25: above 100 channels come in tens."""
    if asked is not None and asked.isdigit() and int(asked) != profile["channels"]:
        print(f"{asked} channels were rounded to {profile['channels']}.")
