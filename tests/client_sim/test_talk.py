"""The server accepts all comments and hearts of viewers."""

import pytest

from client_sim.talk import AMOUNT, COMMENTS, HEARTS_MAX, PHRASES, Mood, talk
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


@pytest.mark.parametrize("mood", Mood)
def test_every_mood_has_comments_in_both_languages(mood: Mood) -> None:
    """The server takes each of them, and those about money say the amount, to the fen."""
    chinese, english = PHRASES[mood]
    assert len(chinese) >= 2
    assert len(english) >= 2
    assert all(text.isascii() for text in english)
    assert not any(text.isascii() for text in chinese)
    for text in (*chinese, *english):
        said = decode(talk(1, 0.0, [text], 320))
        assert isinstance(said, Comment)
        assert ("\u00a53.20" in said.text) == (AMOUNT in text)
        assert AMOUNT not in said.text
        assert (AMOUNT in text) == (mood in (Mood.WON, Mood.LUCK, Mood.LUCKIEST))
