"""Owns the counters and gauges, named in docs/metrics.md. Decides nothing."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """Every metric of the gateway, on an injected registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.requests = Counter(
            "sipgw_sip_requests_total", "SIP requests taken up, by method", ["method"],
            registry=registry,
        )  # fmt: skip
        self.challenges = Counter(
            "sipgw_challenges_total", "401 and 407 challenges sent", registry=registry
        )
        self.refusals = Counter(
            "sipgw_refusals_total", "Requests refused, by refusal code", ["code"],
            registry=registry,
        )  # fmt: skip
        self.registrations = Counter(
            "sipgw_registrations_total", "REGISTER requests accepted", registry=registry
        )
        self.calls = Counter(
            "sipgw_calls_total", "Calls ended, by kind and cause", ["kind", "cause"],
            registry=registry,
        )  # fmt: skip
        self.charged = Counter(
            "sipgw_charged_micros_total", "Charges posted, in millionths", ["currency"],
            registry=registry,
        )  # fmt: skip
        self.talk = Counter("sipgw_talk_seconds_total", "Answered seconds", registry=registry)
        self.setup = Histogram(
            "sipgw_setup_seconds", "INVITE identified to 200 sent", registry=registry,
            buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60),
        )  # fmt: skip
        self.commit_failures = Counter(
            "sipgw_commit_failures_total", "Journal batches that could not be made durable",
            registry=registry,
        )  # fmt: skip
        self.protocol_errors = Counter(
            "sipgw_protocol_errors_total", "Messages that broke the protocol, by kind", ["kind"],
            registry=registry,
        )  # fmt: skip
        self.failed_credentials = Counter(
            "sipgw_failed_credentials_total", "Wrong passwords, unknown user names included",
            registry=registry,
        )  # fmt: skip
        self.bans = Counter("sipgw_bans_total", "Bans begun", registry=registry)
        self.turned_away = Counter(
            "sipgw_turned_away_total", "Messages of banned sources dropped unread",
            registry=registry,
        )  # fmt: skip
        self.banned_sources = Gauge("sipgw_banned_sources", "Sources banned now", registry=registry)
        self.live_calls = Gauge("sipgw_live_calls", "Calls in progress", registry=registry)
        self.bindings = Gauge("sipgw_bindings", "Registered contacts", registry=registry)
        self.channels = Gauge("sipgw_channels_in_use", "Channel leases held", registry=registry)
        self.carrier_up = Gauge(
            "sipgw_carrier_up", "1 while a carrier is well, 0 while it rests or is down",
            ["carrier"], registry=registry,
        )  # fmt: skip
        self._audited(registry)

    def _audited(self, registry: CollectorRegistry) -> None:
        """What the operator is alarmed by, and what proves that nothing went missing."""
        self.busiest = Gauge(
            "sipgw_channels_busiest", "The most channels one profile ever held at a time",
            registry=registry,
        )  # fmt: skip
        self.orphaned_holds = Counter(
            "sipgw_orphaned_holds_total", "Credit holds found without a live call (an alarm)",
            registry=registry,
        )  # fmt: skip
        self.store_ok = Gauge("sipgw_store_ok", "1 while the store can write", registry=registry)
        self.unwritten = Gauge(
            "sipgw_unwritten_records", "Settlements and refusals kept until the store writes again",
            registry=registry,
        )  # fmt: skip
        self.orphaned_leases = Counter(
            "sipgw_orphaned_leases_total", "Channel leases found without a live call (an alarm)",
            registry=registry,
        )  # fmt: skip
