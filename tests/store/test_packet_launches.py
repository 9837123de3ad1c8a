"""The store's part of a launch: it takes time, and the use validity is kept."""

from typing import Any

import pytest

from server.core.ids import CreatorId
from server.core.packets.packet import PacketState, Schedule
from server.core.refusal import Refused
from server.store import keys
from tests.store.desk import CLAIM_END_AT_MS, GRAB_AT_MS, NOW_MS, Desk

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


@pytest.mark.rule("DY-CRE-3")
@pytest.mark.rule("KS-CRE-2")
@pytest.mark.parametrize(
    "use",
    [
        {"use_start_at_ms": 5, "use_end_at_ms": 12_345},
        {"use_for_ms": 60_000},
        {"product_ids": ("p1", "p2")},
        {"use_end_at_ms": 9, "product_ids": ("p1",), "reversal_delay_ms": 60_000},
    ],
    ids="-".join,
)
async def test_when_and_on_what_a_packet_is_used_is_kept_with_it(desk: Desk, use: dict[str, Any]) -> None:
    """Both styles of validity, the scope and the delay of a reversal; another wish is another request."""
    await desk.recharge(20)

    packet = await desk.draft([5], transfer_id="t", **use)

    assert {name: getattr(await desk.packets.get(packet.packet_id), name) for name in use} == use
    assert await desk.draft([5], transfer_id="t", **{**use, "reversal_delay_ms": 1}) == packet
    with pytest.raises(Refused) as refusal:
        await desk.draft([5], transfer_id="t", product_ids=("p3",))
    assert refusal.value.code == "transfer_conflict"


@pytest.mark.rule("DY-REV-3")
@pytest.mark.parametrize(
    ("use", "allocator", "expires_at_ms"),
    [
        ({}, "default", None),
        ({"use_end_at_ms": CLAIM_END_AT_MS}, "default", CLAIM_END_AT_MS),
        ({"use_for_ms": 7}, "default", GRAB_AT_MS + 7),
        ({"use_end_at_ms": CLAIM_END_AT_MS}, "naive", None),
    ],
)
async def test_a_launch_says_when_the_first_share_expires(
    desk: Desk, use: dict[str, int], allocator: str, expires_at_ms: int | None
) -> None:
    """With the absolute validity, or a relative one after the opening; the naive allocator's never do."""
    await desk.recharge(5)
    packet = await desk.draft([5], allocator=allocator, **use)

    await desk.launch(packet.packet_id)

    assert await desk.store.redis.zscore(keys.expiring(C1), packet.packet_id) == expires_at_ms
