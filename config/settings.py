"""Owns the settings: every field, its default and its bounds, frozen once read.

Where the values come from is `config.load`'s business; what they mean to a room is that room's.
Relative paths are taken from the working directory.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config.address import is_address, is_host, join, parse_advertise, parse_bind
from config.version import VERSION


def _bind(text: str) -> str:
    parse_bind(text)
    return text


def _advertise(text: str) -> str:
    parse_advertise(text)
    return text


def _host(text: str) -> str:
    if not is_host(text):
        raise ValueError(f"{text!r} is neither a host name nor an IP address")
    return text.lower()


def _number(text: str) -> str:
    if not (text.startswith("+") and text[1:].isascii() and text[1:].isdigit()):
        raise ValueError(f"{text!r}: write the full international number with a plus")
    return text


Bind = Annotated[str, AfterValidator(_bind)]
Advertise = Annotated[str, AfterValidator(_advertise)]
Host = Annotated[str, AfterValidator(_host)]
Number = Annotated[str, AfterValidator(_number)]
Port = Annotated[int, Field(ge=1024, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
WholeSeconds = Annotated[int, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]


class Section(BaseModel):
    """A table of the file: frozen, and an unknown key is an error."""

    # Defaults are checked too: one setting may put another's default out of bounds.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Listener(Section):
    """One socket the gateway answers SIP on."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    transport: Literal["udp", "tcp", "tls"]
    bind: Bind
    advertise: Advertise = ""  # empty and bound to a wildcard: our address towards each peer
    optional: bool = False  # a failure to bind is logged, not fatal

    @property
    def address(self) -> tuple[str, int]:
        return parse_bind(self.bind)

    @property
    def advertised(self) -> tuple[str, int | None]:
        """What Via and Contact say; ("", None) when it is chosen per flow."""
        return parse_advertise(self.advertise)

    @property
    def family(self) -> int:
        return 6 if ":" in self.address[0] else 4


def default_listeners() -> tuple[Listener, ...]:
    """SIP's own ports on both families; IPv6 only where the machine has it."""
    ports = {"udp": 5060, "tcp": 5060, "tls": 5061}
    hosts = (("", "0.0.0.0", False), ("6", "::", True))
    return tuple(
        Listener.model_validate(
            {
                "name": transport + suffix,
                "transport": transport,
                "bind": join(host, port),
                "optional": optional,
            }
        )
        for suffix, host, optional in hosts
        for transport, port in ports.items()
    )


class Media(Section):
    """Where RTP goes through us."""

    engine: Literal["python"] = "python"
    bind: str = "0.0.0.0"
    bind6: str = "::"  # empty: no IPv6 media
    advertise: str = ""  # empty: our address towards each peer
    advertise6: str = ""
    port_min: Port = 16384
    port_max: Port = 32767
    silence_timeout_s: Seconds = 60.0

    @field_validator("bind", "advertise", "bind6", "advertise6")
    @classmethod
    def _is_literal(cls, value: str, info: ValidationInfo) -> str:
        version = 6 if info.field_name in ("bind6", "advertise6") else 4
        if not value and info.field_name != "bind":
            return value
        if not is_address(value, version):
            raise ValueError(f"{value!r} is not an IPv{version} address")
        return value

    @field_validator("port_max")
    @classmethod
    def _holds_a_call(cls, value: int, info: ValidationInfo) -> int:
        first = info.data.get("port_min")
        if first is not None and value - first < 3:
            # One call takes a pair for RTP and RTCP on each side.
            raise ValueError(f"needs to be at least 3 above port_min ({first}): four ports a call")
        return value


class Http(Section):
    """The health page and the metrics."""

    bind: Bind = "127.0.0.1:8080"

    @property
    def address(self) -> tuple[str, int]:
        return parse_bind(self.bind)


class Paths(Section):
    var: Path = Path("var")  # everything the gateway writes


class Control(Section):
    """Where `sipgw` commands reach the running gateway."""

    path: Path | None = None  # none: control.sock in paths.var


class Store(Section):
    path: Path | None = None  # none: sipgw.db in paths.var


