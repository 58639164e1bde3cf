"""The location service: bindings in memory by AOR, and their expiry as a deadline (RFC 3261 §10).

Does not decide which bindings there are (`registrar`) and writes nothing down: what it returns as
expired or lost is for the journal.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from heapq import heappop, heappush
from math import inf

from gateway.model.binding import Binding, Flow, Owner
from sip.errors import SipError
from sip.uri import Uri

_Key = tuple[str, int]  # Owner value and id: strings compare in the heap, enum members do not

_DEFAULT_PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


class Location:
    """All bindings, each with at most one entry in the expiry heap."""

    __slots__ = ("_by_flow", "_by_owner", "_count", "_due", "_queued")

    def __init__(self, bindings: Iterable[Binding] = ()) -> None:
        self._by_owner: dict[_Key, dict[str, Binding]] = {}
        self._by_flow: dict[Flow, set[tuple[_Key, str]]] = {}
        self._count = 0  # asked for after every registration
        self._due: list[tuple[float, _Key, str]] = []
        self._queued: dict[tuple[_Key, str], float] = {}
        self.apply(saved=bindings)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Binding]:
        """Every binding, lapsed ones that were not swept yet among them."""
        return (each for contacts in self._by_owner.values() for each in contacts.values())

    def lookup(self, owner: Owner, owner_id: int, now: float = -inf) -> list[Binding]:
        """Bindings of an AOR that have not lapsed at `now`: highest q first, then the newest."""
        contacts = self._by_owner.get((owner.value, owner_id))
        if not contacts:
            return []
        found = [b for b in reversed(contacts.values()) if b.deadline > now]
        if len(found) > 1:
            found.sort(key=lambda b: -b.q)  # stable: newest first among equals
        return found

    def hosts(self) -> Iterator[str]:
        """The address of every flow that a binding uses."""
        return (flow.remote[0] for flow in self._by_flow)

    def apply(self, saved: Iterable[Binding] = (), removed: Iterable[Binding] = ()) -> None:
        """Take over what the registrar decided."""
        for binding in removed:
            self._forget(binding)
        for binding in saved:
            self._remember(binding)

    def drop_owner(self, owner: Owner, owner_id: int) -> list[Binding]:
        """Remove all bindings of an AOR: its profile was deleted, its account attached (R97)."""
        gone = self.lookup(owner, owner_id)
        self.apply(removed=gone)
        return gone

    @property
    def deadline(self) -> float | None:
        """When to call `tick` at the latest. It may be early: a refresh does not move it."""
        return self._due[0][0] if self._due else None

    def tick(self, now: float) -> list[Binding]:
        """Remove and return the bindings that have lapsed."""
        expired: list[Binding] = []
        while self._due and self._due[0][0] <= now:
            at, key, contact = heappop(self._due)
            if self._queued.get((key, contact)) != at:
                continue
            del self._queued[key, contact]
            binding = self._by_owner.get(key, {}).get(contact)
            if binding is None:
                continue
            if binding.deadline > now:
                self._queue(key, binding)
            else:
                self._forget(binding)
                expired.append(binding)
        return expired

    def flow_gone(self, flow: Flow) -> list[Binding]:
        """A connection closed: remove and return the bindings nobody can reach any more.

        A PBX that is not behind NAT can be dialled at its Contact, so its binding stays.
        """
        lost: list[Binding] = []
        for key, contact in self._by_flow.pop(flow, ()):
            binding = self._by_owner[key][contact]
            redial = None if binding.nat else _redial(binding)
            if redial is None:
                self._forget(binding)
                lost.append(binding)
            else:
                # Not re-inserted: losing a connection makes a binding no newer.
                self._by_owner[key][contact] = replace(binding, flow=redial)
                self._by_flow.setdefault(redial, set()).add((key, contact))
        return lost

    def _remember(self, binding: Binding) -> None:
        self._forget(binding)
        key = (binding.owner.value, binding.owner_id)
        self._by_owner.setdefault(key, {})[binding.contact] = binding
        self._count += 1
        self._by_flow.setdefault(binding.flow, set()).add((key, binding.contact))
        self._queue(key, binding)

    def _queue(self, key: _Key, binding: Binding) -> None:
        queued = self._queued.get((key, binding.contact), inf)
        if binding.deadline < queued:
            self._queued[key, binding.contact] = binding.deadline
            heappush(self._due, (binding.deadline, key, binding.contact))

    def _forget(self, binding: Binding) -> None:
        key = (binding.owner.value, binding.owner_id)
        contacts = self._by_owner.get(key)
        known = contacts.pop(binding.contact, None) if contacts else None
        if known is None:
            return
        self._count -= 1
        if not contacts:
            del self._by_owner[key]
        sharing = self._by_flow.get(known.flow)
        if sharing is not None:
            sharing.discard((key, known.contact))
            if not sharing:
                del self._by_flow[known.flow]


def _redial(binding: Binding) -> Flow | None:
    """The flow by which the Contact can be dialled, or None when it cannot be read."""
    try:
        uri = Uri.parse(binding.contact)
    except SipError:
        return None
    flow = binding.flow
    return Flow(flow.transport, flow.local, (uri.host, uri.port or _DEFAULT_PORTS[flow.transport]))
