"""Commands about carriers."""

from typing import Any

import pytest

from gateway.model.call import SrtpPolicy
from gateway.model.profile import AuthMode
from gateway.model.record import CarrierRemoved, CarrierSaved
from tests.support import factories as make
from tests.support.asking import call, code, yes
from tests.support.commands import code as refusal_code
from tests.support.commands import decide, do, records, refused


def test_a_new_carrier_takes_the_next_call() -> None:
    hot = make.hot_state(carriers=())
    assert code(call(hot)) == "NO_CARRIER"
    (record,) = records(decide(hot, "carrier.add", carrier="main", host="192.0.2.9"))
    assert isinstance(record, CarrierSaved)
    do(hot, "carrier.add", carrier="main", host="192.0.2.9")
    assert [target.label for target in yes(call(hot)).targets] == ["carrier:main"]


def test_two_carriers_that_send_from_one_place_are_refused() -> None:
    """R79: before anything is changed, with the sentence of the check."""
    hot = make.hot_state()
    error = refused(lambda: do(hot, "carrier.add", carrier="twin", host="192.0.2.50"))
    assert error.code == "AMBIGUOUS"
    assert error.sentence == (
        "2 carriers send from 192.0.2.50:5060: incoming calls cannot be told apart."
    )
    assert len(hot.carriers) == 1
    do(hot, "carrier.add", carrier="twin", host="192.0.2.50", port=5062)
    assert refusal_code(hot, "carrier.set", carrier="twin", port=5060) == "AMBIGUOUS"
    do(hot, "carrier.set", carrier="twin", port=5060, enabled=False)


def test_a_carrier_and_a_pbx_that_send_from_one_place_are_refused() -> None:
    """R79."""
    pbx = make.profile(1, mode=AuthMode.IP, address=("8.8.8.8", 5060))
    hot = make.hot_state(profiles=(pbx,))
    assert refusal_code(hot, "carrier.add", carrier="x", host="8.8.8.8") == "AMBIGUOUS"


def test_a_carrier_is_changed_and_removed() -> None:
    hot = make.hot_state()
    told: Any = do(
        hot, "carrier.set", carrier="carrier1", priority=7, srtp="required", plus=False,
        username="us", password="their-secret", match_port=False, weight=3, max_calls=20,
        options_interval_s=0, response_timeout_s=2.5,
    )  # fmt: skip
    assert told["carrier"]["srtp"] == "required"
    assert "their-secret" not in str(told)
    found = hot.carrier_by_id[1]
    assert (found.priority, found.srtp, found.plus) == (7, SrtpPolicy.REQUIRED, False)
    assert (found.weight, found.max_calls) == (3, 20)
    assert (found.options_interval_s, found.response_timeout_s) == (0.0, 2.5)
    assert (found.host, found.password) == ("192.0.2.50", "their-secret")
    (record,) = records(decide(hot, "carrier.remove", carrier="carrier1"))
    assert record == CarrierRemoved(1)
    do(hot, "carrier.remove", carrier="carrier1")
    assert hot.carriers == ()
    assert refusal_code(hot, "carrier.remove", carrier="carrier1") == "NOT_FOUND"


def test_carriers_are_listed_in_the_order_they_are_tried() -> None:
    hot = make.hot_state(
        carriers=(
            make.carrier(1, priority=5),
            make.carrier(2, host="192.0.2.51", enabled=False),
            make.carrier(3, host="192.0.2.52", priority=1),
            make.carrier(0, host="127.0.0.1", name="simulator", priority=1000),
        )
    )
    told: Any = do(hot, "carrier.list")["carriers"]
    assert [each["name"] for each in told] == ["carrier3", "carrier1", "simulator", "carrier2"]
    assert [each["built_in"] for each in told] == [False, False, True, False]
    assert all("password" not in each for each in told)


def test_tls_has_its_own_port() -> None:
    hot = make.hot_state(carriers=())
    do(hot, "carrier.add", carrier="main", host="[2001:db8::1]", transport="tls")
    assert (hot.carriers[0].host, hot.carriers[0].port) == ("2001:db8::1", 5061)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"carrier": "carrier1", "host": "192.0.2.9"}, "TAKEN"),
        ({"carrier": "a b", "host": "192.0.2.9"}, "BAD_ARGUMENT"),
        ({"carrier": "new"}, "BAD_ARGUMENT"),
        ({"carrier": "new", "host": "sip.example.com"}, "BAD_ARGUMENT"),
        ({"carrier": "new", "host": "192.0.2.9", "port": 0}, "BAD_ARGUMENT"),
        ({"carrier": "new", "host": "192.0.2.9", "transport": "sctp"}, "BAD_ARGUMENT"),
        ({"carrier": "new", "host": "192.0.2.9", "weight": 65536}, "BAD_ARGUMENT"),
        ({"carrier": "new", "host": "192.0.2.9", "response_timeout_s": 0}, "BAD_ARGUMENT"),
        ({"carrier": "new", "host": "192.0.2.9", "response_timeout_s": "1"}, "BAD_ARGUMENT"),
        ({"carrier": "new", "host": "192.0.2.9", "wight": 1}, "BAD_ARGUMENT"),
    ],
)
def test_what_cannot_be_a_carrier_is_refused(args: dict[str, object], code: str) -> None:
    assert refusal_code(make.hot_state(), "carrier.add", None, **args) == code
