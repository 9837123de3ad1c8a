"""A room as a state machine against a small store that numbers facts as announce.lua does."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.core.ids import PacketId, RoomId
from server.core.packets.lifecycle import CountShares, Effect, LookUp, Propose, Publish, Settle
from server.core.packets.packet import PacketState, Schedule
from server.core.rooms.feed import FactKind, FeedEntry
from server.core.rooms.room import (
    Answer,
    Counted,
    Exhausted,
    FactRead,
    PacketRead,
    ProposalAnswered,
    Room,
    Settled,
)
from tests.core.packets.test_lifecycle import END, GRAB, PACKET, WARMUP, a_packet

R1 = RoomId("r1")
ROUGH_TURNS = 30
CALM_TURNS = 60  # enough for the whole window at five seconds a turn


def entry(kind: str, seq: int, body: dict[str, Any] | None = None, packet_id: PacketId = PACKET) -> FeedEntry:
    return FeedEntry(
        R1, f"{seq}-1", FactKind(kind), packet_id, seq, 7, {"packet_id": packet_id} if body is None else body
    )


def a_room() -> Room:
    """Return a room with one launched packet."""
    room = Room(R1, speed=1)
    room.receive(PacketRead(a_packet()), 0)
    return room


def warmup_body() -> dict[str, Any]:
    [effect] = a_room().wake(WARMUP)
    assert isinstance(effect, Propose)
    return effect.cue.body


def told_types(effects: list[Effect]) -> list[str]:
    return [orjson.loads(effect.text)["type"] for effect in effects if isinstance(effect, Publish)]


def test_a_launch_is_looked_at_and_not_told() -> None:
    """A ``launched`` entry has no number and is only a reason to read the packet."""
    assert a_room().receive(FactRead(entry("launched", 0)), 0) == [LookUp(PACKET)]


def test_packets_are_counted_together() -> None:
    """A packet that is due soon is counted along with those that are due, so that a room asks once for all of them."""
    room, others = Room(R1, speed=1), [PacketId(f"c1.p{number}") for number in range(3)]
    for late_ms, packet_id in enumerate(others):
        for seq, kind in enumerate(("warmup", "open")):
            body = {"packet": {**warmup_body()["packet"], "packet_id": packet_id}} if kind == "warmup" else None
            fact = entry(kind, 10 * late_ms + seq + 1, body, packet_id)
            room.receive(FactRead(fact), GRAB + 30 * late_ms)
    assert room.wake(GRAB + 200) == [CountShares(packet_id) for packet_id in others]
    for packet_id in others:
        room.receive(Counted(packet_id, 4), GRAB + 201)
    assert room.wake(GRAB + 399) == []
    assert room.wake(GRAB + 400) == [CountShares(packet_id) for packet_id in others]


def test_the_last_count_is_told_with_sold_out() -> None:
    """Both go out in one write."""
    room = a_room()
    for seq, kind in enumerate(("warmup", "open"), 1):
        room.receive(FactRead(entry(kind, seq, warmup_body() if kind == "warmup" else None)), GRAB)
    effects = room.receive(Counted(PACKET, 0), GRAB + 5)
    assert told_types(effects) == []
    assert told_types(room.receive(FactRead(entry("sold_out", 3)), GRAB + 6)) == ["progress", "sold_out"]


def test_nothing_is_told_that_was_not_read_back() -> None:
    """Waking a room at its times proposes and queries, but publishes no fact."""
    room = a_room()
    effects = room.wake(WARMUP) + room.wake(GRAB) + room.wake(END)
    assert effects
    assert told_types(effects) == []


@pytest.mark.rule("KS-CLM-1")
def test_an_opening_brings_its_surface_along() -> None:
    """``open`` is published with its number, and after it the packet's surface."""
    room = a_room()
    room.receive(FactRead(entry("warmup", 1, warmup_body())), WARMUP)
    opened = room.receive(FactRead(entry("open", 2)), GRAB)
    assert [(effect.seq, orjson.loads(effect.text)["type"]) for effect in opened if isinstance(effect, Publish)] == [
        (2, "open"),
        (0, "asset_widget"),
    ]
    assert room.seq == 2


def test_a_fact_is_told_once() -> None:
    """An entry that is read a second time is not published again."""
    room = a_room()
    warmup = FactRead(entry("warmup", 1, warmup_body()))
    assert told_types(room.receive(warmup, WARMUP)) == ["warmup"]
    assert room.receive(warmup, WARMUP) == []


def test_a_packet_known_from_its_warmup_alone_goes_on() -> None:
    """A process that has not read the packet yet carries on from what the fact says."""
    room = Room(R1, speed=1)
    room.receive(FactRead(entry("warmup", 1, warmup_body())), WARMUP)
    assert [packet["packet_id"] for packet in room.packets_on_screen()] == [PACKET]
    [proposal] = room.wake(GRAB)
    assert isinstance(proposal, Propose)
    assert proposal.cue.kind == "open"


def test_an_answer_that_overtakes_the_feed_changes_nothing() -> None:
    """An accepted fact is published when it is read back, not before, and is not proposed again meanwhile."""
    room = a_room()
    [proposal] = room.wake(WARMUP)
    assert isinstance(proposal, Propose)
    assert room.receive(ProposalAnswered(proposal.cue, Answer.TAKEN, 1), WARMUP + 1) == []
    assert room.wake(WARMUP + 1) == []
    assert room.packets_on_screen() == []


