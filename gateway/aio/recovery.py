"""On start: ends the calls that the journal still holds (R73).

Before the listeners open, money and channels are put right in memory, so that no new call is
decided on a state of yesterday. Once the sockets are there, the settlements are written and both
confirmed dialogs are hung up on, or the carrier would bill on. A start that fails in between leaves
the rows for the next one. What a call costs is `gateway/aftermath`'s.
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
from gateway.settlement import Settled


def settle_left_over(
    open_calls: Iterable[OpenCall], hot: HotState, clock: Clock, log: Log
) -> list[Settled]:
    """Charge each in memory. One that cannot be settled is left for a person and the next start."""
    settlements = []
    for found in open_calls:
        try:
            settled = close_open_call(found, hot, clock.at())
        except Exception as error:
            # One unreadable row must not keep the telephone company shut.
            call_id = found.admitted.call_id
            log.error("open call cannot be settled, kept", call=call_id, exc_info=error)
            continue
        settlements.append(settled)
        log.warning(
            "call ended by a restart",
            call=settled.cdr.call_id,
            profile=settled.cdr.profile_id,
            duration_s=settled.cdr.duration_s,
            charge_micros=settled.cdr.charge_micros,
            called=settled.cdr.called,
        )
    return settlements


def end_left_over(
    open_calls: Iterable[OpenCall],
    settlements: Iterable[Settled],
    journal: Journal,
    sip: SipPort,
    clock: Clock,
    log: Log,
) -> None:
    """One CDR for each, and BYE on every dialog that was confirmed; what is answered is nobody's
    business any more."""
    for settled in settlements:
        journal.write([CallSettled(settled.cdr, settled.entry)])
    reason = release_headers(EndCause.GATEWAY_RESTART)
    for found in open_calls:
        for state in (found.a_dialog, found.b_dialog):
            if not state:
                continue
            try:
                sip.execute(sip.endpoint.release_restored(state, clock.now(), reason))
            except Exception as error:
                call_id = found.admitted.call_id
                log.error("dialog cannot be hung up on", call=call_id, exc_info=error)
