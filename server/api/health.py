"""Endpoints for machines: liveness, readiness, metrics and the clock."""

from dataclasses import asdict

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from server.api.access import allowed_to
from server.api.app_state import WithState
from server.api.errors import problems
from server.api.metrics import GatewayCollector
from server.core.credential import Role

router = APIRouter(tags=["health"])


class ClockShown(BaseModel):
    """The room clock: room time now and its parameters (docs/protocol.md, Clocks)."""

    room_ms: int
    origin_ms: int
    started_ms: int
    speed: int


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Answer that the process is alive."""
    return {"status": "alive"}


@router.get("/readyz", responses=problems(503))
async def readyz(state: WithState) -> dict[str, str]:
    """
    Answer whether all processes of the server can serve grabs: the store answers each within a second, and their
    long-lived tasks work. ``notes`` says what an operator should know all the same.
    """
    await state.siblings.check_ready()
    notes = state.store.supervisor.notes.values()
    return {"status": "ready", **({"notes": "; ".join(notes)} if notes else {})}


@router.get("/metrics", response_class=Response)
async def metrics(state: WithState) -> Response:
    """Show the metrics of all processes of the server for Prometheus."""
    registry = CollectorRegistry()
    registry.register(GatewayCollector(*await state.siblings.metrics()))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/api/clock", tags=["clock"], responses=problems(401, 403), dependencies=[allowed_to(*Role)])
async def clock(state: WithState) -> ClockShown:
    """Show the room time."""
    return ClockShown(room_ms=state.clock.room_ms(), **asdict(state.clock.record))
