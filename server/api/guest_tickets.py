"""Guests: who comes without a credential gets a ticket and a viewer's credential, where the server admits guests."""

import asyncio
import re
import secrets
from typing import Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict

from server.api.access import GUEST_TICKETS
from server.api.app_state import WithKey, WithState
from server.api.errors import problems
from server.api.tickets import TicketShown
from server.core.credential import Caller, Role
from server.core.ids import RoomId, ViewerId
from server.core.refusal import Refused
from server.core.text import checked_text
from server.gateway.guest_book import GUEST_LASTS_S
from server.gateway.tickets import LASTS_MS

router = APIRouter(prefix=GUEST_TICKETS, tags=["rooms"])

GUEST: Final = "guest-"
NAME_LENGTH_MAX: Final = 20
_SHOWN_MAX: Final = 12  # of a name's letters: an id with them is no longer than an id may be
_UNFIT: Final = re.compile(r"[^A-Za-z0-9]+")


class GuestAsked(BaseModel):
    """The room to enter, and perhaps a name, of which the guest's id has the letters and digits that an id may have."""

    model_config = ConfigDict(extra="forbid")

    room_id: str
    name: str | None = None


class GuestShown(TicketShown):
    """
    A ticket for the room, and the credential of a viewer: send it as ``Authorization: Bearer TOKEN``.

    With the credential the guest gets further tickets under the same ``viewer_id`` (``POST /api/rooms/ROOM/tickets``).
    """

    token: str
    token_expires_in_s: int


@router.post("", status_code=201, responses=problems(400, 403, 404, 413, 422, 429, 503))
async def create(body: GuestAsked, request: Request, state: WithState, _: WithKey) -> GuestShown:
    """Admit a guest to a room, under a new name. Each address may bring a limited number."""
    if not state.settings.guests:
        raise Refused("guests_off", "this server admits no guests; --guests lets it")
    name = "" if body.name is None else checked_text("name", body.name, length_max=NAME_LENGTH_MAX)
    address = state.gateway.proxies.client(request.state.peer, request.headers.raw)
    state.guest_book.admit(address, asyncio.get_running_loop().time())
    room = await state.rooms.known(RoomId(body.room_id))
    viewer_id = new_guest(name)
    credential = state.credentials.mint(
        Caller(Role.VIEWER, viewer_id), lasts_ms=GUEST_LASTS_S * 1_000, now_ms=state.clock.real_ms()
    )
    return GuestShown(
        room_id=room.room_id,
        viewer_id=viewer_id,
        ticket=state.gateway.ticket(room.room_id, viewer_id),
        expires_in_s=LASTS_MS // 1_000,
        token=credential,
        token_expires_in_s=GUEST_LASTS_S,
    )


def new_guest(name: str) -> ViewerId:
    """Return an id that nobody else has, with what an id can show of a *name*."""
    shown = _UNFIT.sub("", name)[:_SHOWN_MAX]
    return ViewerId(f"{GUEST}{shown}{'-' if shown else ''}{secrets.token_hex(8)}")
