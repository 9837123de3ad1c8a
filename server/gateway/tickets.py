"""The join ticket, with which a viewer can join a room within a minute."""

from typing import Final

from server.core.credential import Role
from server.core.ids import RoomId, ViewerId
from server.gateway.handshake import Rejection
from server.gateway.signing import BadToken, Signer, TokenFault

LASTS_MS: Final = 60_000  # real: from the answer of the API to the handshake
_PURPOSE: Final = "redrain.ticket"
_ANEW: Final = "get one with POST /api/rooms/ROOM/tickets"
_FAULTS: Final = {
    TokenFault.FORGED: Rejection(401, "bad_ticket", f"ticket: not signed by this server; {_ANEW}"),
    TokenFault.EXPIRED: Rejection(401, "ticket_expired", f"ticket: has expired; {_ANEW}"),
    TokenFault.OTHER_PURPOSE: Rejection(401, "bad_ticket", f"ticket: this token has another purpose; {_ANEW}"),
}
OTHER_ROOM: Final = Rejection(403, "other_room", f"ticket: is for another room; {_ANEW}")
NO_VIEWER: Final = Rejection(403, "not_allowed", "ticket: only a viewer can join a room")


class Tickets:
    """Makes and reads the tickets of all processes that have the same secret."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def mint(self, viewer_id: ViewerId, room_id: RoomId, now_ms: int) -> str:
        """Return a ticket for one viewer and one room. *now_ms* is real time by the store's clock."""
        claims = {"sub": viewer_id, "room": room_id, "role": Role.VIEWER}
        return self._signer.sign(claims, purpose=_PURPOSE, lasts_ms=LASTS_MS, now_ms=now_ms)

    def read(self, ticket: str, room_id: RoomId, now_ms: int) -> ViewerId | Rejection:
        """Return the ticket's viewer, or the rejection."""
        try:
            claims = self._signer.read(ticket, purpose=_PURPOSE, now_ms=now_ms)
        except BadToken as bad:
            return _FAULTS[bad.fault]
        if claims.get("room") != room_id:
            return OTHER_ROOM
        return ViewerId(claims["sub"]) if claims.get("role") == Role.VIEWER else NO_VIEWER
