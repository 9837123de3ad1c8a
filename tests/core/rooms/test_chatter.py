"""Comments in bounded windows, likes that add up, and numbers published when they change."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.ids import ViewerId
from server.core.rooms.chatter import AUDIENCE_EVERY_MS, COMMENTS_OF_WINDOW_MAX, Chatter, Said
from server.core.rooms.messages import COMMENT_LENGTH_MAX, comments

MAX = COMMENTS_OF_WINDOW_MAX


def said(number: int, prefix: str = "") -> list[Said]:
    return [Said(ViewerId(f"v{n}"), f"{prefix}{n}") for n in range(number)]


def a_chatter(own: int, heard: int) -> Chatter:
    chatter = Chatter()
    assert [chatter.say(*each) for each in said(own)] == [number < MAX for number in range(own)]
    chatter.receive(said(heard, "heard "))
    return chatter


def test_a_window_holds_what_was_said_in_it() -> None:
    """All comments are published in order, those of our own viewers are passed on, and the next window begins empty."""
    chatter = a_chatter(own=2, heard=1)
    window = chatter.close_window()
    assert [text for _, text in window.published] == ["heard 0", "0", "1"]
    assert window.own == said(2)
    assert window.dropped == 0
    assert chatter.close_window() == ([], [], 0)


@pytest.mark.parametrize(
    ("own", "heard", "told_own", "told_heard"),
    [(1_000, 0, MAX, 0), (0, 1_000, 0, MAX), (1_000, 1_000, MAX // 2, MAX // 2), (10, 1_000, 10, MAX - 10)],
)
def test_a_thousand_comments_are_bounded(own: int, heard: int, told_own: int, told_heard: int) -> None:
    """Excess comments are dropped and counted, and this process and the others share the places."""
    window = a_chatter(own, heard).close_window()
    from_elsewhere = sum(text.startswith("heard") for _, text in window.published)
    assert (len(window.published) - from_elsewhere, from_elsewhere) == (told_own, told_heard)
    assert window.dropped == own + heard - len(window.published)
    assert len(window.own) <= MAX


@given(st.lists(st.one_of(st.just(None), st.integers(0, 2 * MAX)), max_size=3 * MAX))
def test_nothing_said_is_told_twice_or_uncounted(happenings: list[int | None]) -> None:
    """Each comment is published or counted as dropped, and no window exceeds its bound."""
    chatter, came = Chatter(), 0
    for heard in happenings:
        if heard is None:
            chatter.say(ViewerId("v"), "hi")
            came += 1
        else:
            chatter.receive(said(heard))
            came += heard
    window = chatter.close_window()
    assert len(window.published) + window.dropped == came
    assert len(window.published) <= MAX


def test_the_largest_message_is_small_beside_an_outbox() -> None:
    """A full window of the longest comments stays under a quarter of what a slow viewer may be behind."""
    longest = [Said(ViewerId("v" * 36), "\U0001f9e7" * COMMENT_LENGTH_MAX)] * MAX
    assert len(comments(longest)) < 32 * 1024


def test_likes_add_up_until_they_are_taken() -> None:
    """Likes are summed, taken once, and then zero."""
    chatter = Chatter()
    chatter.like(3)
    chatter.like(4)
    assert [chatter.liked, chatter.take_likes(), chatter.liked, chatter.take_likes()] == [True, 7, False, 0]


def test_the_audience_is_told_when_it_is_news() -> None:
    """The first numbers and every change are published at once, the same numbers only every five seconds."""
    chatter = Chatter()
    first = chatter.count(10, 0, 0)
    assert first is not None
    assert json.loads(first) == {"type": "audience", "viewers": 10, "likes": 0}
    assert chatter.count(10, 0, 1_000) is None
    assert chatter.count(10, 5, 2_000) is not None
    assert chatter.count(9, 5, 3_000) is not None
    assert chatter.count(9, 5, 3_000 + AUDIENCE_EVERY_MS - 1) is None
    assert chatter.count(9, 5, 3_000 + AUDIENCE_EVERY_MS) is not None