def test_an_answer_behind_the_feed_changes_nothing_either() -> None:
    """A fact that was read back before the answer to its proposal came is not told to the packet twice."""
    room = a_room()
    room.receive(FactRead(entry("warmup", 1, warmup_body())), WARMUP)
    [proposal] = room.wake(GRAB)
    assert isinstance(proposal, Propose)
    room.receive(FactRead(entry("open", 2)), GRAB + 1)
    due_ms = room.next_wakeup_ms()
    assert room.receive(ProposalAnswered(proposal.cue, Answer.TAKEN, 2), GRAB + 100) == []
    assert room.next_wakeup_ms() == due_ms


def test_a_fact_the_feed_no_longer_has_is_taken_as_told() -> None:
    """If the store says that a fact is older than all we read, we go on instead of proposing it for ever."""
    room = a_room()
    room.receive(FactRead(entry("closed", 9, packet_id=PacketId("c1.other"))), GRAB)
    for seq in (1, 2):
        [proposal] = room.wake(GRAB + seq)
        assert isinstance(proposal, Propose)
        assert room.receive(ProposalAnswered(proposal.cue, Answer.TAKEN, seq), GRAB + seq) == []
    assert room.packets_on_screen()[0]["phase"] == "grabbing"


def test_a_packet_that_is_over_does_not_come_back() -> None:
    """A late read of a packet whose result was told is ignored, and so is whatever was asked about it."""
    room = a_room()
    room.receive(FactRead(entry("voided", 1)), 5)
    assert room.next_wakeup_ms() is None
    assert room.receive(PacketRead(a_packet(PacketState.VOIDED)), 6) == []
    assert room.receive(FactRead(entry("launched", 0)), 6) == []
    assert room.receive(Counted(PACKET, 0), 6) == []
    assert room.receive(Exhausted(PACKET), 6) == []
    assert room.receive(Settled(PACKET, {}), 6) == []
    assert room.next_wakeup_ms() is None


def test_two_packets_keep_apart() -> None:
    """Overlapping packets are due each at its own time."""
    room = a_room()
    other = replace(a_packet(), packet_id=PacketId("c1.p2"), schedule=Schedule(WARMUP + 50, GRAB, END))
    room.receive(PacketRead(other), 0)
    assert room.next_wakeup_ms() == WARMUP
    assert len(room.wake(WARMUP)) == 1
    assert len(room.wake(WARMUP + 50)) == 1


class SmallStore:
    """Numbers facts, each at most once, and only in their order."""

    def __init__(self, shares: int) -> None:
        self.shares = shares
        self.told: list[str] = []
        self.feed: list[FeedEntry] = []

    def announce(self, effect: Propose, now_ms: int) -> ProposalAnswered:
        kind = effect.cue.kind
        due = {"warmup": WARMUP, "open": GRAB, "closed": END, "sold_out": GRAB, "result": END}[kind]
        if kind in self.told:
            return ProposalAnswered(effect.cue, Answer.TAKEN, self.told.index(kind) + 1)
        if now_ms < due:
            return ProposalAnswered(effect.cue, Answer.TOO_EARLY, 0)
        if kind == "sold_out" and (self.shares or "closed" in self.told):
            return ProposalAnswered(effect.cue, Answer.REFUSED, 0)
        self.told.append(kind)
        self.feed.append(entry(kind, len(self.told), effect.cue.body))
        return ProposalAnswered(effect.cue, Answer.TAKEN, len(self.told))


@settings(max_examples=200)
@given(st.data())
def test_two_processes_tell_the_same_story(data: st.DataObject) -> None:
    """Two processes publish the same facts in order, however answers, feeds and clocks are delayed or lost."""
    store = SmallStore(shares=data.draw(st.integers(0, 3)))
    processes = [a_room(), a_room()]
    heard: list[list[int]] = [[], []]
    read = [0, 0]
    chance = st.integers(0, 9)
    now_ms = WARMUP - 5
    for turn in range(ROUGH_TURNS + CALM_TURNS):
        rough = turn < ROUGH_TURNS
        now_ms += data.draw(st.sampled_from([1, 40, 600, 30_000])) if rough else 5_000
        for i, room in enumerate(processes):
            clock_ms = now_ms + (3, -2)[i]
            effects = room.wake(clock_ms)
            while read[i] < len(store.feed) and not (rough and data.draw(chance) < 3):
                effects += room.receive(FactRead(store.feed[read[i]]), clock_ms)
                read[i] += 1
            for effect in effects:
                heard[i] += [effect.seq] if isinstance(effect, Publish) and effect.seq else []
                if not rough or data.draw(chance) < 8:
                    _carry_out(store, room, effect, now_ms, clock_ms)
    assert "result" in store.told
    assert heard[0] == heard[1] == list(range(1, len(store.told) + 1))
    assert [kind for kind in store.told if kind != "sold_out"] == ["warmup", "open", "closed", "result"]


def _carry_out(store: SmallStore, room: Room, effect: Effect, now_ms: int, clock_ms: int) -> None:
    match effect:
        case Propose():
            room.receive(store.announce(effect, now_ms), clock_ms)
        case CountShares():
            store.shares = max(0, store.shares - 1)
            room.receive(Counted(PACKET, store.shares), clock_ms)
        case Settle():
            room.receive(Settled(PACKET, {"packet_id": PACKET}), clock_ms)
