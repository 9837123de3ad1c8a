"""Small talk: pings soon at first and seldom later, utterances of commenters, and nothing outside live rooms."""

from itertools import pairwise

import orjson

from client_sim.small_talk import NEVER_NS, PING_LATER_NS, PING_SOON_NS, PINGS_AT_FIRST, TALK_NS, SmallTalk, jitter


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
