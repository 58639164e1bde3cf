"""REGISTER through the shell: what is written when, and what must not come back."""

import pytest

from gateway.aio.clock import SystemClock
from gateway.aio.register_handler import RegisterHandler
from gateway.identify import Identifier
from gateway.model.binding import Owner
from gateway.model.record import BindingRemoved, BindingSaved
from gateway.registrar import RegistrarLimits
from sip.digest import Nonces
from tests.support import factories as make
from tests.support.shell import KeptJournal, KeptLog, KeptSip, fresh_metrics


class Bench:
    def __init__(self) -> None:
        self.hot = make.hot_state()
        self.journal, self.sip, self.log = KeptJournal(), KeptSip(), KeptLog()
        ids = make.CountingIds()
        identifier = Identifier(self.hot, Nonces(b"k" * 32), (make.REALM,), ids)
        self.handler = RegisterHandler(
            self.hot, identifier, RegistrarLimits(), self.journal, self.sip, SystemClock(),
            self.log, fresh_metrics(),
        )  # fmt: skip

    def put(self, **fields: object) -> None:
        self.hot.location.apply(saved=[make.binding(**fields)])


def test_a_lost_connection_takes_its_bindings_along() -> None:
    """A PBX behind NAT cannot be reached again by an address: its binding ends with the flow."""
    bench = Bench()
    flow = make.flow(transport="tls")
    bench.put(flow=flow, nat=True, deadline=SystemClock().now() + 60)
    bench.handler.flow_lost(flow)
    assert bench.hot.location.lookup(Owner.PROFILE, 1) == []
    (records,) = bench.journal.batches
    assert [type(record) for record in records] == [BindingRemoved]
    assert bench.log.events == ["registration lost with its connection"]


def test_a_connection_without_bindings_is_nobodys_business() -> None:
    bench = Bench()
    bench.handler.flow_lost(make.flow(transport="tls"))
    assert bench.journal.batches == []
    assert bench.log.events == []


@pytest.mark.parametrize("gone", [True, False])
def test_refreshes_are_written_in_one_batch_and_never_after_a_removal(gone: bool) -> None:
    bench = Bench()
    binding = make.binding()
    bench.handler._refreshed[binding.owner, binding.owner_id, binding.contact] = binding
    if gone:
        bench.handler.forget([binding])
    bench.handler.flush()
    bench.handler.flush()
    expected = [] if gone else [[BindingSaved(binding)]]
    assert [list(batch) for batch in bench.journal.batches] == expected
