"""The location service: order, expiry, lost connections."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gateway.location import Location
from gateway.model.binding import Binding, Owner
from tests.support import factories as make


def contacts(found: list[Binding]) -> list[str]:
    return [b.contact for b in found]


def test_highest_q_comes_first_then_the_newest() -> None:
    """R13: hunting starts where the PBX wants it, then where it was last seen."""
    location = Location()
    location.apply(saved=[make.binding(contact="sip:old@h", q=500)])
    location.apply(saved=[make.binding(contact="sip:new@h", q=500)])
    location.apply(saved=[make.binding(contact="sip:best@h", q=900)])
    found = location.lookup(Owner.PROFILE, 1)
    assert contacts(found) == ["sip:best@h", "sip:new@h", "sip:old@h"]
    location.apply(saved=[make.binding(contact="sip:old@h", q=500)])
    assert contacts(location.lookup(Owner.PROFILE, 1))[1] == "sip:old@h"


def test_profiles_and_accounts_of_one_id_are_kept_apart() -> None:
    location = Location([make.binding(), make.binding(owner=Owner.ONNET, contact="sip:a@h")])
    assert contacts(location.lookup(Owner.ONNET, 1)) == ["sip:a@h"]
    assert len(location.lookup(Owner.PROFILE, 1)) == 1
    assert len(location) == 2


def test_a_lapsed_binding_is_never_found_even_before_the_sweep() -> None:
    location = Location([make.binding(deadline=100.0)])
    assert location.lookup(Owner.PROFILE, 1, 99.9)
    assert not location.lookup(Owner.PROFILE, 1, 100.0)


def test_tick_expires_what_is_due_and_names_it() -> None:
    location = Location(
        [make.binding(1, deadline=100.0), make.binding(2, deadline=200.0)],
    )
    assert location.deadline == 100.0
    assert [b.owner_id for b in location.tick(150.0)] == [1]
    assert [b.owner_id for b in location.tick(199.0)] == []
    assert [b.owner_id for b in location.tick(200.0)] == [2]
    assert len(location) == 0


def test_an_empty_service_has_nothing_to_wait_for() -> None:
    location = Location([make.binding(deadline=100.0)])
    location.tick(100.0)
    assert location.deadline is None


def test_a_refreshed_binding_outlives_its_first_deadline() -> None:
    location = Location([make.binding(deadline=100.0)])
    location.apply(saved=[make.binding(deadline=145.0)])
    assert location.tick(100.0) == []
    assert location.deadline == 145.0
    assert len(location.tick(145.0)) == 1


def test_a_shortened_binding_lapses_at_its_new_deadline() -> None:
    location = Location([make.binding(deadline=3600.0)])
    location.apply(saved=[make.binding(deadline=45.0)])
    assert location.deadline == 45.0
    assert len(location.tick(45.0)) == 1
    assert location.tick(3600.0) == []
    assert location.deadline is None


def test_a_removed_binding_is_gone_and_never_expires() -> None:
    location = Location([make.binding(deadline=100.0)])
    location.apply(removed=[make.binding()])
    assert len(location) == 0
    assert location.tick(1000.0) == []
    location.apply(removed=[make.binding()])  # once more does no harm


def test_refreshing_for_a_day_does_not_grow_the_expiry_heap() -> None:
    """R81: 45 s rhythm; one heap entry for each binding whatever the rhythm."""
    location = Location()
    for second in range(0, 86_400, 45):
        location.apply(saved=[make.binding(deadline=second + 45.0 + 45.0)])
        assert location.tick(float(second)) == []
    assert len(location._due) <= 2


def test_a_closed_connection_takes_the_bindings_behind_nat_with_it() -> None:
    stream = make.flow(("203.0.113.7", 41000), "tls")
    location = Location(
        [make.binding(1, flow=stream, nat=True), make.binding(2, flow=stream, nat=True)]
    )
    assert sorted(b.owner_id for b in location.flow_gone(stream)) == [1, 2]
    assert len(location) == 0
    assert location.flow_gone(stream) == []


def test_a_reachable_pbx_is_dialled_again_after_its_connection_closed() -> None:
    stream = make.flow(("203.0.113.7", 41000), "tls")
    location = Location([make.binding(flow=stream, contact="sip:pbx@203.0.113.7")])
    assert location.flow_gone(stream) == []
    (found,) = location.lookup(Owner.PROFILE, 1)
    assert found.flow == make.flow(("203.0.113.7", 5061), "tls")
    assert found.contact == "sip:pbx@203.0.113.7"


def test_a_contact_nobody_can_read_is_lost_with_its_connection() -> None:
    stream = make.flow(("203.0.113.7", 41000), "tcp")
    location = Location([make.binding(flow=stream, contact="nonsense")])
    assert len(location.flow_gone(stream)) == 1


def test_a_moved_binding_does_not_hang_on_its_old_connection() -> None:
    old, new = make.flow(("203.0.113.7", 1), "tcp"), make.flow(("203.0.113.7", 2), "tcp")
    location = Location([make.binding(flow=old, nat=True)])
    location.apply(saved=[make.binding(flow=new, nat=True)])
    assert location.flow_gone(old) == []
    assert location.lookup(Owner.PROFILE, 1)[0].flow == new


def test_dropping_an_owner_removes_all_its_bindings() -> None:
    """R97: an attached account's softphones are dropped."""
    onnet = make.binding(7, owner=Owner.ONNET)
    location = Location([onnet, replace(onnet, contact="sip:other@h"), make.binding(7)])
    assert len(location.drop_owner(Owner.ONNET, 7)) == 2
    assert len(location) == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 50), st.booleans()),
        max_size=40,
    )
)
def test_the_service_agrees_with_a_plain_list(
    steps: list[tuple[int, int, int, bool]],
) -> None:
    location = Location()
    model: dict[tuple[int, str], Binding] = {}
    now = 0.0
    for owner_id, contact, lifetime, keep in steps:
        now += 3
        new = make.binding(owner_id, contact=f"sip:{contact}@h", deadline=now + lifetime)
        if keep:
            location.apply(saved=[new])
            model[owner_id, new.contact] = new
        else:
            location.apply(removed=[new])
            model.pop((owner_id, new.contact), None)
        expired = {(b.owner_id, b.contact) for b in location.tick(now)}
        assert expired == {key for key, b in model.items() if b.deadline <= now}
        for key in expired:
            del model[key]
        assert len(location) == len(model)
        if model:
            assert location.deadline is not None
            assert location.deadline <= min(b.deadline for b in model.values())


def test_the_hosts_are_those_of_living_flows() -> None:
    """R86: whoever holds a binding is known by where it came from."""
    near, far = make.binding(), make.binding(2, flow=make.flow(("198.51.100.9", 5060)))
    location = Location([near, far])
    assert set(location.hosts()) == {make.PBX[0], "198.51.100.9"}
    location.apply(removed=[far])
    assert set(location.hosts()) == {make.PBX[0]}
