"""Commands about Online Numbers."""

from typing import Any

from gateway.model.binding import Owner
from gateway.model.record import NumberSaved
from tests.support import factories as make
from tests.support.asking import US, bring, code, yes
from tests.support.commands import code as refusal_code
from tests.support.commands import decide, do, records

OTHER = "+12026555300"


def test_a_reassigned_number_takes_the_very_next_call_along() -> None:
    """R105."""
    hot = make.hot_state(
        profiles=(make.profile(1), make.profile(2)),
        numbers=(make.number(US, 1),),
        bindings=(make.binding(1), make.binding(2)),
    )
    assert yes(bring(hot, call_id="c-1")).profile_id == 1
    do(hot, "number.assign", number=US, profile="2")
    assert yes(bring(hot, call_id="c-2")).profile_id == 2
    assert list(hot.numbers_of(1)) == []
    do(hot, "number.assign", number=US)
    assert code(bring(hot, call_id="c-3")) == "NUMBER_NOT_ASSIGNED"
    assert hot.location.lookup(Owner.PROFILE, 1)


def test_a_number_is_added_to_the_inventory_and_rings_where_it_is_told() -> None:
    """R104."""
    hot = make.hot_state()
    change = decide(hot, "number.add", number=OTHER, profile="1")
    (record,) = records(change)
    assert isinstance(record, NumberSaved)
    do(hot, "number.add", number=OTHER, profile="1")
    do(hot, "number.add", number=US)
    told: Any = do(hot, "number.list")["numbers"]
    assert [(each["number"], each["profile"]) for each in told] == [
        (OTHER, "Profile.1"), (US, ""),
    ]  # fmt: skip
    mine: Any = do(hot, "number.list", profile="1")["numbers"]
    assert [each["number"] for each in mine] == [OTHER]


def test_what_cannot_be_a_new_number_is_refused() -> None:
    hot = make.hot_state(numbers=(make.number(US, 1),))
    assert refusal_code(hot, "number.add", number=US) == "TAKEN"
    assert refusal_code(hot, "number.add", number="12026555300") == "BAD_NUMBER"
    assert refusal_code(hot, "number.add", number=OTHER, profile="9") == "NOT_FOUND"
    assert refusal_code(hot, "number.assign", number=OTHER, profile="1") == "NOT_FOUND"
