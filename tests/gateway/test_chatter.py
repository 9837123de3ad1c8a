"""Rooms alive, over real sockets and a real store: comments, likes, and how many watch."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from server.core.packets.packet import Surface
from server.core.rooms.chatter import COMMENTS_OF_WINDOW_MAX
from server.core.rooms.session import SessionLimits
from server.gateway.limits import LOAD, PRODUCTION
from server.store import keys
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from tests.gateway.house import Guest, House, masked, open_house
from tests.waiting import until_so


def a_comment(text: str) -> str:
    return json.dumps({"type": "comment", "text": text})


async def comments_until(guest: Guest, last: str) -> list[tuple[str, str]]:
    """Return who said what, up to the comment *last*."""
    said: list[tuple[str, str]] = []
    while not said or said[-1][1] != last:
        said += [(each["viewer_id"], each["text"]) for each in (await guest.next("comments"))["comments"]]
    return said


async def audience_of(guest: Guest, **wanted: int) -> dict[str, Any]:
    """Return the next ``audience`` message with these numbers."""
    while True:
        told = await guest.next("audience")
        if wanted.items() <= told.items():
            return told


async def test_a_comment_is_told_to_everybody(house: House) -> None:
    """All viewers, the author included, receive the same comments in one message per window."""
    ann, bob = await house.join("ann"), await house.join("bob")
    for number in range(3):
        await ann.socket.send(a_comment(f"好 {number}"))
    for guest in (ann, bob):
        assert await comments_until(guest, "好 2") == [("ann", f"好 {number}") for number in range(3)]
    assert house.gateway.metrics.comments_in == 3
    assert house.gateway.metrics.comments_dropped == 0


async def test_two_processes_are_one_room(empty_store: Store) -> None:
    """Viewers of two servers on one store read each other's comments, each once, and are counted together."""
    async with open_house(empty_store) as first, open_house(empty_store) as second:
        ann, bob, cat = await first.join("ann"), await second.join("bob"), await second.join("cat")
        for guest in (ann, bob, cat):
            await audience_of(guest, viewers=3)
        await ann.socket.send(a_comment("from the first"))
        for guest in (ann, bob, cat):
            assert await comments_until(guest, "from the first") == [("ann", "from the first")]
        await bob.socket.send(a_comment("from the second"))
        for guest in (ann, bob, cat):
            assert await comments_until(guest, "from the second") == [("bob", "from the second")]

        dan = await first.join("dan")
        assert dan.welcome["audience"] == 4
        await cat.socket.close()
        await audience_of(ann, viewers=3)


async def test_a_process_that_stops_takes_its_viewers_along(empty_store: Store) -> None:
    """When a server goes, those of the other see their number fall."""
    async with open_house(empty_store) as first:
        ann = await first.join("ann")
        async with open_house(empty_store) as second:
            await second.join("bob")
            await audience_of(ann, viewers=2)
        await audience_of(ann, viewers=1)


async def test_likes_add_up(empty_store: Store) -> None:
    """Likes of all viewers and processes are one total, which a process started later goes on with."""
    async with open_house(empty_store) as first, open_house(empty_store) as second:
        ann, bob = await first.join("ann"), await second.join("bob")
        for guest, count in ((ann, 3), (bob, 1_000), (ann, 4)):
            await guest.socket.send(json.dumps({"type": "like", "count": count}))
        for guest in (ann, bob):
            await audience_of(guest, likes=1_007)
        assert first.gateway.metrics.likes_in + second.gateway.metrics.likes_in == 1_007
    async with open_house(empty_store) as third:
        cat = await third.join("cat")
        await audience_of(cat, likes=1_007)


async def test_a_thousand_comments_are_bounded(empty_store: Store) -> None:
    """Of more comments than a window holds the rest is dropped and counted; no message is past its bound."""
    async with open_house(empty_store, LOAD) as house:
        bob, flood = await house.join("bob"), await house.raw("flood")
        flood.writer.write(b"".join(masked(a_comment(f"comment {number}").encode()) for number in range(1_000)))
        sizes: list[int] = []
        while sum(sizes) + house.gateway.metrics.comments_dropped < 1_000:
            sizes.append(len((await bob.next("comments"))["comments"]))
        assert sum(sizes) + house.gateway.metrics.comments_dropped == 1_000
        assert max(sizes) == COMMENTS_OF_WINDOW_MAX
        assert house.gateway.metrics.comments_in == 1_000
        while b'"rate_limited"' not in (await flood.frame())[1]:  # whoever is not heard is told
            pass


async def test_a_comment_too_long_is_an_error_and_no_end(house: House) -> None:
    """An invalid comment gets its author an error; the next comment is published to all."""
    ann, bob = await house.join("ann"), await house.join("bob")
    await ann.socket.send(a_comment("长" * 101))
    assert (await ann.next("error"))["code"] == "bad_field"
    await ann.socket.send(a_comment("长" * 100))
    assert await comments_until(bob, "长" * 100) == [("ann", "长" * 100)]


