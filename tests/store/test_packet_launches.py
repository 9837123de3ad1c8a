"""What the store adds to a launch: the way takes time, and a use validity is kept."""

import pytest

from server.core.ids import CreatorId
from server.core.packet import PacketState, Schedule
from server.core.refusal import Refused
from server.store import keys
from tests.store.desk import CLAIM_END_AT_MS, NOW_MS, Desk

C1 = CreatorId("c1")


@pytest.mark.rule("KS-LAU-1")
async def test_a_launch_by_hand_may_take_a_moment_to_arrive(desk: Desk) -> None:
    """Room time runs on between the decision and the script: a real second is allowed, two are not."""
    await desk.recharge(20)
    by_hand, late = await desk.draft([5]), await desk.draft([6])
    seconds, _ = await desk.store.redis.time()
    await desk.store.redis.hset(
        keys.clock_of(C1), mapping={"origin_ms": NOW_MS, "started_ms": seconds * 1000, "speed": 3_600}
    )
    _, micros = await desk.store.redis.time()
    room_ms = NOW_MS + micros // 1000 * 3_600

    opened = await desk.launch(by_hand.packet_id, Schedule(room_ms, room_ms, room_ms + CLAIM_END_AT_MS))

    assert opened.state == PacketState.LAUNCHED
    past_ms = room_ms - 2 * 3_600_000
    with pytest.raises(Refused, match="passed") as refusal:
        await desk.launch(late.packet_id, Schedule(past_ms, past_ms, room_ms + CLAIM_END_AT_MS))
    assert refusal.value.rule == "DY-LAU-7"


@pytest.mark.rule("DY-LAU-8")
async def test_a_use_validity_is_kept_with_the_packet(desk: Desk) -> None:
    """It is stored as asked for, none if there is none, and another one is another request."""
    await desk.recharge(20)

    packet = await desk.draft([5], use_end_at_ms=12_345, transfer_id="t")

    assert (await desk.packets.get(packet.packet_id)).use_end_at_ms == packet.use_end_at_ms == 12_345
    assert (await desk.draft([6])).use_end_at_ms is None
    assert await desk.draft([5], use_end_at_ms=12_345, transfer_id="t") == packet
    with pytest.raises(Refused) as refusal:
        await desk.draft([5], use_end_at_ms=12_346, transfer_id="t")
    assert refusal.value.code == "transfer_conflict"
