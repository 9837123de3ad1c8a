"""Resume tokens: of one viewer, for one room, for an hour, by every process with the same secret."""

import jwt
import pytest

from server.core.ids import RoomId, ViewerId
from server.gateway.resume import LASTS_MS, ResumeTokens

SECRET = b"a secret of at least 32 bytes....."
ROOM, VIEWER = RoomId("r1"), ViewerId("v1")
NOW_MS = 1_700_000_000_000


def test_a_token_is_read_by_another_process_with_the_same_secret() -> None:
    """It names its viewer, again and again, until its hour is over."""
    token = ResumeTokens(SECRET).mint(VIEWER, ROOM, NOW_MS)
    other = ResumeTokens(SECRET)
    assert other.read(token, ROOM, NOW_MS) == VIEWER
    assert other.read(token, ROOM, NOW_MS + LASTS_MS) == VIEWER
    assert other.read(token, ROOM, NOW_MS + LASTS_MS + 1) is None


def test_a_token_of_another_secret_or_room_is_refused() -> None:
    """Neither a stranger's signature nor another room lets anybody in."""
    token = ResumeTokens(SECRET).mint(VIEWER, ROOM, NOW_MS)
    assert ResumeTokens(SECRET + b"!").read(token, ROOM, NOW_MS) is None
    assert ResumeTokens(SECRET).read(token, RoomId("r2"), NOW_MS) is None


@pytest.mark.parametrize("forged", ["", "a.b.c", "x" * 2_000, "\u2603"])
def test_rubbish_is_refused(forged: str) -> None:
    """What is no token is no error either."""
    assert ResumeTokens(SECRET).read(forged, ROOM, NOW_MS) is None


def test_an_unsigned_token_or_one_for_another_purpose_is_refused() -> None:
    """Only our algorithm and our audience count."""
    claims = {"sub": VIEWER, "room": ROOM, "aud": "redrain.resume", "exp": NOW_MS // 1_000}
    assert ResumeTokens(SECRET).read(jwt.encode(claims, None, algorithm="none"), ROOM, NOW_MS) is None
    assert ResumeTokens(SECRET).read(jwt.encode({**claims, "aud": "else"}, SECRET), ROOM, NOW_MS) is None
    assert ResumeTokens(SECRET).read(jwt.encode(claims, SECRET), ROOM, NOW_MS) == VIEWER
