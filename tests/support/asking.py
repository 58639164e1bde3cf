"""Asks admission as a PBX, a carrier or an on-net account would."""

from typing import Any

from gateway.admission import admit_inbound, admit_onnet, admit_outbound
from gateway.hot_state import HotState
from gateway.model.call import Admission, Source
from gateway.refusal import Refusal
from tests.support import factories as make

US = "+12026555376"
ECHO = "17606604690"
EMPTY: dict[str, int] = {}


def call(hot: HotState, called: str = "12025550123", **fields: Any) -> Admission | Refusal:
    environment = fields.pop("env", make.env())
    return admit_outbound(make.attempt(called, **fields), hot, environment)


def bring(hot: HotState, called: str = US, **fields: Any) -> Admission | Refusal:
    """A carrier brings a call."""
    given = {"source": Source.CARRIER, "caller": "+447824501234", **fields}
    return admit_inbound(make.attempt(called, **given), hot, make.env())


def onnet(hot: HotState, called: str, **fields: Any) -> Admission | Refusal:
    given = {"source": Source.ONNET, "source_id": 9, "caller": "forged", **fields}
    return admit_onnet(make.attempt(called, **given), hot, make.env())


def code(answer: Admission | Refusal) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


def yes(answer: Admission | Refusal) -> Admission:
    assert isinstance(answer, Admission), answer
    return answer


def untouched(hot: HotState) -> bool:
    """No channel and no credit is held by anybody."""
    return not list(hot.ledger.holds()) and not any(p.leases for p in hot.profile_by_id.values())


def inward_hot(**fields: Any) -> HotState:
    """Profile 1 owns a number and an account and is registered; account 9 is a caller."""
    given = {
        "numbers": (make.number(US, 1),),
        "bindings": (make.binding(),),
        "onnet_accounts": (
            make.onnet_account(5, "Architects.Sales", profile_id=1),
            make.onnet_account(9, "alice"),
        ),
    }
    return make.hot_state(**{**given, **fields})
