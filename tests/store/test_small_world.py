"""The small world on the real store: 2,000 random paths, which store and pure world walk step by step together."""

import asyncio
import hashlib
from copy import copy
from dataclasses import replace

import pytest

from server.core.ids import CreatorId, RoomId
from server.core.rulebooks.rulebook import PayAfterExpiry
from server.store.clock import StoreClock
from server.store.connection import Durability, Store
from server.store.embedded.process import EmbeddedStore
from server.store.rooms import Rooms
from server.store.transfers import StoreBroken
from tests.core.small_world.steps import ending, path
from tests.core.small_world.world import RULES, START_MS, Do, Setting, beginning
from tests.store.desk import Desk
from tests.store.small_store import SmallStore

PATHS, LENGTH = 250, 25  # PATHS is a multiple of AT_ONCE
KINDS = ("embedded", "embedded_cluster")
TO_THE_END = 10  # one path of so many goes on until nothing is left to happen
AT_ONCE = 10  # paths side by side, each of a creator of its own: none waits for an answer while others could ask
SETTINGS = (
    Setting(),
    Setting(replace(RULES, reversal_delay_ms=0, item_level_reversal=True)),
    Setting(use_for_ms=None, use_end_at_ms=START_MS + 4_000),
    Setting(replace(RULES, pay_after_expiry=PayAfterExpiry.HONOUR), use_for_ms=2_000),
)


async def walk(store: Store, opened: StoreClock, seed: int, setting: Setting) -> set[tuple[Do, str]]:
    """
    Walk a path in both, there as a creator of its own, and return what was asked and answered.

    Both are compared after every step that changes something; had another changed the store, the next would show it.
    """
    world, creator_id = beginning(setting), CreatorId(f"w{seed:04}")
    clock = copy(opened)  # others stand at other times
    desk = Desk(store, clock, await Rooms(store, clock).create(RoomId(f"room-{seed}"), creator_id, "a room"))
    await desk.at(world.now_ms)
    there = SmallStore(desk, world)
    said = set()
    way = list(path(seed, LENGTH, setting))
    if seed % TO_THE_END == 0:
        way += ending(way[-1][2])
    for number, (step, answer, after) in enumerate(way):
        told = await there.taken(world, step, after)
        try:
            assert (step, told) == (step, answer)
            if number == len(way) - 1 or (after is not world and step.do is not Do.WAIT):
                await there.compare(after)
        except AssertionError:
            print(f"seed {seed}, step {number} of:", *(f"{each[0]} {each[1]}" for each in way[: number + 1]), sep="\n")
            raise
        said.add((step.do, answer))
        world = after
    await there.allocator.caught_up()
    return said


@pytest.mark.rule("DY-REV-8")
@pytest.mark.rule("DY-CAN-6")
@pytest.mark.parametrize("which", range(len(SETTINGS)))
@pytest.mark.parametrize("kind", KINDS)
async def test_store_and_small_world_walk_together(kind: str, which: int, request: pytest.FixtureRequest) -> None:
    """Each answers as the other does, and after each step both hold the same."""
    running: EmbeddedStore = request.getfixturevalue(kind)
    store = await Store.connect(running.url, durability=Durability.NONE, cluster_node=True)
    await store.redis.flushall()
    clock = await StoreClock.open(store, speed=0, origin_ms=START_MS)
    first = (KINDS.index(kind) * len(SETTINGS) + which) * PATHS
    said: set[tuple[Do, str]] = set()
    for seed in range(first, first + PATHS, AT_ONCE):
        walks = (walk(store, clock, each, SETTINGS[which]) for each in range(seed, seed + AT_ONCE))
        said.update(*await asyncio.gather(*walks))
    await store.close()
    assert {do for do, _ in said} == set(Do)
    assert {"transfer_conflict", "not_found", "not_yours"} <= {answer for _, answer in said}


@pytest.mark.parametrize(
    ("script", "right", "wrong"),
    [
        pytest.param("expire", "if not stored[n] then", "if true then", id="takes what an order holds"),
        pytest.param("reverse", "redis.call('ZREM', reversals, unpack(due))", "", id="reverses twice"),
        pytest.param("step_order", "redis.call('HDEL', KEYS[keys_at + 2], change[1])", "", id="lets nothing go"),
        pytest.param("void", "until_ms = whole(record[3]", "until_ms = 1 + whole(record[3]", id="a millisecond late"),
    ],
)
async def test_a_bug_in_a_script_is_found(script: str, right: str, wrong: str, embedded: EmbeddedStore) -> None:
    """A store that goes another way than the world is found out on one of the first paths."""
    store = await Store.connect(embedded.url, durability=Durability.NONE)
    await store.redis.flushall()
    clock = await StoreClock.open(store, speed=0, origin_ms=START_MS)
    text = store._scripts[script].text
    assert text.count(right) == 1
    text = text.replace(right, wrong)
    store._scripts[script] = replace(
        store._scripts[script], text=text, sha=hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    )
    found = False
    for seed in range(PATHS):
        try:
            await walk(store, clock, seed, SETTINGS[0])
        except (AssertionError, StoreBroken):
            found = True
            break
    await store.close()
    assert found
