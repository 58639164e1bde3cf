"""On start, before the listeners open: ends the calls that the journal still holds (R73).

What they cost is `gateway/aftermath`'s; this room commits it and hangs up on both confirmed
dialogs, or the carrier would bill on.
"""

from collections.abc import Iterable

from gateway.aftermath import close_open_call
from gateway.aio.log import Log
from gateway.aio.sip_port import SipPort
from gateway.b2bua.crossing import release_headers
from gateway.hot_state import HotState
from gateway.model.call import EndCause
from gateway.model.record import CallSettled, OpenCall
from gateway.ports import Clock, Journal


def settle_left_over(
    open_calls: Iterable[OpenCall], hot: HotState, journal: Journal, clock: Clock, log: Log
) -> int:
    """One CDR for each; the number of them. The writer keeps the order, so nothing has to wait."""
    count = 0
    for found in open_calls:
        settled = close_open_call(found, hot, clock.at())
        journal.write([CallSettled(settled.cdr, settled.entry)])
        count += 1
        log.warning(
            "call ended by a restart",
            call=settled.cdr.call_id,
            profile=settled.cdr.profile_id,
            duration_s=settled.cdr.duration_s,
            charge_micros=settled.cdr.charge_micros,
            called=settled.cdr.called,
        )
    return count


def hang_up_left_over(open_calls: Iterable[OpenCall], sip: SipPort, clock: Clock) -> None:
    """BYE on every dialog that was confirmed; answers are nobody's business any more."""
    reason = release_headers(EndCause.GATEWAY_RESTART)
    for found in open_calls:
        for state in (found.a_dialog, found.b_dialog):
            if state:
                sip.execute(sip.endpoint.release_restored(state, clock.now(), reason))
