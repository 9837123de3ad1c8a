"""The operations that a list shows as possible are those that can be done, and it refuses the others as they are."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from server.commands.context import CommandContext
from server.commands.edit_packet import edit_packet
from server.commands.end_packet import end_packet
from server.commands.launch_packet import launch_packet
from server.commands.void_packet import void_packet
from server.core.ids import PacketId
from server.core.packets.launch import LaunchRequest
from server.core.packets.operations import operation_states
from server.core.packets.packet import Schedule
from server.core.refusal import Refused
from server.core.rulebooks.page import Operation
from server.core.rulebooks.rulebook import LaunchMode
from tests.store.desk import NOW_MS, Desk

LAUNCHES = {
    "douyin": {"mode": LaunchMode.RELATIVE, "delay_ms": 120_000},
    "kuaishou": {"mode": LaunchMode.MANUAL},
    "lab": {"mode": LaunchMode.MANUAL},
}
WARMUP_AT_MS, GRAB_AT_MS, CLAIM_END_AT_MS = NOW_MS + 600_000, NOW_MS + 900_000, NOW_MS + 1_500_000
SCHEDULE = Schedule(WARMUP_AT_MS, GRAB_AT_MS, CLAIM_END_AT_MS)
TOO_OLD = WARMUP_AT_MS  # the end of a use validity, before which a packet must be launched by two minutes
INSTANTS = [
    NOW_MS,
    TOO_OLD - 120_001,
    TOO_OLD - 120_000,
    WARMUP_AT_MS,
    GRAB_AT_MS,
    CLAIM_END_AT_MS - 1,
    CLAIM_END_AT_MS,
]


async def _tried(at: CommandContext, operation: Operation, packet_id: PacketId, launch: Any) -> Refused | None:
    key = secrets.token_hex(4)
    tries: dict[Operation, Callable[[], Awaitable[object]]] = {
        Operation.LAUNCH: lambda: launch_packet(at, packet_id, launch, key),
        Operation.COPY: lambda: at.packets.get(packet_id),
        Operation.VOID: lambda: void_packet(at, packet_id, key),
        Operation.EDIT: lambda: edit_packet(at, packet_id, 1, key),
        Operation.END: lambda: end_packet(at, packet_id, key),
    }
    try:
        await tries[operation]()
    except Refused as refused:
        return refused
    return None


@pytest.mark.rule("DY-UI-3")
@pytest.mark.rule("KS-UI-2")
@pytest.mark.parametrize("state", ["draft", "too old", "launched", "voided", "ended"])
@pytest.mark.parametrize("platform", LAUNCHES)
async def test_what_a_list_refuses_is_refused(desk: Desk, at: CommandContext, platform: str, state: str) -> None:
    """At every edge of time each operation is tried: what the list says, code, rule and sentence, is what comes."""
    desk.platform = platform
    launch = LaunchRequest(desk.room.room_id, **LAUNCHES[platform])  # type: ignore[arg-type]
    for now_ms in INSTANTS:
        for operation in Operation:
            await desk.at(NOW_MS)
            await desk.recharge(10)
            validity: dict[str, Any] = {"use_end_at_ms": TOO_OLD} if state == "too old" else {"use_for_ms": 10**8}
            packet = await desk.draft([2, 3], **validity)
            if state in ("launched", "ended"):
                await desk.launch(packet.packet_id, SCHEDULE)
            if state == "voided":
                await at.packets.void(packet.packet_id, transfer_id=f"void:{packet.packet_id}", lead_ms=None)
            if state == "ended":
                await at.packets.end(await at.packets.get(packet.packet_id), transfer_id=f"end:{packet.packet_id}")
            await desk.at(now_ms)
            states = operation_states(await at.packets.get(packet.packet_id), at.rulebook(platform), now_ms)
            (said,) = [each for each in states if each.operation is operation]
            came = await _tried(at, operation, packet.packet_id, launch)
            if said.refused is None:
                assert came is None or came.code == "too_many_at_once", (operation, now_ms, came)
                assert said.until_ms is None or now_ms < said.until_ms
            else:
                assert came is not None, (operation, now_ms, said)
                assert (came.code, came.rule) == (said.refused.code, said.refused.rule)
                assert came.detail.startswith(said.refused.detail)


@pytest.mark.rule("DY-VOI-2")
async def test_an_operation_says_until_when_it_can_be_done(desk: Desk, at: CommandContext) -> None:
    """A draft waits as long as it can be used; the rest of a packet's life has its deadlines."""
    await desk.recharge(5)
    draft = await desk.draft([5], use_end_at_ms=CLAIM_END_AT_MS)

    def until(packet: Any) -> list[int | None]:
        return [each.until_ms for each in operation_states(packet, at.rulebook("douyin"), NOW_MS)]

    assert until(draft) == [CLAIM_END_AT_MS - 120_000, None, None, None, None]
    assert until(replace(draft, use_end_at_ms=None)) == [None] * 5
    launched = await desk.launch(draft.packet_id, SCHEDULE)
    assert until(launched) == [None, None, WARMUP_AT_MS - 120_000, CLAIM_END_AT_MS, CLAIM_END_AT_MS]
