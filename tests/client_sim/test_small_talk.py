"""Small talk: pings soon at first and seldom later, utterances of commenters, and nothing outside live rooms."""

from itertools import pairwise

import orjson
import pytest

from client_sim.message_cache import CachedMessage
from client_sim.small_talk import NEVER_NS, PING_LATER_NS, PING_SOON_NS, PINGS_AT_FIRST, TALK_NS, SmallTalk, jitter
from client_sim.talk import COMMENTS, PHRASES, Mood
from server.core.ids import ViewerId
from server.core.packets.claim import ClaimStatus


def test_luck_is_the_same_in_every_run_and_another_for_each_seat() -> None:
    values = {jitter(1, seat, salt) for seat in range(50) for salt in range(4)}
    assert jitter(1, 2, 3) == jitter(1, 2, 3)
    assert len(values) == 200
    assert all(0 <= value < 1 for value in values)


def test_nothing_is_said_before_a_live_room_is_entered() -> None:
    talk = SmallTalk(1, 0)
    assert talk.next_ns() == NEVER_NS
    assert talk.utterance(10**18) is None


def test_the_time_is_asked_for_at_once_then_soon_then_seldom() -> None:
    talk, now_ns = SmallTalk(1, 0), 1_000
    talk.begin(now_ns, talks=False)
    assert talk.next_ping_ns == talk.next_ns() == now_ns
    pauses = []
    for _ in range(PINGS_AT_FIRST + 1):
        talk.pinged(now_ns)
        pauses.append(talk.next_ping_ns - now_ns)
        now_ns = talk.next_ping_ns
    assert all(0.75 * PING_SOON_NS <= pause <= 1.25 * PING_SOON_NS for pause in pauses[: PINGS_AT_FIRST - 1])
    assert all(0.75 * PING_LATER_NS <= pause <= 1.25 * PING_LATER_NS for pause in pauses[PINGS_AT_FIRST - 1 :])
    talk.begin(now_ns, talks=False)
    assert talk.next_ping_ns == now_ns, "who comes back asks again"


def test_a_commenter_says_something_now_and_then() -> None:
    talk = SmallTalk(1, 0)
    talk.begin(0, talks=True)
    talk.pinged(0)
    said, instants = [], []
    for now_ns in range(0, 10 * TALK_NS, TALK_NS // 10):
        if (utterance := talk.utterance(now_ns)) is not None:
            said.append(orjson.loads(utterance)["type"])
            instants.append(now_ns)
    assert 6 <= len(said) <= 20
    assert all(later - earlier >= 0.4 * TALK_NS for earlier, later in pairwise(instants))


ME = ViewerId("v1")


def _fact(kind: str, **fields: object) -> CachedMessage:
    return CachedMessage(orjson.dumps({"type": kind, "seq": 1, "server_ms": 0, "packet_id": "anna.1", **fields}))


def _said(talk: SmallTalk, count: int = 1) -> list[str]:
    """Let a commenter say so many comments, and return them."""
    comments: list[str] = []
    talk.begin(0, talks=True)
    now_ns = 0
    while len(comments) < count:
        now_ns += TALK_NS // 10
        if (utterance := talk.utterance(now_ns)) and "text" in (said := orjson.loads(utterance)):
            comments.append(said["text"])
    return comments


def _with_amount(mood: Mood, amount: str) -> set[str]:
    return {text.replace("{amount}", amount) for texts in PHRASES[mood] for text in texts}


@pytest.mark.parametrize(
    ("kind", "mood"),
    [
        ("warmup", Mood.WAITING),
        ("open", Mood.CHEERING),
        ("sold_out", Mood.SOLD_OUT),
        ("reopened", Mood.MORE),
        ("voided", Mood.VOIDED),
    ],
)
def test_a_comment_fits_what_happened_last(kind: str, mood: Mood) -> None:
    """Whoever waits goes on about it; anything else is said once, and then it is about the goods again."""
    for seat in range(20):
        talk = SmallTalk(1, seat)
        for seen in ("warmup", kind):
            talk.saw(_fact(seen), ME)
        first, second = _said(talk, 2)
        assert first in _with_amount(mood, "")
        assert second in (_with_amount(mood, "") if mood is Mood.WAITING else COMMENTS)


def test_a_winner_names_the_amount_and_is_not_sorry() -> None:
    """Also if the packet has sold out since; one who got nothing says so."""
    talk = SmallTalk(1, 3)
    talk.answered(ClaimStatus.GRANTED, 320)
    talk.saw(_fact("sold_out"), ME)
    assert _said(talk)[0] in _with_amount(Mood.WON, "\u00a53.20")
    talk.answered(ClaimStatus.EXHAUSTED, 0)
    assert _said(talk)[0] in _with_amount(Mood.LOST, "")
    talk.answered(ClaimStatus.TOO_EARLY, 0)
    assert _said(talk)[0] in COMMENTS


def test_nobody_misses_what_was_never_announced() -> None:
    """A host may take a packet back long before its warm-up."""
    talk = SmallTalk(1, 3)
    talk.saw(_fact("voided"), ME)
    assert _said(talk)[0] in COMMENTS


@pytest.mark.parametrize(("who", "mood"), [("v1", Mood.LUCKIEST), ("v2", Mood.LUCK)])
def test_the_best_luck_is_spoken_of(who: str, mood: Mood) -> None:
    """With its amount; by the luckiest as its own."""
    talk = SmallTalk(1, 3)
    talk.saw(_fact("result", best_luck=[{"viewer_id": who, "amount_fen": 1_207, "index": 0}]), ME)
    assert _said(talk)[0] in _with_amount(mood, "\u00a512.07")
    talk.saw(_fact("result", best_luck=[]), ME)
    assert _said(talk)[0] in COMMENTS


def test_some_speak_chinese_and_some_english_each_always_the_same() -> None:
    spoken = []
    for seat in range(40):
        talk = SmallTalk(1, seat)
        spoken.append({text in PHRASES[Mood.WATCHING][0] for text in _said(talk, 5)})
    assert all(len(each) == 1 for each in spoken)
    assert {True, False} == {next(iter(each)) for each in spoken}
