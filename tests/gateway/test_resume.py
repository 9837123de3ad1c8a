"""Resume tokens: of one viewer, for one room, for an hour, by every process with the same secret."""

import pytest

from server.core.ids import RoomId, ViewerId
from server.gateway.resume import LASTS_MS, ResumeTokens
from server.gateway.signing import Signer
from server.gateway.tickets import Tickets

SECRET = b"a secret of at least 32 bytes....."
ROOM, VIEWER = RoomId("r1"), ViewerId("v1")
NOW_MS = 1_700_000_000_000


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
    assert ResumeTokens(signer).read(Tickets(signer).mint(VIEWER, ROOM, NOW_MS), ROOM, NOW_MS) is None
    assert Tickets(signer).read(ResumeTokens(signer).mint(VIEWER, ROOM, NOW_MS), ROOM, NOW_MS) != VIEWER
