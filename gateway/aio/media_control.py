"""Executes a call's media effects against the `MediaPlane`, and says which address a peer is told.

The plane owns ports and packets; what streams look like was decided in the call.
"""

from collections.abc import Callable
from dataclasses import replace

from gateway.aio.sip_port import Names
from gateway.b2bua.events import MediaClosed, MediaReady, MediaRefused
from gateway.b2bua.offer import SIDES
from gateway.model.call import CallId, LegSide
from gateway.refusal import refuse
from media.plane import Address, MediaFailed, MediaOpened, MediaPlane, StreamEnd
from sip.flow import Flow
from sip.target import family

WILDCARDS = frozenset({"0.0.0.0", "::", ""})


def named(addresses: tuple[Address, ...], host: Callable[[], str]) -> tuple[Address, ...]:
    """The addresses with `host()` in the place of a wildcard, which is none."""
    return tuple((host() if at in WILDCARDS else at, port) for at, port in addresses)


class MediaControl:
    def __init__(self, plane: MediaPlane, names: Names) -> None:
        self._plane = plane
        self._names = names

    def open(
        self,
        call_id: CallId,
        streams: int,
        echo: bool,
        flow_a: Flow,
        flow_b: Flow | None,
        done: Callable[[MediaReady | MediaRefused], None],
    ) -> None:
        family_a = family(flow_a.remote[0])
        family_b = family(flow_b.remote[0]) if flow_b else family_a

        def opened(result: MediaOpened | MediaFailed) -> None:
            if isinstance(result, MediaFailed):
                done(MediaRefused(refuse("MEDIA_EXHAUSTED", result.reason)))
                return
            told = replace(
                result,
                a=self._told(result.a, flow_a, family_a),
                b=self._told(result.b, flow_b or flow_a, family_b),
            )
            done(MediaReady(told))

        self._plane.open(call_id, streams, opened, echo=echo, families=(family_a, family_b))

    def _told(
        self, addresses: tuple[Address, ...], flow: Flow, ip_family: int
    ) -> tuple[Address, ...]:
        """A wildcard is no address: name the one by which this peer reaches us."""
        return named(addresses, lambda: self._names.media_host(flow, ip_family))

    def update(self, call_id: CallId, side: LegSide, ends: tuple[StreamEnd, ...]) -> None:
        self._plane.update(call_id, SIDES[side], ends)

    def close(self, call_id: CallId, done: Callable[[MediaClosed], None]) -> None:
        self._plane.close(call_id, lambda report: done(MediaClosed(report)))
