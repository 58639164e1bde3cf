"""The table of commands."""

import pytest

from gateway.commands.base import Args
from gateway.commands.table import VERBS
from tests.support import factories as make
from tests.support.commands import env, refused

NEEDED: dict[str, object] = {
    "profile": "1", "name": "n", "account": "alice", "number": "+12026555376",
    "carrier": "carrier1", "host": "192.0.2.9", "amount": "1", "key": "key-00001",
}  # fmt: skip
FRESH: dict[str, dict[str, object]] = {
    "carrier.add": {"carrier": "fresh"},
    "account.add": {"account": "fresh"},
}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_refuses_arguments_it_does_not_know(verb: str) -> None:
    hot = make.hot_state(
        onnet_accounts=(make.onnet_account(profile_id=1),), numbers=(make.number(),)
    )
    args = {**NEEDED, **FRESH.get(verb, {}), "nonsense": 1}
    error = refused(lambda: VERBS[verb].run(hot, Args(args), env()))
    assert error.code == "BAD_ARGUMENT"
    assert "nonsense" in error.sentence


def test_nothing_is_transferred_between_profiles() -> None:
    """R27: there is no verb for moving channels."""
    assert not [verb for verb in VERBS if "transfer" in verb or "channel" in verb]
