"""The resume token: what lets a viewer come back to its room, by any process, without a further question."""

from hashlib import sha256
from typing import Final

import jwt

from server.core.ids import RoomId, ViewerId

SECRET_BYTES_MIN: Final = 32  # as long as what HS256 makes of it
LASTS_MS: Final = 3_600_000  # real; each welcome gives a new one
TOKEN_LENGTH_MAX: Final = 1_000
_ALGORITHM: Final = "HS256"
_PURPOSE: Final = "redrain.resume"


class ResumeTokens:
    """Signs and reads the tokens of all processes that have the same secret."""

    def __init__(self, secret: bytes) -> None:
        assert len(secret) >= SECRET_BYTES_MIN
        self._secret = secret
        self._headers = {"kid": sha256(secret).hexdigest()[:8]}

    def mint(self, viewer_id: ViewerId, room_id: RoomId, now_ms: int) -> str:
        """Return a token for one viewer and one room. *now_ms* is real time by the store's clock."""
        claims = {"sub": viewer_id, "room": room_id, "aud": _PURPOSE, "exp": (now_ms + LASTS_MS) // 1_000}
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM, headers=self._headers)

    def read(self, token: str, room_id: RoomId, now_ms: int) -> ViewerId | None:
        """Return whose token it is, or None if it is not ours, not for this room, or too old."""
        if len(token) > TOKEN_LENGTH_MAX:
            return None
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=_PURPOSE,
                options={"require": ["sub", "exp"], "verify_exp": False},  # by the store's clock instead, below
            )
        except jwt.InvalidTokenError:
            return None
        if claims.get("room") != room_id or claims["exp"] * 1_000 < now_ms:
            return None
        return ViewerId(claims["sub"])
