"""A live room on a real store: facts for everybody, resumes, and what happens when the store is away."""

import asyncio
import gc
import json
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from server.core.ids import PacketId
from server.gateway.limits import LOAD, PRODUCTION
from server.store import keys
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from tests.gateway.house import CREATOR, SEED, Guest, House, grab_text, open_house
from tests.waiting import until_so


async def test_a_packets_whole_life_is_told(house: House) -> None:
    """Warm-up, opening, popup, progress, sold out, closed and result reach a viewer, numbered without a gap."""
    winner, loser = await house.join("winner"), await house.join("loser")
    packet_id = await house.packet(shares=1, window_ms=700)
    warmup = await winner.next("warmup")
    assert warmup["packet"]["packet_id"] == packet_id
    assert "seed" not in warmup["packet"]
    await winner.next("open")
    assert await winner.next("popup") == {"type": "popup", "packet_id": packet_id}

    granted = await winner.grab(packet_id)
    assert (granted["status"], granted["amount_fen"], granted["claim_id"]) == ("granted", 100, f"{packet_id}:0")
    assert (await loser.grab(packet_id))["status"] == "exhausted"
    assert (await winner.next("progress"))["remaining"] == 0
    sold_out = await winner.next("sold_out")
    assert 0 <= sold_out["elapsed_ms"] < 700
    await winner.next("closed")
    result = await winner.next("result")
    assert result["granted_count"] == 1
    assert result["best_luck"] == [{"viewer_id": "winner", "amount_fen": 100, "index": 0}]
    assert result["seed"] == SEED.hex()

    await loser.next("result")
    assert winner.facts() == loser.facts()
    assert [json.loads(text)["seq"] for text in winner.facts()] == [1, 2, 3, 4, 5]


async def test_a_winners_retry_gets_the_identical_receipt(house: House) -> None:
    """After sold-out, from memory, the same request id gets the same bytes and another one ``repeated``."""
    packet_id = await house.packet(shares=1)
    winner, loser = await house.join("winner"), await house.join("loser")
    await winner.next("open")
    await winner.grab(packet_id, "q1")
    won = winner.received[-1]
    assert (await loser.grab(packet_id))["status"] == "exhausted"
    await house.default.caught_up()
    calls = house.default.store_calls
    await winner.grab(packet_id, "q1")
    assert winner.received[-1] == won
    repeated = await winner.grab(packet_id, "q2")
    assert (repeated["status"], repeated["amount_fen"], repeated["index"]) == ("repeated", 100, 0)
    assert house.default.store_calls == calls


async def test_three_hundred_viewers_get_the_same_facts_in_order(empty_store: Store) -> None:
    """Every viewer of a crowd receives every fact, with the same bytes and in the same order."""
    async with open_house(empty_store, LOAD) as house:
        crowd = list(await asyncio.gather(*(house.join(f"v{n}") for n in range(300))))
        packet_id = await house.packet(shares=100, window_ms=1_500)

        async def live(guest: Guest) -> str:
            await guest.next("open")
            receipt = await guest.grab(packet_id)
            await guest.next("result")
            return str(receipt["status"])

        statuses = await asyncio.gather(*(live(guest) for guest in crowd))
        assert (statuses.count("granted"), statuses.count("exhausted")) == (100, 200)
        assert len({tuple(guest.facts()) for guest in crowd}) == 1
        kinds = [json.loads(text)["type"] for text in crowd[0].facts()]
        assert kinds == ["warmup", "open", "sold_out", "closed", "result"]


