"""The health page and the metrics over HTTP."""

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from manager.app import create_app


class Gateway:
    """A gateway whose health the test decides."""

    def __init__(self) -> None:
        self.status: dict[str, object] = {
            "status": "ok",
            "version": "1.2.3",
            "uptime_s": 12,
            "store": {"path": "var/sipgw.db", "queue": 0},
            "listeners": [
                {"name": "udp", "address": "0.0.0.0:5060"},
                {"name": "<b>odd</b>", "address": "[::]:5060"},
            ],
        }


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    registry = CollectorRegistry()
    Counter("sipgw_tries", "Tries.", registry=registry).inc(3)
    app = create_app(lambda: gateway.status, registry)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
        yield client


async def test_health_is_the_status_as_json(client: httpx.AsyncClient, gateway: Gateway) -> None:
    answer = await client.get("/health")
    assert answer.status_code == 200
    assert answer.json() == gateway.status


async def test_an_unhealthy_gateway_answers_503(
    client: httpx.AsyncClient, gateway: Gateway
) -> None:
    gateway.status["status"] = "draining"
    assert (await client.get("/health")).status_code == 503
    page = await client.get("/")
    assert page.status_code == 503
    assert "draining" in page.text


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    """R133: operators scrape /metrics."""
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "sipgw_tries_total 3.0" in answer.text.splitlines()


async def test_the_page_shows_the_status_and_escapes_it(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "[::]:5060" in answer.text
    assert "&lt;b&gt;odd&lt;/b&gt;" in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/static/health.css", "/nowhere"])
async def test_every_answer_carries_a_strict_policy(client: httpx.AsyncClient, path: str) -> None:
    policy = (await client.get(path)).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/health", "/metrics"])
async def test_nothing_can_be_written(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path)).status_code == 405
    assert (await client.head(path)).status_code == 200
