"""What machines ask: alive, ready, how much, what time."""

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from server.api.errors import problems
from server.api.metrics import GatewayCollector
from server.api.parts import WithParts
from server.store.connection import StoreUnavailable

READY_WITHIN_S = 1.0  # who asks is a probe, which has little patience itself

router = APIRouter(tags=["health"])


class ClockShown(BaseModel):
    """The room clock: room time now and how it is computed (design.md, section 6)."""

    room_ms: int
    origin_ms: int
    started_ms: int
    speed: int


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "alive"}


@router.get("/readyz", responses=problems(503))
async def readyz(parts: WithParts) -> dict[str, str]:
    """Say that the process can serve grabs: its store answers, and does so within a second."""
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            await parts.store.redis.execute_command("PING")
    except TimeoutError:
        raise StoreUnavailable(f"the store has not answered for {READY_WITHIN_S:.0f} s") from None
    return {"status": "ready"}


@router.get("/metrics", response_class=Response)
async def metrics(parts: WithParts) -> Response:
    """Show the process's metrics for Prometheus."""
    registry = CollectorRegistry()
    registry.register(GatewayCollector(parts.gateway))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/api/clock", tags=["clock"])
async def clock(parts: WithParts) -> ClockShown:
    """Tell the room time."""
    record = parts.clock.record
    return ClockShown(
        room_ms=parts.clock.room_ms(), origin_ms=record.origin_ms, started_ms=record.started_ms, speed=record.speed
    )
