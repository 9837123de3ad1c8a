"""Launching into a room of the creator: decided again after concurrent launches, once per request."""

import asyncio
from typing import Any

import pytest

from server.commands.context import CommandContext
from server.commands.end_packet import end_packet
from server.commands.launch_packet import LAUNCH_TRIES, launch_packet
from server.core.ids import PLATFORM, CreatorId, RoomId
from server.core.packets.launch import LaunchRequest
from server.core.packets.packet import PacketState, Surface
from server.core.refusal import Refused
from server.core.rooms.feed import Cue, FactKind
from server.core.rulebooks.rulebook import LaunchMode
from server.store.feed import FROM_THE_START, Feed
from tests.store.desk import Desk


def by_hand(desk: Desk) -> LaunchRequest:
    return LaunchRequest(desk.room.room_id, LaunchMode.MANUAL)


async def test_a_launch_needs_a_room_of_the_packets_creator(desk: Desk, at: CommandContext) -> None:
    """Neither an unknown room nor another creator's will do, and the draft stays one."""
    await desk.recharge(5)
    packet = await desk.draft([5])
    elsewhere = await at.rooms.create(RoomId("r2"), CreatorId("c2"), "")
    before = await desk.state()
    for room_id, code in ((elsewhere.room_id, "other_creator"), (RoomId("nowhere"), "not_found")):
        with pytest.raises(Refused) as refused:
            await launch_packet(at, packet.packet_id, LaunchRequest(room_id, LaunchMode.MANUAL), "k")
        assert (refused.value.code, refused.value.field) == (code, "room_id")
    assert await desk.state() == before


async def test_launches_at_once_are_each_decided_on_the_ones_before(desk: Desk, at: CommandContext) -> None:
    """Of as many at once as there are tries none gives up, however the first attempts are raced."""
    await desk.recharge(20)
    drafts = [await desk.draft([5 + n]) for n in range(3)]
    came = await asyncio.gather(*(launch_packet(at, each.packet_id, by_hand(desk), "k") for each in drafts))
    assert [packet.state for packet, _ in came] == [PacketState.LAUNCHED] * 3
    assert (await at.packets.launches(desk.creator_id))[0] == 3


async def test_a_launch_that_is_always_raced_gives_up(
    desk: Desk, at: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another launch precedes every attempt, the caller is told to retry after the last one."""
    await desk.recharge(50)
    drafts = [await desk.draft([5 + n]) for n in range(LAUNCH_TRIES + 1)]
    others, run = iter(drafts[1:]), desk.store.run

    async def after_another(script: str, *rest: Any) -> Any:
        if script == "launch":
            with monkeypatch.context() as free:
                free.setattr(desk.store, "run", run)
                await desk.launch(next(others).packet_id)
        return await run(script, *rest)

    monkeypatch.setattr(desk.store, "run", after_another)
    with pytest.raises(Refused, match="try again") as refused:
        await launch_packet(at, drafts[0].packet_id, by_hand(desk), "k")
    assert refused.value.code == "launch_raced"
    assert next(others, None) is None


async def test_the_same_request_is_the_same_launch(desk: Desk, at: CommandContext) -> None:
    """A repetition with the same key and body returns the same launch; another key or body is another launch."""
    await desk.recharge(5)
    packet_id = (await desk.draft([5])).packet_id
    launched, warnings = await launch_packet(at, packet_id, by_hand(desk), "k")
    assert await launch_packet(at, packet_id, by_hand(desk), "k") == (launched, warnings) == (launched, ())
    longer = LaunchRequest(desk.room.room_id, LaunchMode.MANUAL, claim_window_ms=1_000)
    for request, key in ((longer, "k"), (by_hand(desk), "l")):
        with pytest.raises(Refused) as refused:
            await launch_packet(at, packet_id, request, key)
        assert (refused.value.code, refused.value.rule) == ("not_draft", "DY-LAU-1")


@pytest.mark.rule("KS-CLM-1")
async def test_a_launch_by_the_platform_races_one_by_the_creator(
    desk: Desk, at: CommandContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second is decided anew on the popup of the first; the feed has both (AMB-45)."""
    redis: Any = desk.store.redis
    if (await redis.info("cluster"))["cluster_enabled"]:
        pytest.skip("the platform's packet in a creator's room is launched in two slots, and needs one node")
    desk.platform = "kuaishou"
    await desk.recharge(10)
    own = await desk.draft([5], use_for_ms=5)
    theirs = await Desk.open(desk.store, PLATFORM)
    await theirs.recharge(10)
    shared = await theirs.draft([5], platform="kuaishou", use_for_ms=5)
    run = desk.store.run

    async def after_the_creator(script: str, *rest: Any) -> Any:
        if script == "launch":
            monkeypatch.setattr(desk.store, "run", run)
            assert (await launch_packet(at, own.packet_id, by_hand(desk), "k"))[0].surface is Surface.POPUP
        return await run(script, *rest)

    monkeypatch.setattr(desk.store, "run", after_the_creator)
    launched, _ = await launch_packet(at, shared.packet_id, by_hand(desk), "k")
    assert (launched.surface, launched.host_id) == (Surface.ASSET_WIDGET, desk.creator_id)
    assert await at.packets.get(shared.packet_id) == launched
    assert set(await at.rooms.on_air(desk.room)) == {own.packet_id, shared.packet_id}
    entries = await Feed(desk.store).read(desk.room, FROM_THE_START)
    assert [entry.packet_id for entry in entries] == [own.packet_id, shared.packet_id]
    warmup = Cue(FactKind.WARMUP, shared.packet_id, {})
    assert (await Feed(desk.store).announce(desk.room, warmup)).seq == 1
    ended = await end_packet(at, shared.packet_id, "k")
    assert ended.state is PacketState.SETTLED
    assert len(await Feed(desk.store).read(desk.room, FROM_THE_START)) == 4
