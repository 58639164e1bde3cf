"""The composition root: settings to objects, once; the only long import list of the project.

Owns what is connected to what, and the order of opening and closing. Decides nothing else.
"""

import asyncio
import gc
import resource
import signal
import ssl
import sys
from pathlib import Path

import uvloop
from prometheus_client import CollectorRegistry

from certs import authority, contexts
from certs.check import CertificateError, check
from config.settings import Listener, Settings
from config.version import VERSION
from gateway.admission import AdmissionEnv
from gateway.aio.admitter import Admitter
from gateway.aio.banner import Listening, Running, banner, place, write_run_file
from gateway.aio.call_runner import CallRunner
from gateway.aio.carrier_monitor import CarrierMonitor
from gateway.aio.clock import SystemClock, SystemIds
from gateway.aio.control import ControlLimits, ControlServer
from gateway.aio.desk import Desk, Live
from gateway.aio.dispatcher import Dispatcher
from gateway.aio.doorman import Doorman
from gateway.aio.http_server import HttpServer, listen
from gateway.aio.log import Log, log_stream, open_log
from gateway.aio.media_control import MediaControl
from gateway.aio.metrics import Metrics
from gateway.aio.names import RoutedNames
from gateway.aio.outbox import Outbox
from gateway.aio.recovery import end_left_over, settle_left_over
from gateway.aio.register_handler import RegisterHandler
from gateway.aio.settler import Settler
from gateway.aio.simulator import CarrierSimulator
from gateway.aio.stopping import Stopping
from gateway.aio.store_watch import StoreWatch
from gateway.aio.sweeper import Sweeper
from gateway.aio.tasks import Tasks
from gateway.b2bua.call import CallLimits
from gateway.b2bua.crossing import InvitePlan
from gateway.b2bua.hunt import HuntLimits
from gateway.bans import BanLimits, Bans
from gateway.hot_state import HotState
from gateway.identify import Identifier
from gateway.model.carrier import Carrier
from gateway.ports import Clock
from gateway.registrar import RegistrarLimits
from manager.app import create_app
from media.aio.relay import PythonRelay, RelaySettings
from sip.aio.driver import SipDriver
from sip.aio.flows import FlowLimits
from sip.aio.stream import StreamLimits
from sip.digest import Nonces
from sip.effects import Report
from sip.endpoint import Endpoint
from sip.target import LocalNames
from sip.timers import SipTimers
from store import demo
from store import ledger as ledger_rows
from store.archive import StoreArchive
from store.database import Database
from store.errors import StoreError
from store.snapshot import load
from store.vault import Vault

ALLOW = ("INVITE", "ACK", "CANCEL", "OPTIONS", "BYE", "UPDATE")
SIMULATOR_ID = 0  # no carrier of the store has it
OPEN_FILES = 65_536  # asked of the system, which may allow less
DEMO_TARIFF = Path(__file__).parent.parent / "config" / "tariffs" / "demo.csv"


class StartError(Exception):
    """The gateway cannot start; the text says why and which setting to change."""


def serve(settings: Settings, demo_company: bool = False) -> int:
    """Run the gateway until SIGTERM or SIGINT; the exit code."""
    _allow_many_files()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings, demo_company))
    except (StartError, StoreError, CertificateError) as error:
        print(f"sipgw: {error}", file=sys.stderr)  # noqa: T201 - the log may not be open yet
        return 1
    return 0