async def test_a_viewer_who_never_stops_talking_is_refused(empty_store: Store) -> None:
    """Past its comments a viewer gets an error, and its grabs are answered as before."""
    limits = replace(PRODUCTION, session=SessionLimits(chatter_max=2))
    async with open_house(empty_store, limits) as house:
        packet_id = await house.packet(lead_ms=60_000)
        ann = await house.join("ann")
        for number in range(3):
            await ann.socket.send(a_comment(f"{number}"))
        assert (await ann.next("error"))["code"] == "rate_limited"
        assert (await ann.grab(packet_id))["status"] == "too_early"
        assert await comments_until(ann, "1") == [("ann", "0"), ("ann", "1")]


async def test_comments_do_not_delay_facts(empty_store: Store) -> None:
    """While everybody comments during a countdown, each viewer receives each fact once and in order."""
    async with open_house(empty_store, LOAD) as house:
        crowd = [await house.join(f"v{number}") for number in range(20)]
        stop = asyncio.Event()

        async def talk(guest: Guest) -> None:
            while not stop.is_set():
                await guest.socket.send(a_comment("快抢" * 20))
                await asyncio.sleep(0.04)  # what a fast talker may

        talking = [asyncio.ensure_future(talk(guest)) for guest in crowd]
        await crowd[0].next("comments")
        await house.packet(shares=1, lead_ms=3_300, window_ms=300)
        for guest in crowd:
            await guest.next("result")
        stop.set()
        await asyncio.gather(*talking)
        for guest in crowd:
            kinds = [json.loads(text)["type"] for text in guest.facts()]
            assert kinds == ["warmup", "open", "closed", "result"]
            received = [kind for text in guest.received if (kind := json.loads(text)["type"]) != "error"]
            countdown = received[received.index("warmup") + 1 : received.index("open")]
            assert {"comments"} <= set(countdown) <= {"comments", "countdown", "audience"}
            assert received[received.index("open") + 1] == "popup"


async def test_a_packet_comes_to_the_screen_as_the_launch_decided(house: House) -> None:
    """A packet launched as an asset widget is published as one right after its opening, never as a popup."""
    guest = await house.join("ann")
    packet_id = await house.packet(lead_ms=50, window_ms=100, surface=Surface.ASSET_WIDGET)
    assert (await guest.next("warmup"))["packet"]["surface"] == "asset_widget"
    await guest.next("open")
    assert await guest.next("popup", "asset_widget", "closed") == {"type": "asset_widget", "packet_id": packet_id}
    await guest.next("result")
    assert not any('"type":"popup"' in text for text in guest.received)


async def test_an_empty_house_asks_the_store_for_nothing(house: House) -> None:
    """Without viewers the count runs no script; that the last has left is handed in once."""

    async def scripts_run_by_a_count() -> int:
        before = await scripts_run(house.store)
        await house.gateway.chatter.count()
        return await scripts_run(house.store) - before

    assert await scripts_run_by_a_count() == 0
    guest = await house.join("ann")
    assert await scripts_run_by_a_count() > 0
    await guest.socket.close()
    await until_so(lambda: house.gateway.metrics.connected == 0)
    await house.gateway.chatter.count()
    assert await scripts_run_by_a_count() == 0


async def scripts_run(store: Store) -> int:
    stats = await store.redis.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))


async def test_talk_goes_on_without_the_store(tmp_path: Path) -> None:
    """While the store is away the viewers of a process still read each other; what others miss is counted."""
    running = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
    try:
        store = await Store.connect(running.url, durability=Durability.RELAXED)
        async with open_house(store) as house:
            ann, bob = await house.join("ann"), await house.join("bob")
            running.stop()
            await ann.socket.send(a_comment("anybody there?"))
            assert await comments_until(bob, "anybody there?") == [("ann", "anybody there?")]
            await until_so(lambda: house.gateway.metrics.comments_dropped == 1)
            running = EmbeddedStore.start(tmp_path, durability=Durability.RELAXED)
            await ann.socket.send('{"type":"like","count":2}')
            await audience_of(bob, viewers=2)
        await store.close()
    finally:
        running.stop()


async def test_a_stop_leaves_only_likes_behind(empty_store: Store) -> None:
    """A server that stops while a window is open hands in the last likes and takes its numbers away."""
    async with open_house(empty_store) as house:
        ann = await house.join("ann")
        await audience_of(ann, viewers=1)
        await ann.socket.send(a_comment("bye"))
        await ann.socket.send('{"type":"like","count":2}')
        await until_so(lambda: house.gateway.metrics.likes_in == 2)
    assert not await empty_store.redis.exists(keys.PRESENT)
    assert await empty_store.redis.hgetall(keys.LIKES) == {b"r1": b"2"}
