"""The server accepts all comments and hearts of viewers."""

import pytest

from client_sim.talk import COMMENTS, HEARTS_MAX, talk
from server.core.rooms.messages import Comment, Like, decode


@pytest.mark.parametrize("luck", [0.0, 0.5, 0.999_999])
def test_comments_and_hearts_take_turns(luck: float) -> None:
    """Odd utterances are comments, even ones a few hearts, and both are messages."""
    said, sent = decode(talk(1, luck)), decode(talk(2, luck))
    assert isinstance(said, Comment)
    assert said.text in COMMENTS
    assert isinstance(sent, Like)
    assert 1 <= sent.count <= HEARTS_MAX


def test_every_comment_is_said_sometimes() -> None:
    """Luck reaches all of them, and asks for none that is not there."""
    assert {talk(1, step / 1000) for step in range(1000)} == {
        talk(1, at / len(COMMENTS)) for at in range(len(COMMENTS))
    }
