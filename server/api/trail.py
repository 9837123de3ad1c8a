"""Logistics trails: reports of the platform and the merchants' tools on an order, and the buyer's view (LT-3)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from server.api.access import WithCaller, allowed_to
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.commands.integrate_isv import integrate_isv
from server.commands.report_event import report_event
from server.core.credential import Role
from server.core.ids import OrderId, RoomId, ViewerId, checked_id
from server.core.orders.trail import (
    BEFORE_SHIPPING,
    TrailEvent,
    TrailStep,
    checked_event,
    checked_isv_id,
)
from server.store.trail import Viewed

router = APIRouter(prefix="/api", tags=["trails"])

TRAILS_LISTED_MAX = 100  # a buyer looks at its latest orders


class NewTrail(BaseModel):
    """An order whose trail begins: its buyer, and the live room in which it was made, if any."""

    model_config = ConfigDict(extra="forbid")

    order_id: str
    viewer_id: str
    room_id: str | None = None


class NewEvent(BaseModel):
    """
    An event of an order (LT-6): ``type`` is the step, ``occurred_at_ms`` room time by the sender's clock.

    It may be 5 room minutes ahead of ours, and not before the order was paid (AMB-49).

    ``source`` is ``platform``, which reports ``paid`` and may report ``shipped``, or the id of an ISV for the rest.
    """

    model_config = ConfigDict(extra="forbid")

    event_id: str
    type: str
    occurred_at_ms: int = Field(strict=True)
    source: str


class EventShown(BaseModel):
    """An event as the buyer's page shows it: name and text of the step in the product's words (LT-a to LT-f)."""

    event_id: str
    event: TrailStep
    label: str
    text: str
    occurred_at_ms: int
    source: str


class EventTaken(EventShown):
    """
    An event that was appended; ``shown`` if the buyer sees it.

    It does not if its ISV is not integrated yet (LT-4), it is dated after the shipping, or an earlier one of its step
    is shown (AMB-49).
    """

    order_id: str
    shown: bool


class TrailShown(BaseModel):
    """
    An order's trail as its buyer sees it (LT-3): ``timeline`` in order, and the six steps before shipping, as far as
    they are present. Missing ones are no error (LT-5).
    """

    order_id: str
    viewer_id: str
    room_id: str | None
    timeline: list[EventShown]
    completed: int
    of: int
    missing: list[TrailStep]


class Isv(BaseModel):
    """The new integration state of an ISV."""

    model_config = ConfigDict(extra="forbid")

    integrated: bool = Field(strict=True)


class IsvShown(BaseModel):
    """An ISV, and whether its reports are shown to buyers (LT-4)."""

    isv_id: str
    integrated: bool


@router.post(
    "/trails", status_code=201, responses=problems(400, 409, 413, 422, 503), dependencies=[allowed_to(Role.ADMIN)]
)
async def open_trail(body: NewTrail, state: WithState, _: WithKey) -> TrailShown:
    """
    Open the trail of an order that was made elsewhere; an order submitted here has a trail already.

    A repetition is no error.
    """
    order_id = OrderId(checked_id("order_id", body.order_id))
    viewer_id = ViewerId(checked_id("viewer_id", body.viewer_id))
    room_id = None if body.room_id is None else RoomId(checked_id("room_id", body.room_id))
    await state.trails.open(order_id, viewer_id, room_id)
    return _shown(await state.trails.view(order_id))


@router.post(
    "/trails/{order_id}/events",
    responses=problems(400, 404, 409, 413, 422, 503),
    dependencies=[allowed_to(Role.ADMIN, Role.ISV)],
)
async def append(order_id: str, body: NewEvent, state: WithState, _: WithKey, caller: WithCaller) -> EventTaken:
    """
    Append an event, in any order and with any missing (LT-2, LT-5); a repeated ``event_id`` changes nothing (LT-6).

    If it is shown, it is published at once to the buyer's live connections (LT-3). The order does not change (LT-5).
    """
    caller.check_owns(isv_id=body.source)
    event = checked_event(
        order_id=OrderId(checked_id("order_id", order_id)),
        step=body.type,
        occurred_at_ms=body.occurred_at_ms,
        source=body.source,
        event_id=body.event_id,
    )
    shown = await report_event(state, event)
    return EventTaken(order_id=order_id, shown=shown, **_event_shown(event).model_dump())


@router.get("/trails/{order_id}", responses=problems(404, 422, 503), dependencies=[allowed_to(Role.ADMIN, Role.VIEWER)])
async def get(order_id: str, state: WithState, caller: WithCaller) -> TrailShown:
    """Show the timeline of an order, as on its logistics page (LT-3)."""
    viewed = await state.trails.view(OrderId(checked_id("order_id", order_id)))
    caller.check_owns(viewer_id=viewed.trail.viewer_id)
    return _shown(viewed)


@router.get("/trails", responses=problems(422, 503), dependencies=[allowed_to(Role.ADMIN, Role.VIEWER)])
async def list_trails(
    viewer_id: str,
    state: WithState,
    count: Annotated[int, Query(ge=1, le=TRAILS_LISTED_MAX)] = 20,
    after: str | None = None,
) -> list[TrailShown]:
    """List the trails of a buyer's orders, the last opened first; those opened before *after*, if it is named."""
    buyer = ViewerId(checked_id("viewer_id", viewer_id))
    last = None if after is None else OrderId(checked_id("after", after))
    order_ids = await state.trails.orders_of(buyer, count=count, after=last)
    return [_shown(await state.trails.view(order_id)) for order_id in order_ids]


@router.post("/isvs/{isv_id}", responses=problems(400, 413, 422, 503), dependencies=[allowed_to(Role.ADMIN)])
async def integrate(isv_id: str, body: Isv, state: WithState, _: WithKey) -> IsvShown:
    """
    Set whether an ISV is integrated; the reports of one that is not are kept but not shown (LT-4).

    An integration shows them and pushes them to their buyers; its end hides nothing that was shown (AMB-49).
    """
    await integrate_isv(state, checked_isv_id(isv_id), integrated=body.integrated)
    return IsvShown(isv_id=isv_id, integrated=body.integrated)


@router.get("/isvs", responses=problems(503), dependencies=[allowed_to(Role.ADMIN)])
async def list_isvs(state: WithState) -> list[IsvShown]:
    """List the ISVs that are integrated, by id."""
    return [IsvShown(isv_id=isv_id, integrated=True) for isv_id in sorted(await state.trails.integrated())]


def _shown(viewed: Viewed) -> TrailShown:
    trail, integrated = viewed
    missing = trail.missing(integrated)
    return TrailShown(
        order_id=trail.order_id,
        viewer_id=trail.viewer_id,
        room_id=trail.room_id,
        timeline=[_event_shown(event) for event in trail.timeline(integrated)],
        completed=len(BEFORE_SHIPPING) - len(missing),
        of=len(BEFORE_SHIPPING),
        missing=missing,
    )


def _event_shown(event: TrailEvent) -> EventShown:
    return EventShown(
        event_id=event.event_id,
        event=event.step,
        label=event.step.label,
        text=event.step.text,
        occurred_at_ms=event.occurred_at_ms,
        source=event.source,
    )
