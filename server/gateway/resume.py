"""The resume token, with which a viewer can reconnect to its room through any process."""

from typing import Final

from server.core.ids import RoomId, ViewerId
from server.gateway.signing import BadToken, Signer

LASTS_MS: Final = 3_600_000  # real; each welcome gives a new one
_PURPOSE: Final = "redrain.resume"


class ResumeTokens:
    """Makes and reads the tokens of all processes that have the same secret."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def mint(self, viewer_id: ViewerId, room_id: RoomId, now_ms: int) -> str:
        """Return a token for one viewer and one room. *now_ms* is real time by the store's clock."""
        claims = {"sub": viewer_id, "room": room_id}
        return self._signer.sign(claims, purpose=_PURPOSE, lasts_ms=LASTS_MS, now_ms=now_ms)

    def read(self, token: str, room_id: RoomId, now_ms: int) -> ViewerId | None:
        """Return the token's viewer, or None if it is not ours, not for this room, or expired."""
        try:
            claims = self._signer.read(token, purpose=_PURPOSE, now_ms=now_ms)
        except BadToken:
            return None
        return ViewerId(claims["sub"]) if claims.get("room") == room_id else None