async def test_viewers_who_come_in_meanwhile_hear_exactly_what_follows(empty_store: Store) -> None:
    """A viewer that joins at any moment receives exactly the facts after its welcome's number."""
    async with open_house(empty_store, LOAD) as house:
        early = await house.join("early")
        for _ in range(3):
            await house.packet(shares=1, lead_ms=60, window_ms=150)
        guests: list[Guest] = []
        while not any('"result"' in text for text in early.received[-1:]):
            guests.append(await house.join(f"v{len(guests)}"))
            await early.next("warmup", "open", "closed", "result", "countdown", "progress")
        last = 12
        for guest in [early, *guests]:
            while guest.welcome["seq"] < last and not any(f'"seq":{last},' in text for text in guest.facts()[-1:]):
                await guest.next("warmup", "open", "closed", "result")
            numbers = [json.loads(text)["seq"] for text in guest.facts()]
            assert numbers == list(range(guest.welcome["seq"] + 1, last + 1))
        assert len({guest.welcome["seq"] for guest in guests}) > 1


async def test_a_return_gets_exactly_what_it_missed(house: House) -> None:
    """A viewer that reconnects with its epoch and number gets the facts in between unchanged, then the live ones."""
    witness, leaver = await house.join("witness"), await house.join("leaver")
    packet_id = await house.packet(lead_ms=150, window_ms=400)
    await leaver.next("warmup")
    await leaver.socket.close()
    await witness.next("open")
    await witness.next("closed")
    back = await house.join("leaver", f"&epoch={leaver.welcome['epoch']}&seq=1")
    assert back.welcome["resync"] is False
    await back.next("result")
    await witness.next("result")
    assert leaver.facts() + back.facts() == witness.facts()
    assert house.gateway.metrics.resumed == 1
    assert packet_id


async def test_a_return_from_too_long_ago_is_told_to_start_over(empty_store: Store) -> None:
    """Facts that even the feed no longer has, another epoch, and numbers of the future are answered by ``resync``."""
    async with open_house(empty_store, replace(PRODUCTION, resume_facts_max=2)) as house:
        witness = await house.join("witness")
        await house.packet(lead_ms=20, window_ms=100)
        await witness.next("result")
        epoch = witness.welcome["epoch"]
        await house.store.redis.xtrim(keys.feed(CREATOR, house.room.room_id), maxlen=2, approximate=False)
        seen = {}
        for number, more in enumerate([f"{epoch}&seq={seq}" for seq in range(6)] + ["other&seq=4"]):
            guest = await house.join(f"v{number}", f"&epoch={more}")
            seen[more.removeprefix(epoch)] = guest.welcome["resync"]
            assert guest.welcome["seq"] == 4
        assert seen == {
            "&seq=0": True,
            "&seq=1": True,
            "&seq=2": False,
            "&seq=3": False,
            "&seq=4": False,
            "&seq=5": True,
            "other&seq=4": True,
        }


async def test_a_newcomer_finds_the_packets_on_screen(house: House) -> None:
    """The welcome shows a packet's full state and phase until its result, and no seed."""
    witness = await house.join("witness")
    await house.packet(lead_ms=300, window_ms=300)
    phases = []
    for number, kind in enumerate(["warmup", "open", "closed", "result"]):
        fact = await witness.next(kind)
        if kind == "closed":
            continue  # its result follows at once
        guest = await house.join(f"v{number}")
        phases.append([packet["phase"] for packet in guest.welcome["packets"]])
        assert guest.welcome["seq"] >= fact["seq"]
        assert "seed" not in json.dumps(guest.welcome["packets"])
    assert phases == [["warming"], ["grabbing"], []]


async def test_a_voided_packet_is_told_and_leaves_the_screen(house: House) -> None:
    """Voiding a packet that is on the air is a fact; nothing of the packet follows."""
    witness = await house.join("witness")
    packet_id = await house.packet(lead_ms=300, window_ms=200)
    await witness.next("warmup")
    await house.packets.void(packet_id, transfer_id="void:1", lead_ms=None)
    await house.gateway.look_at(packet_id)
    assert (await witness.next("voided"))["packet_id"] == packet_id
    assert (await house.join("late")).welcome["packets"] == []
    other = await house.packet(lead_ms=300, window_ms=100)
    assert (await witness.next("open", "closed", "result"))["packet_id"] == other