def _allow_many_files() -> None:
    """A call takes four sockets a stream: the usual 1,024 would end at 250 calls."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def _run(settings: Settings, demo_company: bool) -> None:
    await Gateway(settings, demo_company).run()


class Gateway:
    """Everything of one process, from opening to closing. Build it inside the running loop."""

    def __init__(
        self, settings: Settings, demo_company: bool = False, clock: Clock | None = None
    ) -> None:
        """`clock`: the loop's own time must be the same."""
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._clock = clock or SystemClock()
        self._ids = SystemIds()
        self._started_now = self._clock.now()
        self._stopping = Stopping()
        self._demo = demo_company
        self._listening: list[Listening] = []
        self._http: HttpServer | None = None
        self._simulator: SipDriver | None = None
        self._stand_in: Carrier | None = None  # the simulator, as a carrier
        self._log_stream = log_stream(settings.log.path)
        self._log: Log = open_log(self._log_stream, settings.log.level, settings.log.format)
        self._metrics = Metrics(CollectorRegistry())
        self._tasks = Tasks(self._log)
        self._names = RoutedNames(
            self._by_family(settings.media.advertise, settings.media.advertise6)
        )
        self._open_store(demo_company)
        self._plane = self._relay()
        self._driver = self._new_driver(self._names)
        self._build_calls()

    # Building.

    def _open_store(self, demo_company: bool) -> None:
        settings = self._settings
        settings.paths.var.mkdir(parents=True, exist_ok=True, mode=0o700)
        vault = Vault.open(settings.secret_key_path)
        self._database = Database.open(settings.store_path)
        if demo_company:
            demo.seed_demo(self._database, vault, DEMO_TARIFF, self._ids, self._clock.at())
        with self._database.reader() as connection:
            self._snapshot = load(connection, vault, now=self._clock.now(), at=self._clock.at())
            recent = ledger_rows.recent(connection)
        self._hot = HotState(self._snapshot, settings.realms)
        for entry in recent:
            self._hot.ledger.remember(entry)  # a replay is known across a restart (R66)
        for sentence in self._hot.check():
            self._log.warning("configuration", problem=sentence)
        self._journal = self._database.writer(self._loop, self._store_failed, vault=vault)

    def _store_failed(self, error: Exception) -> None:
        self._log.error("the store cannot write", exc_info=error)
        self._store_watch.look()

    def _store_changed(self, ok: bool) -> None:
        self._admitter.store_down = self._outbox.store_down = not ok

    def _new_driver(self, names: LocalNames) -> SipDriver:
        """A SIP endpoint with its sockets; its TU is set when it is built."""
        settings, timers = self._settings, self._settings.timers
        endpoint = Endpoint(
            self._ids,
            SipTimers(t1_s=timers.t1_s, t2_s=timers.t2_s, t4_s=timers.t4_s),
            names,
            user_agent=settings.user_agent,
            allow=ALLOW,
        )
        limits = settings.limits
        return SipDriver(
            endpoint,
            self._clock,
            report=self._reported,
            client_context=contexts.client_context(settings.certs.peer_ca),
            flow_limits=FlowLimits(limits.connections, limits.connections_per_address),
            stream_limits=StreamLimits(
                write_buffer=limits.write_buffer_octets,
                idle_s=limits.idle_timeout_s,
                handshake_s=limits.handshake_timeout_s,
            ),
        )

    def _reported(self, report: Report, error: BaseException | None) -> None:
        self._metrics.protocol_errors.labels(report.kind).inc()
        say = self._log.debug if error is None else self._log.error
        source = place(*report.flow.remote) if report.flow else ""
        say("sip", kind=report.kind, detail=report.detail, source=source, exc_info=error)

    def _relay(self) -> PythonRelay:
        media = self._settings.media
        return PythonRelay(
            RelaySettings(
                bind=self._by_family(media.bind, media.bind6),
                # What is not configured is named per call, where the peer is known.
                advertise=self._by_family(
                    media.advertise or media.bind, media.advertise6 or media.bind6
                ),
                port_low=media.port_min,
                port_high=media.port_max,
                silence_s=media.silence_timeout_s,
            ),
            clock=self._clock.now,
            octets=self._ids.octets,
        )

    @staticmethod
    def _by_family(v4: str, v6: str) -> dict[int, str]:
        return {family: host for family, host in ((4, v4), (6, v6)) if host}

    def _build_calls(self) -> None:
        settings, clock, log, metrics = self._settings, self._clock, self._log, self._metrics
        self._carriers = CarrierMonitor(
            self._hot, self._driver, self._local_for, clock, self._ids, log, metrics, self._loop,
            settings.realm, settings.user_agent,
        )  # fmt: skip
        env = AdmissionEnv(
            settings.realm, self._local_for, frozenset(settings.echo_numbers),
            in_order=self._carriers.in_order,
        )  # fmt: skip
        journal = self._outbox = Outbox(self._journal, log, metrics, self._loop)
        self._store_watch = StoreWatch(
            self._journal.stats, clock, log, metrics, self._store_changed,
            lambda: self._outbox.unwritten,
        )  # fmt: skip
        self._admitter = Admitter(
            self._hot, env, journal, clock, log, metrics, settings.limits.calls
        )
        self._settler = Settler(self._hot, journal, self._admitter, clock, log, metrics)
        hunt = HuntLimits(ring_s=settings.calls.ring_timeout_s)
        self._runner = CallRunner(
            self._driver, self._admitter, self._settler, MediaControl(self._plane, self._names),
            self._names, self._carriers, clock, self._ids, log, metrics,
            CallLimits(hunt, settings.calls.max_duration_s),
            InvitePlan(settings.user_agent, ALLOW), self._loop,
        )  # fmt: skip
        self._plane.events = self._runner
        identifier = Identifier(self._hot, Nonces(self._ids.octets(32)), settings.realms, self._ids)
        bans = settings.limits
        self._doorman = Doorman(
            identifier,
            Bans(BanLimits(bans.failed_credentials, bans.failed_window_s, bans.ban_s)),
            self._hot, clock, log, metrics,
        )  # fmt: skip
        of = settings.registrar
        limits = RegistrarLimits(
            of.min_expires_s, of.nat_expires_s, of.default_expires_s, of.max_bindings,
            of.conflict == "refuse",
        )  # fmt: skip
        self._register = RegisterHandler(
            self._hot, self._doorman, limits, self._journal, self._driver, clock, log, metrics
        )
        self._driver.tu = Dispatcher(
            self._doorman, self._register, self._runner, self._carriers, self._driver, clock,
            self._ids, log, metrics, ALLOW,
        )  # fmt: skip
        self._driver.flow_lost = self._register.flow_lost
        self._driver.turns_away = self._doorman.turns_away
        self._sweeper = Sweeper(
            self._hot, self._runner, self._register, self._doorman, self._journal, clock, log,
            metrics, self._store_watch,
        )  # fmt: skip
        self._control = self._control_socket()

    def _control_socket(self) -> ControlServer:
        live = Live(
            self._runner, self._plane, self._status, self._register.drop, self._choose_stand_in,
            self._doorman,
        )  # fmt: skip
        desk = Desk(
            self._hot, self._journal, StoreArchive(self._database), live, self._clock, self._ids,
            self._log, self._tasks, allow_private_peers=self._settings.allow_private_peers,
        )  # fmt: skip
        return ControlServer(self._settings.control_path, desk, self._log, ControlLimits())

    def _local_for(self, transport: str, remote_host: str) -> tuple[str, int]:
        """Our bound address of a transport, in the family of the peer."""
        six = ":" in remote_host
        for listener in self._listening:
            if listener.transport == transport and (":" in listener.host) == six:
                return listener.host, listener.port
        return ("::" if six else "0.0.0.0"), 0

    # Opening.

    async def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self.stop)
        try:
            left_over = self._snapshot.open_calls
            settled = settle_left_over(left_over, self._hot, self._clock, self._log)
            await self._open()
            end_left_over(left_over, settled, self._outbox, self._driver, self._clock, self._log)
            self._tune_collector()
            self._announce()
            await self._stopping.wait()
        finally:
            await self._close()

    async def _open(self) -> None:
        tls = self._tls_context()
        for listener in self._settings.listeners:
            await self._listen(listener, tls)
        if not self._listening:
            raise StartError("no listener could be opened: see the settings under [[listeners]]")
        await self._start_simulator()
        self._carriers.start()
        self._open_http()
        await self._open_control()
        self._tasks.spawn(self._sweeper.run(), "sweeper")

    def stop(self) -> None:
        """As SIGTERM: take no new calls and let the running ones end; again: end them now."""
        self._stopping.ask()

    async def _listen(self, listener: Listener, tls: ssl.SSLContext) -> None:
        host, port = listener.address
        try:
            match listener.transport:
                case "udp":
                    bound = await self._driver.listen_udp(host, port)
                case "tcp":
                    bound = await self._driver.listen_tcp(host, port)
                case "tls":
                    bound = await self._driver.listen_tls(host, port, tls)
        except OSError as error:
            problem = (
                f"{listener.transport.upper()} {place(host, port)} cannot be opened "
                f"({error.strerror or error}): free it, or change bind of the listener "
                f"{listener.name!r} under [[listeners]]"
            )
            if not listener.optional:
                raise StartError(problem) from error
            self._log.warning("optional listener not opened", problem=problem)
            return
        told_host, told_port = listener.advertised
        if told_host:
            self._names.advertise(
                listener.transport, listener.family, told_host, told_port or bound[1]
            )
        self._names.listening(listener.transport, listener.family, bound[1])
        self._listening.append(Listening(listener.name, listener.transport, *bound))

    def _tls_context(self) -> ssl.SSLContext:
        settings = self._settings
        if settings.certs.cert is None:
            told = [listener.advertised[0] for listener in settings.listeners]
            authority.ensure(settings.certs_dir, [*settings.realms, *told], self._clock.at())
        found = check(settings.cert_path, settings.key_path, self._clock.at())
        if found.expires_soon(self._clock.at()):
            self._log.warning("the TLS certificate expires soon", expires=found.not_after)
        return contexts.server_context(
            settings.cert_path, settings.key_path, settings.certs.client_ca
        )

    async def _start_simulator(self) -> None:
        """The built-in carrier: on when asked for, or while there is no other."""
        wanted = self._settings.simulator.enabled
        if wanted == "off" or (wanted == "auto" and self._hot.carriers):
            return
        driver = self._simulator = self._new_driver(LocalNames())
        host, port = await driver.listen_udp(*self._settings.simulator.address)
        simulator = CarrierSimulator(
            driver.endpoint, driver.execute, self._plane, self._clock, self._ids,
            self._loop.call_later,
        )  # fmt: skip
        driver.tu = simulator.on_event
        self._stand_in = Carrier(
            SIMULATOR_ID, "simulator", host, port, priority=1_000, options_interval_s=0
        )
        self._hot.put_carrier(self._stand_in)

    def _choose_stand_in(self) -> None:
        """Left to itself the built-in carrier makes room for a real one, and comes back."""
        if self._stand_in is None or self._settings.simulator.enabled != "auto":
            return
        real = any(carrier.id != SIMULATOR_ID for carrier in self._hot.carriers)
        if real and SIMULATOR_ID in self._hot.carrier_by_id:
            self._hot.remove_carrier(SIMULATOR_ID)
        elif not real and SIMULATOR_ID not in self._hot.carrier_by_id:
            self._hot.put_carrier(self._stand_in)

    def _open_http(self) -> None:
        host, port = self._settings.http.address
        try:
            sock = listen(host, port)
        except OSError as error:
            raise StartError(
                f"HTTP {place(host, port)} cannot be opened ({error.strerror or error}): free it, "
                "or change http.bind"
            ) from error
        self._http = HttpServer(create_app(self._status, self._metrics.registry), sock)
        self._tasks.spawn(self._http.run(), "http")

    async def _open_control(self) -> None:
        path = self._settings.control_path
        try:
            await self._control.open()
        except OSError as error:
            raise StartError(
                f"the control socket {path} cannot be opened ({error.strerror or error}): free it, "
                "or change control.path"
            ) from error

    def _tune_collector(self) -> None:
        """What lives as long as the process is never walked again; short stalls instead of long."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)

    def _announce(self) -> None:
        settings = self._settings
        assert self._http is not None
        running = Running(
            VERSION,
            settings.realm,
            tuple(self._listening),
            (settings.media.port_min, settings.media.port_max),
            self._http.address,
            settings.echo_numbers[0] if settings.echo_numbers else "",
            tuple(carrier.name for carrier in self._hot.carriers),
        )
        write_run_file(settings.paths.var / "run.json", running)
        print(banner(running, self._credentials()), flush=True)  # noqa: T201 - the banner is for people
        self._log.info(
            "up", listeners=[f"{x.transport} {place(x.host, x.port)}" for x in running.listeners]
        )

    def _credentials(self) -> tuple[str, str, str] | None:
        """A profile's, for the banner of a demonstration only."""
        if not self._demo:
            return None
        profile = min(self._hot.profile_by_id.values(), key=lambda each: each.id)
        return profile.name, profile.username, profile.password

    def _status(self) -> dict[str, object]:
        return {
            "status": self._health(),
            "version": VERSION,
            "uptime_s": round(self._clock.now() - self._started_now),
            "listeners": [
                {"name": x.name, "transport": x.transport, "address": place(x.host, x.port)}
                for x in self._listening
            ],
            "live_calls": len(self._runner),
            "registrations": len(self._hot.location),
            "carriers": self._carriers.status(),
            "store": "ok" if self._store_watch.ok else "cannot write",
            "unsettled": self._outbox.unwritten,
        }

    def _health(self) -> str:
        if self._stopping.asked:
            return "stopping"
        return "ok" if self._store_watch.ok else "degraded"

    # Closing.

    async def _close(self) -> None:
        """Take no new calls, end the running ones, settle all, then let go of everything."""
        self._admitter.closing = True
        await self._stopping.drain(
            self._runner, self._driver.endpoint, self._outbox, self._settings.calls.drain_timeout_s
        )
        await self._control.aclose()
        self._carriers.close()
        self._register.flush()
        if self._http is not None:
            self._http.stop()
        for driver in (self._simulator, self._driver):
            if driver is not None:
                await driver.aclose()
        await self._plane.aclose()
        left = self._outbox.close()
        self._journal.close()
        if left:
            # Their rows are still open: the next start bills them to their last heartbeat.
            self._log.error("stopped before the store took everything", batches=left)
        await self._tasks.close()
        self._database.close()
        (self._settings.paths.var / "run.json").unlink(missing_ok=True)
        self._log.info("stopped")
        if self._log_stream is not sys.stderr:
            self._log_stream.close()
