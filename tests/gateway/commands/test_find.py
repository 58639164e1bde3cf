"""Finding nouns by what people call them."""

import pytest

from gateway.commands import find
from tests.support import factories as make
from tests.support.commands import refused

HOT = make.hot_state(
    profiles=(make.profile(1, name="Sales"), make.profile(2, name="Plant")),
    onnet_accounts=(make.onnet_account(5, "Claude.Morel"),),
    numbers=(make.number(),),
)


@pytest.mark.parametrize("called", ["Plant", "99051000000002", "2"])
def test_a_profile_is_found_by_name_username_or_id(called: str) -> None:
    assert find.profile(HOT, called).id == 2


def test_a_name_that_looks_like_an_id_goes_before_the_id() -> None:
    hot = make.hot_state(profiles=(make.profile(1, name="2"), make.profile(2, name="x")))
    assert find.profile(hot, "2").id == 1


def test_an_unknown_profile_is_told_with_what_there_is() -> None:
    error = refused(lambda: find.profile(HOT, "Sale"))
    assert error.code == "NOT_FOUND"
    assert "(there are: Plant, Sales)" in error.sentence


def test_the_only_manager_needs_no_name() -> None:
    assert find.manager(HOT, None).id == 1
    assert find.manager(HOT, "Company 1").id == find.manager(HOT, "1").id == 1
    two = make.hot_state(managers=(make.manager(1), make.manager(2)))
    assert refused(lambda: find.manager(two, None)).code == "UNCLEAR"
    assert refused(lambda: find.manager(two, "Company 3")).code == "NOT_FOUND"
    nobody = make.hot_state(managers=(), profiles=())
    assert "there is no Manager" in refused(lambda: find.manager(nobody, None)).sentence


def test_accounts_are_found_whatever_their_capitals() -> None:
    assert find.account(HOT, "claude.MOREL").id == 5
    assert refused(lambda: find.account(HOT, "nobody")).code == "NOT_FOUND"


def test_numbers_need_their_plus_and_a_place_in_the_inventory() -> None:
    assert find.number(HOT, "+12026555376").profile_id == 1
    assert refused(lambda: find.number(HOT, "12026555376")).code == "BAD_NUMBER"
    assert refused(lambda: find.number(HOT, "+12026555377")).code == "NOT_FOUND"


def test_the_built_in_carrier_is_not_for_changing() -> None:
    hot = make.hot_state(carriers=(make.carrier(0, name="simulator"), make.carrier(3)))
    assert find.carrier(hot, "carrier3").id == find.carrier(hot, "3").id == 3
    assert refused(lambda: find.carrier(hot, "simulator")).code == "BUILT_IN"
    assert refused(lambda: find.carrier(hot, "4")).code == "NOT_FOUND"


def test_old_ambiguities_do_not_stand_in_the_way_of_new_changes() -> None:
    """What `HotState.check` said before is known already."""
    hot = make.hot_state(carriers=(make.carrier(1), make.carrier(2)))
    assert hot.check()
    find.refuse_ambiguity(hot, profiles={2: make.profile(2)})
    third = make.carrier(3)
    assert refused(lambda: find.refuse_ambiguity(hot, carriers={3: third})).code == "AMBIGUOUS"


def test_ids_go_up() -> None:
    assert find.next_id([]) == 1
    assert find.next_id([0, 7, 3]) == 8
