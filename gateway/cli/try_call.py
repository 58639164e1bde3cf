"""Owns `sipgw try`: a softphone of our own calls through the gateway and says what it heard (R87).

It registers over TLS with SRTP, calls the echo test and then a telephone number, speaks a tone and
measures it coming back. Exit status 0 only when everything was as it should be.
"""

import asyncio
import json
import ssl
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli.common import ConfigOption, err, out, settings_or_exit
from gateway.cli.local_gateway import (
    Credentials,
    NotHere,
    profile_credentials,
    running_gateway,
    wait_for_cdr,
)

if TYPE_CHECKING:
    from config.settings import Settings
    from gateway.cli.softphone import PlacedCall, Softphone
    from gateway.cli.softphone_audio import AudioReport

ECHO_NUMBER = "+17606604690"  # R121
DEFAULT_NUMBER = "+12025550123"  # set aside for fiction: rings nobody's telephone
DEFAULT_PORTS = {"tls": 5061, "tcp": 5060, "udp": 5060}
TONE_HZ = 440
HELP = """Call through the gateway and say what came back. Exit status 0: all was well.

\b
Without arguments: the gateway of this machine, as its first SIP Profile, over TLS with SRTP.

\b
Examples:
  sipgw try
  sipgw try --transport udp --seconds 10
  sipgw try sip.example.com --user s-1234 --password secret --ca ca.pem
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything known before the first packet. `settings` None: the gateway is not of here."""

    host: str
    port: int
    transport: str
    realm: str
    credentials: Credentials
    ca_file: Path | None
    numbers: tuple[str, ...]
    seconds: float
    break_srtp: bool
    settings: "Settings | None"


