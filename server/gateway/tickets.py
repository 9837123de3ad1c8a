"""The join ticket, with which a viewer can join a room once, within a minute."""

import secrets
from typing import Final

from server.core.credential import Role
from server.core.ids import RoomId, ViewerId, checked_id
from server.core.refusal import Refused
from server.gateway.handshake import Rejection
from server.gateway.identity import Identity
from server.gateway.signing import BadToken, Signer, TokenFault

LASTS_MS: Final = 60_000  # real: from the answer of the API to the handshake
_ID_BYTES: Final = 12
_PURPOSE: Final = "redrain.ticket"
_ANEW: Final = "get one with POST /api/rooms/ROOM/tickets"
_FAULTS: Final = {
    TokenFault.FORGED: Rejection(401, "bad_ticket", f"ticket: not signed by this server; {_ANEW}"),
    TokenFault.EXPIRED: Rejection(401, "ticket_expired", f"ticket: has expired; {_ANEW}"),
    TokenFault.OTHER_PURPOSE: Rejection(401, "bad_ticket", f"ticket: this token has another purpose; {_ANEW}"),
}
USED: Final = Rejection(401, "ticket_used", f"ticket: was used before; {_ANEW}")
OTHER_ROOM: Final = Rejection(403, "other_room", f"ticket: is for another room; {_ANEW}")
NO_VIEWER: Final = Rejection(403, "not_allowed", "ticket: only a viewer can join a room")


class Tickets:
    """
    Makes and reads the tickets of all processes that have the same secret.

    A ticket has an id, by which its use is noted in the store, unless tickets are *reusable*.
    """

    def __init__(self, signer: Signer, *, reusable: bool = False) -> None:
        self._signer = signer
        self._reusable = reusable

    def mint(self, viewer_id: ViewerId, room_id: RoomId, now_ms: int) -> str:
        """Return a ticket for one viewer and one room. *now_ms* is real time by the store's clock."""
        claims = {"sub": viewer_id, "room": room_id, "role": Role.VIEWER, "jti": secrets.token_urlsafe(_ID_BYTES)}
        return self._signer.sign(claims, purpose=_PURPOSE, lasts_ms=LASTS_MS, now_ms=now_ms)

    def read(self, ticket: str, room_id: RoomId, now_ms: int) -> Identity | Rejection:
        """Return the ticket's viewer, or the rejection."""
        try:
            claims = self._signer.read(ticket, purpose=_PURPOSE, now_ms=now_ms)
        except BadToken as bad:
            return _FAULTS[bad.fault]
        if claims.get("room") != room_id:
            return OTHER_ROOM
        if claims.get("role") != Role.VIEWER:
            return NO_VIEWER
        try:
            viewer_id = ViewerId(checked_id("sub", claims["sub"]))
            ticket_id = checked_id("jti", str(claims.get("jti", "")))
        except Refused:
            return _FAULTS[TokenFault.FORGED]
        if self._reusable:
            return Identity(viewer_id, now_ms)
        return Identity(viewer_id, now_ms, ticket_id, ticket_lasts_ms=claims["exp"] * 1_000 + 1_000 - now_ms)
