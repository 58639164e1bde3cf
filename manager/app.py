"""Owns the HTTP application: health for people and probes, metrics for Prometheus (R133).

What the health is, is the gateway's to say: `status` is asked on every request and answers at
once.
"""

from collections.abc import Callable
from typing import Literal

from fastapi import FastAPI, Response
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from manager.guard import Guard
from manager.page import STATIC, Status, health_page

METHODS = ["GET", "HEAD"]


def create_app(status: Callable[[], Status], registry: CollectorRegistry) -> FastAPI:
    """Assemble the application; it keeps no state of its own.

    `status` gives JSON values; its "status" is "ok" or says in a word what is wrong.
    """
    app = FastAPI(title="sipgw", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    # Coroutines all: a plain function would run in a thread, and the hot state has one thread.
    @app.api_route("/health", methods=METHODS)
    async def health() -> JSONResponse:
        now = status()
        return JSONResponse(dict(now), status_code=_code(now))

    @app.api_route("/metrics", methods=METHODS)
    async def metrics() -> Response:
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @app.api_route("/", methods=METHODS)
    async def page() -> HTMLResponse:
        now = status()
        return HTMLResponse(health_page(now), status_code=_code(now))

    return app


def _code(status: Status) -> Literal[200, 503]:
    """503 takes an unhealthy gateway out of a load balancer."""
    return 200 if status.get("status") == "ok" else 503
