"""The softphone against a server made of our own parts, over real sockets on loopback."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gateway.aio.clock import SystemClock, SystemIds
from gateway.aio.simulator import CarrierSimulator
from gateway.cli.softphone import Account, CallFailed, Softphone, explanation_of
from media.aio.relay import PythonRelay, RelaySettings
from media.sdp.endpoint import OwnOffer
from sip.aio.driver import SipDriver
from sip.endpoint import Endpoint, RequestReceived
from sip.headers import Headers
from sip.message import Response
from sip.target import LocalNames
from sip.timers import SipTimers
from tests.support.gateway_process import media_ports


class Server:
    """A registrar that believes everybody, and the simulator behind it."""

    def __init__(self) -> None:
        self.refuse_register = 0
        self.registered: list[str] = []
        clock, ids = SystemClock(), SystemIds()
        self._clock = clock
        self.endpoint = Endpoint(ids, SipTimers(), LocalNames())
        self.driver = SipDriver(self.endpoint, clock, self.on_event)
        first, last = media_ports()
        self.plane = PythonRelay(
            RelaySettings(
                bind={4: "127.0.0.1"}, advertise={4: "127.0.0.1"}, port_low=first, port_high=last
            ),
            clock=time.monotonic,
            octets=secrets.token_bytes,
        )
        self.simulator = CarrierSimulator(
            self.endpoint,
            self.driver.execute,
            self.plane,
            clock,
            ids,
            lambda seconds, action: asyncio.get_running_loop().call_later(seconds, action),
        )

    def on_event(self, event: object) -> None:
        if isinstance(event, RequestReceived) and event.request.method == "REGISTER":
            status = self.refuse_register or 200
            fields = [("Warning", '399 test "Not today"')] if self.refuse_register else []
            self.registered.append(event.request.headers.get("expires") or "")
            effects = self.endpoint.respond(
                event.handle, status, None, fields, now=self._clock.now()
            )
            self.driver.execute(effects)
            return
        self.simulator.on_event(event)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    yield made
    await made.driver.aclose()
    await made.plane.aclose()


async def phone_for(server: Server, transport: str = "udp") -> Softphone:
    listen = server.driver.listen_udp if transport == "udp" else server.driver.listen_tcp
    host, port = await listen("127.0.0.1", 0)
    account = Account(host, port, transport, "sipgw.local", "alice", "secret")
    phone = Softphone(account, SystemClock(), SystemIds())
    await phone.open(None)
    return phone


def offer() -> bytes:
    return OwnOffer(("127.0.0.1", 40000), secrets.token_bytes).body()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_it_registers_calls_and_hangs_up(server: Server, transport: str) -> None:
    """R87: the way of a new profile's first call."""
    phone = await phone_for(server, transport)
    response, took_ms = await phone.register(expires_s=90)
    assert response.status == 200
    assert 0 < took_ms < 2000
    assert server.registered == ["90"]
    call = await phone.call("+442079460123", offer())
    assert b"m=audio" in call.answer.result().body
    assert call.ringing_status == 180
    assert server.simulator.live_calls == 1
    phone.hang_up(call)
    while server.simulator.live_calls:
        await asyncio.sleep(0.01)
    await phone.close()


async def test_a_refused_call_says_so(server: Server) -> None:
    phone = await phone_for(server)
    with pytest.raises(CallFailed) as caught:
        await phone.call("+442079460486", offer())
    assert caught.value.status == 486
    await phone.close()


async def test_a_refused_registration_gives_the_gateways_own_words(server: Server) -> None:
    phone = await phone_for(server)
    server.refuse_register = 403
    with pytest.raises(CallFailed, match="403 Forbidden \\(Not today\\)"):
        await phone.register()
    await phone.close()


async def test_it_notices_that_the_far_end_hung_up(server: Server) -> None:
    phone = await phone_for(server)
    call = await phone.call("+442079460999", offer())
    await asyncio.wait_for(call.ended.wait(), 5)
    phone.hang_up(call)  # nothing is left to say
    await phone.close()


async def test_nobody_there_is_told_with_the_transports_reason(server: Server) -> None:
    phone = await phone_for(server, "tcp")
    await server.driver.aclose()
    with pytest.raises(CallFailed, match=r"Connect call failed|refused"):
        await phone.register()
    await phone.close()


def test_a_warning_is_shown_before_a_reason() -> None:
    both = Headers([("Reason", "Q.850;cause=1"), ("Warning", '399 sipgw "NO_RATE Nowhere"')])
    response = Response(403, "Forbidden", both)
    assert explanation_of(response) == "NO_RATE Nowhere"
    without = response.with_headers(both.without("Warning"))
    assert explanation_of(without) == "Q.850;cause=1"
    assert explanation_of(response.with_headers(Headers([]))) == ""


def test_an_account_knows_its_aor() -> None:
    account = Account("127.0.0.1", 5060, "udp", "sipgw.local", "alice", "secret")
    assert account.aor == "sip:alice@sipgw.local"
    assert replace(account, realm="other").aor == "sip:alice@other"
