"""Drives the health machines of the carriers: sends their OPTIONS, passes on what calls say, and
tells log, metrics and the health page. Counts the calls towards each carrier (`max_calls`).

What makes a carrier well or not is `gateway/carrier_health`'s, who is tried first
`gateway/carrier_order`'s.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from gateway.aio.deadlines import Deadlines
from gateway.aio.log import Log
from gateway.aio.metrics import Metrics
from gateway.aio.sip_port import SipPort
from gateway.b2bua.effects import JudgeCarrier
from gateway.carrier_health import CarrierHealth, Changed, Effect, HealthLimits, Probe, Standing
from gateway.carrier_order import hunting_order
from gateway.hot_state import HotState
from gateway.model.call import CallId
from gateway.model.carrier import Carrier
from gateway.ports import Clock, Ids
from gateway.routing import LocalFlow, carrier_flow
from sip.endpoint import ClientHandle, RequestFailed, ResponseReceived
from sip.headers import Headers
from sip.message import Request
from sip.uri import bracketed

LOOK_S = 1.0  # how soon a carrier that was added or changed is watched

_LOOK_AGAIN = -1  # a key of the timers that no carrier has


class CarrierMonitor:
    """`start` it once the listeners are open; `handlers` are the dispatcher's."""

    def __init__(
        self,
        hot: HotState,
        sip: SipPort,
        local_flow_for: LocalFlow,
        clock: Clock,
        ids: Ids,
        log: Log,
        metrics: Metrics,
        loop: asyncio.AbstractEventLoop,
        realm: str,
        user_agent: str,
        limits: HealthLimits | None = None,
    ) -> None:
        self._hot = hot
        self._sip = sip
        self._local_flow_for = local_flow_for
        self._clock = clock
        self._ids = ids
        self._log = log
        self._metrics = metrics
        self._realm = realm
        self._user_agent = user_agent
        self._limits = limits
        self._health: dict[int, CarrierHealth] = {}
        self._watched: dict[int, Carrier] = {}
        self._seen: tuple[Carrier, ...] | None = None
        self._asked: dict[ClientHandle, tuple[CarrierHealth, int, int]] = {}
        self._deadlines: Deadlines[int] = Deadlines(loop, clock, self._on_due)
        self._calls: dict[CallId, int] = {}
        self._running: Counter[int] = Counter()
        self.handlers: dict[type[object], Callable[[Any], None]] = {
            ResponseReceived: self._on_response,
            RequestFailed: self._on_failure,
        }

    def start(self) -> None:
        self._on_due(_LOOK_AGAIN, self._clock.now())

    def close(self) -> None:
        self._deadlines.close()

    # What the calls ask and say.

    def in_order(self, carriers: tuple[Carrier, ...]) -> tuple[Carrier, ...]:
        """The carriers as one call shall try them."""
        return hunting_order(carriers, self.standing, self._ids.octets)

    def standing(self, carrier: Carrier) -> Standing:
        health = self._health.get(carrier.id)
        return health.standing if health is not None else Standing.UP

    def take(self, call_id: CallId, carrier_id: int | None) -> bool:
        """Count a call towards a carrier, no longer towards the one before; False when it is full.

        None: the call goes to no carrier.
        """
        self.give_back(call_id)
        if carrier_id is None:
            return True
        carrier = self._hot.carrier_by_id.get(carrier_id)
        if carrier is not None and 0 < carrier.max_calls <= self._running[carrier_id]:
            self._log.info("carrier full", call=call_id, carrier=carrier.name)
            return False
        self._calls[call_id] = carrier_id
        self._running[carrier_id] += 1
        return True

    def give_back(self, call_id: CallId) -> None:
        """The call is at no carrier any more, if it was."""
        carrier_id = self._calls.pop(call_id, None)
        if carrier_id is not None:
            self._running[carrier_id] -= 1

    def judge(self, verdict: JudgeCarrier) -> None:
        """Pass on how a call went."""
        health = self._health.get(verdict.carrier_id)
        if health is None:
            return
        now = self._clock.now()
        if verdict.fault:
            effects = health.faulted(verdict.fault, verdict.rest_s, now)
        else:
            effects = health.succeeded(now)
        self._execute(verdict.carrier_id, effects)

    def status(self) -> dict[str, dict[str, object]]:
        """For the health page, by the carrier's name."""
        return {
            carrier.name: {
                "health": self.standing(carrier).value,
                "reason": health.reason if (health := self._health.get(carrier.id)) else "",
                "calls": self._running[carrier.id],
            }
            for carrier in self._hot.carriers
        }

    # Time and answers.

    def _on_due(self, key: int, now: float) -> None:
        if key == _LOOK_AGAIN:
            self._look(now)
            self._deadlines.set(_LOOK_AGAIN, now + LOOK_S)
        elif (health := self._health.get(key)) is not None:
            self._execute(key, health.tick(now))

    def _look(self, now: float) -> None:
        """Follow what was added, changed or removed; who did not change keeps what is known."""
        if self._seen is self._hot.carriers:
            return
        self._seen = self._hot.carriers
        present = {carrier.id: carrier for carrier in self._seen}
        for gone in [each for each in self._watched.values() if present.get(each.id) != each]:
            del self._watched[gone.id], self._health[gone.id]
            self._deadlines.set(gone.id, None)
            self._metrics.carrier_up.remove(gone.name)
        for carrier in self._seen:
            if carrier.id not in self._watched:
                self._watched[carrier.id] = carrier
                self._health[carrier.id] = CarrierHealth(
                    carrier.options_interval_s, carrier.response_timeout_s, now, self._limits
                )
                self._metrics.carrier_up.labels(carrier.name).set(1)
                self._execute(carrier.id, [])

    def _on_response(self, event: ResponseReceived) -> None:
        asked = self._asked.pop(event.handle, None)
        if asked is not None:
            health, carrier_id, serial = asked
            status = event.response.status
            self._tell(carrier_id, health, partial(health.answered, serial, status))

    def _on_failure(self, event: RequestFailed) -> None:
        asked = self._asked.pop(event.handle, None)
        if asked is not None:
            health, carrier_id, serial = asked
            reason = "OPTIONS not answered" if event.status == 408 else "OPTIONS not sent"
            self._tell(carrier_id, health, partial(health.missed, serial, reason))

    def _tell(
        self, carrier_id: int, health: CarrierHealth, verb: Callable[[float], list[Effect]]
    ) -> None:
        # A carrier that was changed meanwhile has a health of its own again.
        if self._health.get(carrier_id) is health:
            self._execute(carrier_id, verb(self._clock.now()))

    # Effects.

    def _execute(self, carrier_id: int, effects: list[Effect]) -> None:
        # First the timer: what an effect brings about may set it anew.
        self._deadlines.set(carrier_id, self._health[carrier_id].deadline)
        for effect in effects:
            match effect:
                case Probe(serial):
                    self._ask(carrier_id, serial)
                case Changed(standing, reason):
                    self._announce(self._watched[carrier_id], standing, reason)

    def _ask(self, carrier_id: int, serial: int) -> None:
        carrier = self._watched[carrier_id]
        flow = carrier_flow(carrier, self._local_flow_for)
        contact = self._sip.endpoint.names.contact(flow)
        request = options_for(carrier, self._realm, contact, self._user_agent, self._ids)
        credentials = (carrier.username, carrier.password) if carrier.username else None
        handle, effects = self._sip.endpoint.request(
            request, flow, self._clock.now(), credentials=credentials
        )
        self._asked[handle] = self._health[carrier_id], carrier_id, serial
        self._sip.execute(effects)

    def _announce(self, carrier: Carrier, standing: Standing, reason: str) -> None:
        up = standing is Standing.UP
        self._metrics.carrier_up.labels(carrier.name).set(1 if up else 0)
        say = self._log.info if up else self._log.warning
        say("carrier " + standing.value, carrier=carrier.name, reason=reason)


def options_for(carrier: Carrier, realm: str, contact: str, user_agent: str, ids: Ids) -> Request:
    """Ask a carrier whether it lives (RFC 3261 §11.1), with an empty Via for the endpoint."""
    transport = "" if carrier.transport == "udp" else f";transport={carrier.transport}"
    uri = f"sip:{bracketed(carrier.host)}:{carrier.port}{transport}"
    fields = [
        ("From", f"<sip:{carrier.username or 'ping'}@{realm}>;tag={ids.token(8)}"),
        ("To", f"<{uri}>"),
        ("Call-ID", ids.token(16)),
        ("CSeq", "1 OPTIONS"),
        ("Via", ""),
        ("Max-Forwards", "70"),
        ("User-Agent", user_agent),
        ("Contact", contact),
        ("Accept", "application/sdp"),
    ]
    return Request("OPTIONS", uri, Headers(fields), b"")
