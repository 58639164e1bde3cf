"""A changed password while a PBX is registered and calls, through the whole gateway in memory."""

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

from gateway.aio.store_watch import StoreWatch
from gateway.aio.sweeper import Sweeper
from gateway.credentials import Rotation, rotate
from gateway.model.binding import Owner
from gateway.model.online_number import OnlineNumber
from gateway.model.record import PasswordChanged
from sip.message import response_to
from tests.gateway.aio.test_refusals_on_the_wire import invite
from tests.support import factories as make
from tests.support.front import SDP, Front

NUMBER = "+12026555376"


class Company(Front):
    """Profile 1 is registered over UDP and owns a number."""

    def __init__(self) -> None:
        super().__init__(numbers=(OnlineNumber(NUMBER, 1),))
        self.ask(make.register())
        assert self.answer().status == 200

    def change_password(self) -> Rotation:
        """What a command of the operator does."""
        profile = self.hot.profile_by_id[1]
        rotation = rotate(profile, make.CountingIds(), self.hot.location, self.clock.at())
        self.hot.put_profile(rotation.profile)
        self.journal.write(rotation.records)
        return rotation

    def sweep(self) -> None:
        register = self.dispatcher._register
        Sweeper(
            self.hot, self.runner, register, self.doorman, self.journal, self.clock, self.log,
            self.metrics, cast(StoreWatch, SimpleNamespace(look=lambda: None)),
        ).sweep()  # fmt: skip

    def call(self, password: str, call_id: str) -> None:
        self.ask(invite(call_id=call_id), password=password)

    def carrier_answers(self) -> None:
        request, flow = self.request("INVITE")
        contact = ("Contact", f"<sip:carrier@{make.CARRIER[0]}:{make.CARRIER[1]}>")
        kind = ("Content-Type", "application/sdp")
        self.send(response_to(request, 200, "OK", [contact, kind], SDP, "carrier"), flow)


async def test_calls_go_on_and_new_ones_work_in_both_directions() -> None:
    """R83: nothing is disconnected."""
    company = Company()
    company.call("secret-1", "before")
    company.carrier_answers()
    assert company.answer().status == 200
    rotation = company.change_password()
    (binding,) = company.hot.location.lookup(Owner.PROFILE, 1)
    assert rotation.drops_at == binding.expires_at
    company.sweep()
    assert len(company.runner) == 1
    assert len(company.hot.profile_by_id[1].leases) == 1
    company.call("secret-1", "after")
    assert company.request("INVITE")[1].remote == make.CARRIER
    company.carrier_answers()
    assert company.answer().status == 200
    assert len(company.runner) == 2
    company.hot.put_profile(replace(rotation.profile, channels=3))
    company.send(invite(NUMBER, from_user="447824501234"), make.flow(make.CARRIER))
    request, flow = company.request("INVITE")
    assert flow.remote == make.PBX
    assert request.request_uri.username == NUMBER.removeprefix("+")


async def test_registering_takes_the_new_password_and_ends_the_old_one() -> None:
    """R84"""
    company = Company()
    rotation = company.change_password()
    company.ask(make.register(cseq=2))
    assert company.answer().status == 401
    company.ask(make.register(cseq=3), password=rotation.profile.password)
    assert company.answer().status == 200
    company.call("secret-1", "late")
    assert company.answer().status == 407
    company.call(rotation.profile.password, "new")
    assert company.request("INVITE")[1].remote == make.CARRIER


async def test_the_old_password_is_forgotten_with_its_binding() -> None:
    """R84: in memory and on the disk."""
    company = Company()
    rotation = company.change_password()
    company.sweep()
    assert company.hot.profile_by_id[1].old_passwords == rotation.profile.old_passwords
    company.hot.location.drop_owner(Owner.PROFILE, 1)
    company.sweep()
    assert company.hot.profile_by_id[1].old_passwords == ()
    records = [r for r in company.journal.records if isinstance(r, PasswordChanged)]
    assert [len(record.old) for record in records] == [1, 0]
    assert "replaced password forgotten" in company.log.events
    company.call("secret-1", "late")
    assert company.answer().status == 407
