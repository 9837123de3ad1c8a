"""Resume tokens: of one viewer, for one room, for an hour, by every process with the same secret."""

from typing import Any

import pytest

from server.core.ids import RoomId, ViewerId
from server.gateway.handshake import Rejection
from server.gateway.identity import Identity
from server.gateway.resume import LASTS_MS, RENEWED_MAX_MS, ResumeTokens
from server.gateway.signing import Signer
from server.gateway.tickets import Tickets

SECRET = b"a secret of at least 32 bytes....."
NOW_MS = 1_700_000_000_000
ROOM, VIEWER = RoomId("r1"), Identity(ViewerId("v1"), NOW_MS)


def test_a_token_is_read_by_another_process_with_the_same_secret() -> None:
    """A token names its viewer until its hour is over."""
    token = ResumeTokens(Signer(SECRET)).mint(VIEWER, ROOM, NOW_MS)
    other = ResumeTokens(Signer(SECRET))
    assert other.read(token, ROOM, NOW_MS) == VIEWER
    assert other.read(token, ROOM, NOW_MS + LASTS_MS) == VIEWER
    assert other.read(token, ROOM, NOW_MS + LASTS_MS + 1) is None


def test_a_token_of_another_secret_or_room_is_refused() -> None:
    """A token with another signature or for another room is refused."""
    token = ResumeTokens(Signer(SECRET)).mint(VIEWER, ROOM, NOW_MS)
    assert ResumeTokens(Signer(SECRET + b"!")).read(token, ROOM, NOW_MS) is None
    assert ResumeTokens(Signer(SECRET)).read(token, RoomId("r2"), NOW_MS) is None


@pytest.mark.parametrize("forged", ["", "a.b.c", "x" * 2_000, "\u2603"])
def test_rubbish_is_refused(forged: str) -> None:
    """Invalid text is refused without an error."""
    assert ResumeTokens(Signer(SECRET)).read(forged, ROOM, NOW_MS) is None


def test_a_ticket_is_no_resume_token() -> None:
    """A ticket is not accepted as a resume token, nor a resume token as a ticket."""
    signer = Signer(SECRET)
    assert ResumeTokens(signer).read(Tickets(signer).mint(VIEWER.viewer_id, ROOM, NOW_MS), ROOM, NOW_MS) is None
    assert isinstance(Tickets(signer).read(ResumeTokens(signer).mint(VIEWER, ROOM, NOW_MS), ROOM, NOW_MS), Rejection)


def test_a_token_is_renewed_for_so_long() -> None:
    """Each renewal remembers since when its viewer is in; half a day after that there is none."""
    tokens, now_ms, renewals = ResumeTokens(Signer(SECRET)), NOW_MS, 0
    back: Identity | None = VIEWER
    while back is not None:
        token = tokens.mint(back, ROOM, now_ms)
        now_ms += LASTS_MS - 60_000
        back = tokens.read(token, ROOM, now_ms)
        assert back is None or back == VIEWER
        renewals += 1
    assert now_ms - NOW_MS >= RENEWED_MAX_MS
    assert renewals == 13


@pytest.mark.parametrize("sub", ["", "a b", "v" * 37, "\u0661", "../x"])
def test_a_subject_is_an_id(sub: str) -> None:
    """Also of what our secret signed."""
    claims: dict[str, Any] = {"sub": sub, "room": ROOM, "since": NOW_MS}
    token = Signer(SECRET).sign(claims, purpose="redrain.resume", lasts_ms=1_000, now_ms=NOW_MS)
    assert ResumeTokens(Signer(SECRET)).read(token, ROOM, NOW_MS) is None


def test_a_token_says_since_when() -> None:
    """Another type there is none of ours."""
    for since in ("1", None, 1.5):
        wrong: dict[str, Any] = {"sub": "v1", "room": ROOM, "since": since}
        token = Signer(SECRET).sign(wrong, purpose="redrain.resume", lasts_ms=1_000, now_ms=NOW_MS)
        assert ResumeTokens(Signer(SECRET)).read(token, ROOM, NOW_MS) is None
