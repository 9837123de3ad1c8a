"""The resume token, with which a viewer can reconnect to its room through any process."""

from typing import Final

from server.core.ids import RoomId, ViewerId, checked_id
from server.core.refusal import Refused
from server.gateway.identity import Identity
from server.gateway.signing import BadToken, Signer

LASTS_MS: Final = 3_600_000  # real; each welcome gives a new one
RENEWED_MAX_MS: Final = 12 * 3_600_000  # real, since the viewer came in otherwise: longer than an evening
_PURPOSE: Final = "redrain.resume"


class ResumeTokens:
    """Makes and reads the tokens of all processes that have the same secret."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def mint(self, whom: Identity, room_id: RoomId, now_ms: int) -> str:
        """Return a token for one viewer and one room. *now_ms* is real time by the store's clock."""
        claims: dict[str, str | int] = {"sub": whom.viewer_id, "room": room_id, "since": whom.since_ms}
        lasts_ms = min(LASTS_MS, whom.since_ms + RENEWED_MAX_MS - now_ms)
        return self._signer.sign(claims, purpose=_PURPOSE, lasts_ms=lasts_ms, now_ms=now_ms)

    def read(self, token: str, room_id: RoomId, now_ms: int) -> Identity | None:
        """Return the token's viewer, or None if it is not ours, not for this room, or expired."""
        try:
            claims = self._signer.read(token, purpose=_PURPOSE, now_ms=now_ms)
            viewer_id = ViewerId(checked_id("sub", claims["sub"]))
        except (BadToken, Refused):
            return None
        since = claims.get("since")
        if claims.get("room") != room_id or not isinstance(since, int):
            return None
        return Identity(viewer_id, since)
