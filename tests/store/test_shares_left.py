"""Shares left: of many packets at once, each as its counters say."""

from server.core.ids import PacketId
from server.store.shares_left import shares_left
from tests.store.desk import Desk


async def test_shares_left_are_those_that_the_counters_say(desk: Desk) -> None:
    """One that is not there is left out, and packets of several creators are asked for together."""
    await desk.recharge(1_000)
    drafts = [await desk.draft([1] * count) for count in (2, 5)]
    ids = [packet.packet_id for packet in drafts]
    calls = await desk.store.redis.info("commandstats")

    left = await shares_left(desk.store, [ids[0], PacketId("nobody.p1"), ids[1]])

    assert left == {ids[0]: 2, ids[1]: 5}
    assert left == {packet_id: (await desk.packets.counts(packet_id)).remaining for packet_id in ids}
    after = await desk.store.redis.info("commandstats")
    assert "cmdstat_evalsha" not in calls or after["cmdstat_evalsha"]["calls"] - calls["cmdstat_evalsha"]["calls"] <= 4
    assert await shares_left(desk.store, []) == {}
