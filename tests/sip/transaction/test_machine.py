"""What the four machines share."""

from sip.timers import SipTimers
from sip.transaction.machine import Machine
from sip.transaction.server_non_invite import ServerNonInvite
from tests.support.sip_text import UDP


def test_a_machine_is_due_when_its_first_timer_is() -> None:
    machine = Machine("key", UDP, SipTimers())
    assert machine.deadline is None
    machine.timers.set("A", 3.0)
    machine.timers.set("B", 2.0)
    assert machine.deadline == 2.0


def test_machines_are_slotted() -> None:
    """About twenty thousand linger at two hundred calls a second."""
    assert not hasattr(ServerNonInvite("key", UDP, SipTimers()), "__dict__")