@dataclass(slots=True)
class Report:
    """What happened, step by step: printed at once, or as JSON at the end."""

    quiet: bool
    steps: list[dict[str, object]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return bool(self.steps) and all(step["ok"] for step in self.steps)

    def tell(self, ok: bool, text: str, **facts: object) -> None:
        self.steps.append({"ok": ok, "text": text, **facts})
        if not self.quiet:
            mark = "ok  " if ok else "FAIL"
            out.print(f"{mark}  {text}", markup=False, highlight=False)


@app.command(help=HELP)
def try_call(
    gateway: Annotated[str, typer.Argument(metavar="[HOST[:PORT]]", show_default=False)] = "",
    config: ConfigOption = None,
    transport: Annotated[str, typer.Option(help="tls, tcp or udp")] = "tls",
    user: Annotated[str, typer.Option(help="SIP username; default: from the store")] = "",
    password: Annotated[str, typer.Option(help="SIP password; default: from the store")] = "",
    realm: Annotated[str, typer.Option(help="default: the gateway's own")] = "",
    number: Annotated[str, typer.Option(help="called after the echo test")] = DEFAULT_NUMBER,
    seconds: Annotated[float, typer.Option(min=0.5, max=60, help="length of each call")] = 3.0,
    ca: Annotated[
        Path | None, typer.Option(help="authority of the gateway's certificate; default: its own")
    ] = None,
    break_srtp: Annotated[
        bool, typer.Option("--break-srtp", help="encrypt with a wrong key: must fail")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, no prose")] = False,
) -> int:
    """Make the plan, carry it out, give the exit status."""
    if transport not in DEFAULT_PORTS:
        raise typer.BadParameter("one of tls, tcp, udp", param_hint="--transport")
    if break_srtp and transport != "tls":
        raise typer.BadParameter(
            "there is SRTP only with --transport tls", param_hint="--break-srtp"
        )
    report = Report(quiet=as_json)
    try:
        plan = _plan(
            gateway, config, transport, Credentials(user, password), realm, ca,
            (ECHO_NUMBER, number), seconds, break_srtp,
        )  # fmt: skip
    except NotHere as error:
        report.tell(False, str(error))
    else:
        asyncio.run(_run(plan, report))
    if as_json:
        out.print_json(json.dumps({"ok": report.ok, "steps": report.steps}))
    elif report.ok:
        out.print("Everything works.")
    else:
        err.print("Something does not work: see FAIL above.")
    return 0 if report.ok else 1


def _plan(
    gateway: str,
    config: Path | None,
    transport: str,
    credentials: Credentials,
    realm: str,
    ca: Path | None,
    numbers: tuple[str, ...],
    seconds: float,
    break_srtp: bool,
) -> Plan:
    """Fill what was not given from run.json and the store; raises NotHere."""
    if gateway:
        host, port = _host_port(gateway, DEFAULT_PORTS[transport])
        if not credentials.username:
            raise NotHere("another machine's store cannot be read: give --user and --password")
        return Plan(
            host,
            port,
            transport,
            realm or host,
            credentials,
            ca,
            numbers,
            seconds,
            break_srtp,
            None,
        )
    settings = settings_or_exit(config).settings
    running = running_gateway(settings.paths.var)
    host, port = running.listener(transport)
    if not credentials.username:
        credentials = profile_credentials(settings)
    return Plan(
        host, port, transport, realm or running.realm, credentials,
        ca or settings.certs_dir / "ca.pem", numbers, seconds, break_srtp, settings,
    )  # fmt: skip


def _host_port(text: str, default: int) -> tuple[str, int]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") > 1:
        host, port = text, ""
    else:
        host, _, port = text.partition(":")
    if port and not port.isdigit():
        raise NotHere(f"{text!r} is not HOST or HOST:PORT")
    return host, int(port) if port else default


async def _run(plan: Plan, report: Report) -> None:
    from gateway.aio.clock import SystemClock, SystemIds
    from gateway.cli.softphone import Account, CallFailed, Softphone

    try:
        context = _context(plan)
        host = await _address_of(plan.host)
    except NotHere as error:
        report.tell(False, str(error))
        return
    who = plan.credentials
    account = Account(host, plan.port, plan.transport, plan.realm, who.username, who.password)
    phone = Softphone(account, SystemClock(), SystemIds())
    try:
        await phone.open(context)
        if await _registered(phone, plan, report):
            for number in plan.numbers:
                await _call(phone, number, plan, report)
            await phone.register(expires_s=0)
    except (CallFailed, OSError) as error:
        report.tell(False, str(error))
    finally:
        await phone.close()


def _context(plan: Plan) -> ssl.SSLContext | None:
    """Trust the gateway's authority and nobody else, or the system's when none is given."""
    if plan.transport != "tls":
        return None
    if plan.ca_file is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=plan.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise NotHere(
            f"cannot read the certificate authority {plan.ca_file} ({error}): give --ca FILE"
        ) from None


async def _address_of(host: str) -> str:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None)
    except OSError as error:
        raise NotHere(f"no address for {host}: {error.strerror}") from None
    return str(found[0][4][0])


async def _registered(phone: "Softphone", plan: Plan, report: Report) -> bool:
    from gateway.cli.softphone import CallFailed

    place = f"{plan.host}:{plan.port}"
    name = plan.credentials.username
    try:
        response, took_ms = await phone.register()
    except CallFailed as error:
        report.tell(
            False, f"register {name} at {place} over {plan.transport}: {_hint(error, plan)}"
        )
        return False
    secured = phone.tls_info()
    how = f"{secured[0]}, {secured[1]}" if secured else "not encrypted"
    report.tell(
        True,
        f"registered {name} at {place} over {plan.transport} ({how}) in {took_ms:.0f} ms",
        transport=plan.transport,
        tls=secured,
        milliseconds=round(took_ms, 1),
        status=response.status,
    )
    return True


def _hint(error: Exception, plan: Plan) -> str:
    status = getattr(error, "status", 0)
    if status in (401, 407):
        return f"{error}: wrong username or password"
    if status in (0, 408, 503):
        tls = " and that --ca is its authority" if plan.transport == "tls" else ""
        return f"{error}: check that the gateway runs there (make run){tls}"
    return str(error)


async def _call(phone: "Softphone", number: str, plan: Plan, report: Report) -> None:
    """One call: answer, talk, hang up, then what it cost."""
    from gateway.aio.clock import SystemIds
    from gateway.cli.softphone import CallFailed
    from gateway.cli.softphone_audio import ToneStream
    from media.errors import SdpError

    what = "the echo test" if number == ECHO_NUMBER else "telephone number"
    stream = ToneStream(
        phone.local_host,
        SystemIds().octets,
        secure=plan.transport == "tls",
        frequency_hz=TONE_HZ,
        break_srtp=plan.break_srtp,
    )
    try:
        call = await phone.call(number, stream.offer())
    except CallFailed as error:
        stream.stop()
        report.tell(False, f"call {what} {number}: {error}", status=error.status)
        return
    try:
        stream.accept(call.answer.result().body)
    except SdpError as error:
        stream.stop()
        phone.hang_up(call)
        report.tell(False, f"call {what} {number}: the answer's media does not fit: {error}")
        return
    report.tell(True, f"called {what} {number}: answered", number=number)
    stream.start()
    await asyncio.sleep(plan.seconds)
    stream.stop()
    phone.hang_up(call)
    _tell_audio(stream.report(), plan, report)
    await _tell_cdr(call, plan, report)


def _tell_audio(audio: "AudioReport", plan: Plan, report: Report) -> None:
    guard = audio.srtp_suite or "plain RTP"
    packets = f"{audio.sent} packets out, {audio.received} back"
    if audio.undecipherable:
        packets += f", {audio.undecipherable} undecipherable"
    if audio.heard:
        trip = f", round trip {audio.round_trip_ms:.0f} ms" if audio.round_trip_ms else ""
        level_db = round(audio.level_db or 0.0, 1) + 0.0  # without the sign of a negative zero
        text = f"heard our {audio.tone_hz} Hz tone at {level_db:+.1f} dB{trip}"
    elif audio.level_db is None:
        text = "NO AUDIO came back"
    else:
        text = f"the {audio.tone_hz} Hz tone did not come back ({audio.level_db:+.1f} dB)"
    if plan.break_srtp and not audio.heard:
        text += ": our SRTP key was broken on purpose, so the gateway discarded what we sent"
    report.tell(audio.heard, f"  {text} ({guard}; {packets})", audio=asdict(audio))


async def _tell_cdr(call: "PlacedCall", plan: Plan, report: Report) -> None:
    if plan.settings is None:
        report.tell(True, "  the CDR is on the gateway's machine: not visible from here")
        return
    cdr = await asyncio.to_thread(wait_for_cdr, plan.settings, call.session.call_id)
    if cdr is None:
        report.tell(False, "  no CDR appeared in the store")
        return
    price = cdr.derivation or f"free ({cdr.kind})"
    report.tell(
        True,
        f"  CDR {cdr.call_id}: {cdr.duration_s:.1f} s, {cdr.cause}; {price}",
        call_id=cdr.call_id,
        duration_s=cdr.duration_s,
        billed_s=cdr.billed_s,
        charge_micros=cdr.charge_micros,
        currency=cdr.currency,
        media=cdr.media,
    )