async def test_a_void_that_nobody_mentions_is_found_out(house: House) -> None:
    """If the notification of a void is lost, the refused opening makes the room look it up and publish the void."""
    witness = await house.join("witness")
    packet_id = await house.packet(lead_ms=150)
    await witness.next("warmup")
    await house.packets.void(packet_id, transfer_id="void:1", lead_ms=None)
    assert (await witness.next("voided", "open"))["type"] == "voided"


async def test_a_new_process_goes_on_where_the_room_stands(empty_store: Store) -> None:
    """A server started in mid-window knows facts, screen and numbers, and tells the rest."""
    async with open_house(empty_store) as first:
        witness = await first.join("witness")
        packet_id = await first.packet(lead_ms=50, window_ms=1_500)
        await witness.next("open")
    async with open_house(empty_store) as second:
        guest = await second.join("witness", f"&epoch={witness.welcome['epoch']}&seq=1")
        assert guest.welcome["resync"] is False
        assert [packet["phase"] for packet in guest.welcome["packets"]] == ["grabbing"]
        assert (await guest.next("open"))["seq"] == 2
        assert (await guest.grab(packet_id))["status"] == "granted"
        await guest.next("result")
        numbers = [json.loads(text)["seq"] for text in guest.facts()]
        assert all(later == earlier + 1 for earlier, later in pairwise(numbers))


async def test_two_processes_tell_the_same_facts(empty_store: Store) -> None:
    """Viewers of two servers on one store receive the same bytes, and each server serves rooms opened by the other."""
    async with open_house(empty_store) as first, open_house(empty_store) as second:
        guests = [await first.join("a"), await second.join("b")]
        await first.packet(shares=3, lead_ms=50, window_ms=400)
        for guest in guests:
            await guest.next("result")
        assert guests[0].facts() == guests[1].facts()
        assert len(guests[0].facts()) == 4


@pytest.mark.rule("DY-CLM-1")
async def test_countdowns_are_real_time_at_any_speed(empty_store: Store) -> None:
    """At 60 room seconds a second, countdowns are sent five and three real seconds before the opening."""
    async with open_house(empty_store, speed=60) as house:
        guest = await house.join("v1")
        assert guest.welcome["speed"] == 60
        await house.packet(lead_ms=3_300)
        left_ms = (await guest.next("countdown"))["left_ms"]
        assert 0 < left_ms <= 3_000 * 60


async def test_a_room_survives_its_store(tmp_path: Path) -> None:
    """While the store is unavailable grabs get ``unavailable``; afterwards, overdue facts are published."""
    running = EmbeddedStore.start(tmp_path, durability=Durability.DURABLE)
    try:
        store = await Store.connect(running.url)
        async with open_house(store) as house:
            guest = await house.join("v1")
            packet_id = await house.packet(lead_ms=400)
            await guest.next("warmup")
            running.stop()
            await until_so(lambda: house.gateway.metrics.store_unavailable > 0)
            assert (await guest.grab(packet_id, "q1"))["status"] == "unavailable"
            running = EmbeddedStore.start(tmp_path, durability=Durability.DURABLE)
            assert (await guest.next("open"))["packet_id"] == packet_id
            assert (await guest.grab(packet_id, "q1"))["status"] == "granted"
        await store.close()
    finally:
        running.stop()


def test_a_grab_of_the_longest_ids_fits_a_small_frame() -> None:
    """A grab with two ids of full length still takes the short way."""
    assert len(grab_text(PacketId("c" * 36), "q" * 36)) < 126


async def test_a_room_closed_right_after_a_grab_leaves_no_question_behind(house: House) -> None:
    """A query that was about to start never runs, and a closed room starts none."""
    witness = await house.join("witness")
    before, after = await house.packet(2), await house.packet(2)
    while (await witness.next("open"))["packet_id"] != after:
        pass
    live = house.gateway.room(house.room.room_id)
    assert live is not None
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        idle = asyncio.all_tasks()
        live.missed_out(before)
        asking = asyncio.all_tasks()
        live.close()
        live.missed_out(after)
        assert (len(asking - idle), asyncio.all_tasks()) == (1, asking)
        await asyncio.sleep(0)
        gc.collect()
    assert told == []
