"""Commands about on-net and business accounts."""

from typing import Any

import pytest

from gateway.hot_state import HotState
from gateway.model.binding import Owner
from gateway.model.record import AccountSaved, BindingRemoved
from tests.support import factories as make
from tests.support.asking import onnet, yes
from tests.support.commands import code as refusal_code
from tests.support.commands import decide, do, records, refused


def company() -> HotState:
    """Two profiles; alice is registered with two softphones."""
    return make.hot_state(
        profiles=(make.profile(1), make.profile(2)),
        onnet_accounts=(make.onnet_account(5, "alice"), make.onnet_account(9, "bob")),
        bindings=(
            make.binding(1),
            make.binding(5, owner=Owner.ONNET, contact="sip:a@198.51.100.9:5060"),
            make.binding(5, owner=Owner.ONNET, contact="sip:b@198.51.100.9:5062"),
        ),
    )


def test_an_attached_account_loses_its_registrations() -> None:
    """R97: and its name is answered by the profile."""
    hot = company()
    change = decide(hot, "account.attach", account="alice", profile="1", extension="200")
    saved, *removed = records(change)
    assert isinstance(saved, AccountSaved)
    assert [type(each) for each in removed] == [BindingRemoved, BindingRemoved]
    told: Any = do(hot, "account.attach", account="alice", profile="1", extension="200")
    assert hot.location.lookup(Owner.ONNET, 5) == []
    assert len(hot.location.lookup(Owner.PROFILE, 1)) == 1
    assert "2 of its registrations ended" in told["sentence"]
    assert yes(onnet(hot, "alice")).profile_id == 1


def test_an_account_belongs_to_one_profile_only() -> None:
    """R96: of two attempts one wins, and the message says why."""
    hot = company()
    do(hot, "account.attach", account="alice", profile="1")
    error = refused(lambda: do(hot, "account.attach", account="alice", profile="2"))
    assert error.code == "ATTACHED_ELSEWHERE"
    assert "could not be attributed" in error.sentence
    assert hot.onnet_by_id[5].profile_id == 1
    do(hot, "account.attach", account="alice", profile="1", extension="201")
    assert hot.onnet_by_id[5].extension == "201"
    do(hot, "account.attach", account="alice", profile="1")
    assert hot.onnet_by_id[5].extension == "201"


def test_a_detached_account_is_regular_again() -> None:
    """R98."""
    hot = company()
    do(hot, "account.attach", account="alice", profile="1", extension="200")
    told = do(hot, "account.detach", account="alice")
    assert told["sentence"] == "alice is a regular account again and can sign in."
    assert hot.onnet_by_id[5].profile_id is None
    assert hot.onnet_by_id[5].extension == ""
    assert refusal_code(hot, "account.detach", account="alice") == "NOT_ATTACHED"
    do(hot, "account.attach", account="alice", profile="2")
    assert hot.onnet_by_id[5].profile_id == 2


def test_a_new_account_gets_a_password_of_the_systems_making() -> None:
    """R82."""
    hot = company()
    told: Any = do(hot, "account.add", account="Claude.Morel")
    assert len(told["sign_in"]["password"]) == 26  # 130 bits
    found = hot.onnet("claude.morel")
    assert found is not None
    assert found.password == told["sign_in"]["password"]
    business: Any = do(hot, "account.add", account="Sales", profile="1", extension="7")
    assert business["account"]["profile"] == "Profile.1"
    listed: Any = do(hot, "account.list", profile="1")["accounts"]
    assert [each["name"] for each in listed] == ["Sales"]
    everybody: Any = do(hot, "account.list")["accounts"]
    assert [each["name"] for each in everybody] == ["Claude.Morel", "Sales", "alice", "bob"]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"account": "ALICE"}, "TAKEN"),
        ({"account": "9lives"}, "BAD_ARGUMENT"),
        ({"account": "a b"}, "BAD_ARGUMENT"),
        ({"account": "new", "extension": "7"}, "BAD_ARGUMENT"),
        ({"account": "new", "profile": "1", "extension": "7;x"}, "BAD_ARGUMENT"),
        ({"account": "new", "profile": "9"}, "NOT_FOUND"),
    ],
)
def test_what_cannot_be_an_account_is_refused(args: dict[str, object], code: str) -> None:
    assert refusal_code(company(), "account.add", None, **args) == code
