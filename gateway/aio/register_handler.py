"""REGISTER: identify, decide, save, respond (RFC 3261 §10.3; R76, R78, R81).

A refresh that changes nothing but its expiry stays in memory and is written with the next batch; a
new or moved binding is answered when it is durable.
"""

from collections.abc import Iterable

from gateway import registrar
from gateway.aio.log import Log
from gateway.aio.metrics import Metrics
from gateway.aio.sip_port import SipPort
from gateway.hot_state import HotState
from gateway.identify import Challenged, Identified, Identifies
from gateway.model.binding import Binding, Owner
from gateway.model.call import Source
from gateway.model.record import BindingRemoved, BindingSaved, Record
from gateway.ports import Clock, Journal
from gateway.refusal import Refusal, headers, refuse
from sip.endpoint import RequestReceived
from sip.flow import Flow

OWNERS = {Source.PROFILE: Owner.PROFILE, Source.ONNET: Owner.ONNET}


class RegisterHandler:
    def __init__(
        self,
        hot: HotState,
        identifier: Identifies,
        limits: registrar.RegistrarLimits,
        journal: Journal,
        sip: SipPort,
        clock: Clock,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._hot = hot
        self._identifier = identifier
        self._limits = limits
        self._journal = journal
        self._sip = sip
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._refreshed: dict[tuple[Owner, int, str], Binding] = {}

    def handle(self, event: RequestReceived) -> None:
        now = self._clock.now()
        who = self._identifier.identify(event.request, event.flow, now)
        if isinstance(who, Challenged):
            self._metrics.challenges.inc()
            self._respond(event, who.status, who.headers)
            return
        if isinstance(who, Refusal):
            self._refuse(event, who)
            return
        owner = OWNERS.get(who.source)
        if owner is None:  # a carrier does not register
            self._refuse(event, refuse("METHOD_NOT_ALLOWED", "carriers do not register"))
            return
        self._register(event, who, owner, now)

    def _register(self, event: RequestReceived, who: Identified, owner: Owner, now: float) -> None:
        verdict = registrar.process(
            event.request,
            owner,
            who.id,
            self._username(owner, who.id),
            self._hot.location.lookup(owner, who.id, now),
            event.flow,
            now,
            self._clock.at(),
            self._limits,
            who.signed_with,
        )
        if isinstance(verdict, Refusal):
            self._refuse(event, verdict)
            return
        self._hot.location.apply(verdict.saved, verdict.removed)
        self.forget(verdict.removed)
        self._metrics.registrations.inc()
        self._metrics.bindings.set(len(self._hot.location))
        if verdict.unchanged:
            for binding in verdict.saved:
                self._refreshed[binding.owner, binding.owner_id, binding.contact] = binding
            self._respond(event, verdict.status, verdict.headers)
            return
        if not verdict.saved and not verdict.removed:  # a query
            self._respond(event, verdict.status, verdict.headers)
            return
        self._log_change(event, owner, who.id, verdict)
        records: list[Record] = [
            *(BindingRemoved(b.owner, b.owner_id, b.contact) for b in verdict.removed),
            *(BindingSaved(b) for b in verdict.saved),
        ]

        def committed(durable: bool) -> None:
            # A binding that memory knows serves calls; a failed write costs only its survival of a
            # restart, and the PBX registers again by itself.
            if not durable:
                self._metrics.commit_failures.inc()
            self._respond(event, verdict.status, verdict.headers)

        self._journal.write(records, committed)

    def _log_change(
        self, event: RequestReceived, owner: Owner, owner_id: int, verdict: registrar.Registration
    ) -> None:
        self._log.info(
            "registered" if verdict.saved else "unregistered",
            owner=owner.value,
            owner_id=owner_id,
            transport=event.flow.transport,
            source=f"{event.flow.remote[0]}:{event.flow.remote[1]}",
            contacts=[b.contact for b in verdict.saved],
            dropped=[b.contact for b in verdict.removed],
            nat=any(b.nat for b in verdict.saved),
            user_agent=event.request.headers.get("User-Agent") or "",
        )
        if verdict.replaced_alert:
            self._log.warning(
                "a second PBX registered with the same credentials: the newest binding wins",
                owner=owner.value,
                owner_id=owner_id,
                dropped=[b.contact for b in verdict.removed],
            )

    def _username(self, owner: Owner, owner_id: int) -> str:
        if owner is Owner.PROFILE:
            return self._hot.profile_by_id[owner_id].username
        return self._hot.onnet_by_id[owner_id].name

    def _refuse(self, event: RequestReceived, refusal: Refusal) -> None:
        self._metrics.refusals.labels(refusal.code).inc()
        self._log.info(
            "registration refused",
            code=refusal.code,
            status=refusal.status,
            sentence=refusal.sentence,
            detail=refusal.detail,
            source=f"{event.flow.remote[0]}:{event.flow.remote[1]}",
        )
        extra = registrar.refusal_headers(refusal, self._limits)
        self._respond(event, refusal.status, [*headers(refusal), *extra], refusal.reason)

    def _respond(
        self,
        event: RequestReceived,
        status: int,
        fields: list[tuple[str, str]],
        reason: str | None = None,
    ) -> None:
        self._sip.execute(
            self._sip.endpoint.respond(event.handle, status, reason, fields, now=self._clock.now())
        )

    def forget(self, gone: Iterable[Binding]) -> None:
        """A binding that is gone must not come back with the next batch."""
        for binding in gone:
            self._refreshed.pop((binding.owner, binding.owner_id, binding.contact), None)

    def drop(self, owner: Owner, owner_id: int) -> None:
        """End all registrations of an AOR (R97)."""
        gone = self._hot.location.drop_owner(owner, owner_id)
        self.forget(gone)
        if not gone:
            return
        self._metrics.bindings.set(len(self._hot.location))
        self._journal.write([BindingRemoved(b.owner, b.owner_id, b.contact) for b in gone])
        self._log.info("registrations ended", owner=owner.value, owner_id=owner_id, count=len(gone))

    def flow_lost(self, flow: Flow) -> None:
        """A connection closed: the bindings that nobody can reach any more go with it (R13)."""
        lost = self._hot.location.flow_gone(flow)
        if not lost:
            return
        self.forget(lost)
        self._metrics.bindings.set(len(self._hot.location))
        self._journal.write([BindingRemoved(b.owner, b.owner_id, b.contact) for b in lost])
        for binding in lost:
            self._log.warning(
                "registration lost with its connection",
                owner=binding.owner.value,
                owner_id=binding.owner_id,
                contact=binding.contact,
                source=f"{flow.remote[0]}:{flow.remote[1]}",
            )

    def flush(self) -> None:
        """Write the refreshes since the last call, in one batch."""
        if self._refreshed:
            records = [BindingSaved(b) for b in self._refreshed.values()]
            self._refreshed.clear()
            self._journal.write(records)
