"""Hearsay: each message without a number once per process, with its arrivals; welcomes by what they showed."""

from typing import Any

import pytest

from client_sim import hearsay
from client_sim.behaviour import Behaviour
from client_sim.message_cache import MessageCache
from client_sim.observations import Conn, Greeting, Heard
from server.core.ids import PacketId, RoomId, ViewerId
from server.core.rooms import messages
from tests.client_sim.room_talk import MS, PACKET, ROOM, Sitting, on_screen

NOW_NS = 7


def _kept() -> tuple[hearsay.Hearsay, list[Heard | Greeting]]:
    kept: list[Heard | Greeting] = []
    return hearsay.Hearsay(kept.append), kept


def _conn(viewer: str, *, room: str = ROOM, slow: bool = False) -> Conn:
    conn = Conn(f"{viewer}.0", ViewerId(viewer), RoomId(room), 0)
    conn.slow = slow
    return conn


def test_equal_messages_are_one_with_its_first_and_last_arrival() -> None:
    """And with the first two viewers who heard it; a slow reader's time says nothing."""
    heard, kept = _kept()
    cache = MessageCache()
    for viewer, at_ns in (("a", 5), ("a", 6), ("b", 8), ("c", 9)):
        heard.hear(_conn(viewer), cache.parse(messages.progress(PACKET, 3)), at_ns)
    heard.hear(_conn("d", slow=True), cache.parse(messages.progress(PACKET, 3)), 2_000)
    heard.hear(_conn("a"), cache.parse(messages.progress(PACKET, 2)), 11)
    heard.finish()
    first, second = kept
    assert isinstance(first, Heard)
    assert (first.viewer, first.other, first.t_first, first.t_last, first.count) == ("a", "b", 5, 9, 4)
    assert isinstance(second, Heard)
    assert (second.other, second.count) == (None, 1)


def test_the_same_bytes_in_two_rooms_are_two() -> None:
    """So that a message to the wrong room is seen."""
    heard, kept = _kept()
    message = MessageCache().parse(messages.surface("popup", PACKET))
    heard.hear(_conn("a"), message, 1)
    heard.hear(_conn("b", room="r2"), message, 2)
    heard.finish()
    assert [each.room for each in kept] == [ROOM, "r2"]


def test_welcomes_are_kept_by_what_they_showed() -> None:
    """One for each position of the feed and each picture of the screen; a count of another type is none."""
    heard, kept = _kept()
    shown = {"packet_id": PACKET, "phase": "grabbing", "remaining": 3, "sold_out": False}
    screens: list[list[dict[str, Any]]] = [[], [], [shown], [shown | {"remaining": "3"}]]
    for packets in screens:
        heard.greet(_conn("a"), {"epoch": "e1", "seq": 2, "packets": packets}, NOW_NS)
    heard.finish()
    greetings = [each for each in kept if isinstance(each, Greeting)]
    assert [each.count for each in greetings] == [2, 1, 1]
    assert [each.packets for each in greetings[1:]] == [
        ((PacketId(PACKET), "grabbing", 3, False),),
        ((PacketId(PACKET), "grabbing", None, False),),
    ]


def test_the_oldest_is_written_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of any length keeps a bounded number in memory, and loses none."""
    monkeypatch.setattr(hearsay, "KEPT_MAX", 2)
    heard, kept = _kept()
    for left in (3, 2, 1):
        heard.hear(_conn("a"), MessageCache().parse(messages.progress(PACKET, left)), 1)
    assert [each.message.body["remaining"] for each in kept if isinstance(each, Heard)] == [3]
    heard.finish()
    assert len(kept) == 3


def test_a_viewer_s_history_has_what_it_heard_and_said() -> None:
    """Counts, surfaces and comments of the room, its own comments, and that one was too much."""
    sitting = Sitting(Behaviour.COMMENTER)
    sitting.connect(on_screen(grab_in_ms=1_000, phase="warming"), seq=1)
    sitting.wait_until(20_000)
    sitting.hear(messages.progress(PACKET, 5), 20_001)
    sitting.hear(messages.comments([(ViewerId("v9"), "hello"), (ViewerId("v8"), "hi")]), 20_002)
    sitting.hear(messages.surface("popup", PACKET), 20_003)
    sitting.hear(messages.countdown(PACKET, 900), 20_004)
    sitting.hear(messages.error("rate_limited", "too much"), 20_005)
    sitting.hear(messages.audience(3, 4), 20_006)
    lines = sitting.history()
    heard = {line["type"]: line for line in lines if line["kind"] == "heard"}
    assert heard.keys() == {"progress", "comments", "popup", "countdown"}
    assert (heard["progress"]["packet"], heard["progress"]["remaining"]) == (PACKET, 5)
    assert heard["comments"]["comments"] == [["v9", "hello"], ["v8", "hi"]]
    assert heard["countdown"]["left_ms"] == 900
    (welcome,) = (line for line in lines if line["kind"] == "welcome")
    assert welcome["packets"] == [[PACKET, "warming", None, False]]
    said = [line["text"] for line in lines if line["kind"] == "comment"]
    assert said
    assert sitting.recorder.comments == len(said)
    assert [line["t"] for line in lines if line["kind"] == "hushed"] == [20_005 * MS]
