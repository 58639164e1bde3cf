"""A password is changed on a running gateway, and sources that guess are let in again."""

import json

from tests.interop.conftest import NewSipPeer, StartHouse
from tests.interop.test_control import NOWHERE, asked, call_of, refused, register, told
from tests.support.seed import PBX


def test_a_changed_password_disconnects_nobody_until_the_registration_ends(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R82, R83, R84, R85: calls go on, the time of the drop is told, REGISTER needs the new one."""
    house, pbx = start_gateway(NOWHERE), new_sip_peer()
    assert register(pbx, house, PBX) == 200
    running = call_of(pbx, house, PBX)
    running.establish()
    changed = asked(house, "password", "new", PBX[0])
    new = (PBX[0], changed["sign_in"]["password"])
    assert new != PBX
    assert changed["drops_at"]
    assert "Calls go on with the old password until" in changed["sentence"]
    # R83: the running call lives, and the old password signs another one.
    second = call_of(pbx, house, PBX)
    second.establish()
    assert running.bye().status == 200
    assert second.bye().status == 200
    # R84: registering takes the new password, which counts at once.
    assert register(pbx, house, PBX) == 401
    third = call_of(pbx, house, new)
    third.establish()
    assert third.bye().status == 200
    assert register(pbx, house, new) == 200
    house.assert_nothing_held()
    assert new[1] not in house.gateway.log()


def test_without_a_registration_the_old_password_is_worth_nothing_at_once(
    new_sip_peer: NewSipPeer, start_gateway: StartHouse
) -> None:
    """R83, R85: nothing is registered, so nothing drops."""
    house, pbx = start_gateway(NOWHERE), new_sip_peer()
    shown = told(house, "password", "new", PBX[0])
    assert "worth nothing now" in shown
    assert refused(pbx, house, PBX).status == 407


def test_nobody_is_banned_to_begin_with(start_gateway: StartHouse) -> None:
    """R86: the list is there for people and for programs."""
    house = start_gateway(NOWHERE)
    assert "nobody is banned" in told(house, "ban", "list")
    assert json.loads(told(house, "ban", "list", "--json"))["bans"] == []
