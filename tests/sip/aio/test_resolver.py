"""Host names to addresses."""

import asyncio

import pytest

from sip.aio.resolver import FOUND_S, Resolver
from tests.support.clock import VirtualClock


@pytest.mark.parametrize(
    ("host", "address"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8::7", "2001:db8::7"), ("[2001:DB8::7]", "2001:db8::7")],
)
async def test_a_literal_address_is_its_own_answer(host: str, address: str) -> None:
    assert await Resolver(VirtualClock().now).resolve(host, 5060) == [(address, 5060)]


async def test_a_name_is_looked_up_and_remembered_for_a_while() -> None:
    clock = VirtualClock()
    resolver = Resolver(clock.now)
    first, second = await asyncio.gather(
        resolver.resolve("localhost", 5060), resolver.resolve("LOCALHOST", 5061)
    )
    assert first
    assert {host for host, _ in first} <= {"127.0.0.1", "::1"}
    assert [host for host, _ in second] == [host for host, _ in first]
    resolver._cache["localhost"] = (clock.now() + FOUND_S, ("192.0.2.9",))
    assert await resolver.resolve("localhost", 1) == [("192.0.2.9", 1)]
    clock.advance(FOUND_S + 1)
    assert await resolver.resolve("localhost", 5060) == first


async def test_a_name_that_does_not_exist_has_no_address() -> None:
    resolver = Resolver(VirtualClock().now)
    assert await resolver.resolve("does-not-exist.invalid", 5060) == []
    assert await resolver.resolve("does-not-exist.invalid", 5060) == []