class Certs(Section):
    """Certificates for TLS listeners and connections. Missing ones are made for development."""

    dir: Path | None = None  # none: certs in paths.var
    cert: Path | None = None  # PEM, the chain included; none: server.pem in dir
    key: Path | None = None  # PEM; none: server.key in dir
    client_ca: Path | None = None  # set: TLS peers must show a certificate of this authority
    peer_ca: Path | None = None  # who signs the servers we dial; none: the system's authorities

    @model_validator(mode="after")
    def _comes_in_pairs(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key belong together: give both or neither")
        return self


class Log(Section):
    path: str = "-"  # "-": standard error
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"  # auto: text on a terminal, else JSON lines


class Registrar(Section):
    """Binding lives (R81) and how many a profile may hold."""

    min_expires_s: WholeSeconds = 30
    default_expires_s: WholeSeconds = 3600  # also the longest that is granted
    nat_expires_s: WholeSeconds = 45
    max_bindings: Count = 10
    conflict: Literal["newest", "refuse"] = "newest"  # a second PBX on one profile (R13)

    @field_validator("default_expires_s", "nat_expires_s")
    @classmethod
    def _not_below_minimum(cls, value: int, info: ValidationInfo) -> int:
        least = info.data.get("min_expires_s")
        if least is not None and value < least:
            raise ValueError(f"must not be below min_expires_s ({least})")
        return value


class Calls(Section):
    ring_timeout_s: Seconds = 120.0  # per target, from its INVITE
    max_duration_s: WholeSeconds = 43200  # R47
    # A stop waits so long for calls to end by themselves, then hangs up; a second signal hurries.
    drain_timeout_s: Annotated[float, Field(ge=0)] = 5.0


class Simulator(Section):
    """The built-in carrier, for a first call without a contract."""

    enabled: Literal["auto", "on", "off"] = "auto"  # auto: while no carrier is configured
    bind: Bind = "127.0.0.1:0"

    @property
    def address(self) -> tuple[str, int]:
        return parse_bind(self.bind)


class Limits(Section):
    """What one peer may take from us."""

    calls: Count = 2000  # at the same time, of all profiles
    connections: Count = 2000  # TCP and TLS together
    connections_per_address: Count = 100
    failed_credentials: Annotated[int, Field(ge=0)] = 20  # wrong passwords of a source; 0: no bans
    failed_window_s: Seconds = 300.0
    ban_s: Seconds = 900.0
    idle_timeout_s: Seconds = 3900.0  # above the usual hour between registrations
    handshake_timeout_s: Seconds = 10.0
    write_buffer_octets: Annotated[int, Field(ge=65536)] = 1_048_576


class Timers(Section):
    """RFC 3261 table 4."""

    t1_s: Annotated[float, Field(ge=0.05, le=5)] = 0.5
    t2_s: Annotated[float, Field(ge=0.05, le=60)] = 4.0
    t4_s: Annotated[float, Field(ge=0.05, le=60)] = 5.0

    @field_validator("t2_s")
    @classmethod
    def _not_below_t1(cls, value: float, info: ValidationInfo) -> float:
        least = info.data.get("t1_s")
        if least is not None and value < least:
            raise ValueError(f"must not be below t1_s ({least})")
        return value


class Settings(BaseSettings):
    """The whole of it. Build one with `config.load.load`, or with keywords in tests."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix="SIPGW_", env_nested_delimiter="__"
    )

    realms: tuple[Host, ...] = ("sipgw.local",)
    user_agent: Annotated[str, Field(pattern=r"^[\x20-\x7e]+$")] = f"sipgw-{VERSION}"
    echo_numbers: tuple[Number, ...] = ("+17606604690",)  # R121
    allow_private_peers: bool = False  # R77: labs, the demo, tests
    listeners: tuple[Listener, ...] = Field(default_factory=default_listeners)
    media: Media = Media()
    http: Http = Http()
    paths: Paths = Paths()
    store: Store = Store()
    control: Control = Control()
    certs: Certs = Certs()
    log: Log = Log()
    registrar: Registrar = Registrar()
    calls: Calls = Calls()
    simulator: Simulator = Simulator()
    limits: Limits = Limits()
    timers: Timers = Timers()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # The environment is read in one place, config.load, and only when asked.
        return (init_settings,)

    @field_validator("realms", "listeners")
    @classmethod
    def _not_empty(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        if not value:
            raise ValueError("needs at least one entry")
        return value

    @field_validator("listeners")
    @classmethod
    def _differ(cls, value: tuple[Listener, ...]) -> tuple[Listener, ...]:
        names: set[str] = set()
        sockets: dict[tuple[str, str, int], str] = {}
        for listener in value:
            if listener.name in names:
                raise ValueError(f"two listeners are called {listener.name!r}")
            names.add(listener.name)
            # TLS runs over TCP, so the two share one space of ports.
            family = "udp" if listener.transport == "udp" else "tcp"
            host, port = listener.address
            other = sockets.get((family, host, port))
            if other and port:
                raise ValueError(f"{listener.name!r} and {other!r} both bind {listener.bind}")
            sockets[family, host, port] = listener.name
        return value

    @property
    def realm(self) -> str:
        """The realm we speak for by default: From, To and digest."""
        return self.realms[0]

    @property
    def store_path(self) -> Path:
        return self.store.path or self.paths.var / "sipgw.db"

    @property
    def control_path(self) -> Path:
        return self.control.path or self.paths.var / "control.sock"

    @property
    def secret_key_path(self) -> Path:
        """The key the store encrypts passwords with."""
        return self.paths.var / "secret.key"

    @property
    def certs_dir(self) -> Path:
        return self.certs.dir or self.paths.var / "certs"

    @property
    def cert_path(self) -> Path:
        return self.certs.cert or self.certs_dir / "server.pem"

    @property
    def key_path(self) -> Path:
        return self.certs.key or self.certs_dir / "server.key"
